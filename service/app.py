"""The application: its routers, its middleware and its lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from service import __version__
from service.api import content, embed, finetune, generate, health, identify, models, speakers, verify
from service.api.deps import require_key
from service.api.middleware import RequestContext
from service.api.openapi import document_problems
from service.api.problems import install, problem_responses
from service.runtime import running
from service.settings import Settings

#: Every resource that may sit behind an API key. A new router is added here.
ROUTERS = (
    embed.router,
    content.router,
    speakers.router,
    identify.router,
    verify.router,
    generate.router,
    finetune.router,
    models.router,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application. Without `settings`, reads them from the environment."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings) as runtime:
            app.state.runtime = runtime
            yield

    app = FastAPI(
        title="Twofold",
        version=__version__,
        summary="Splits speech into who speaks and what is said, without labels.",
        lifespan=lifespan,
    )
    app.add_middleware(RequestContext)
    install(app)
    app.include_router(health.router)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(require_key)], responses=problem_responses(401, 403))
    document_problems(app)
    return app
