"""The application: its routers, its middleware and its lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from service import __version__
from service.api import (
    bulk,
    calibrate,
    content,
    diarize,
    embed,
    enrolment,
    erasures,
    finetune,
    gallery,
    generate,
    health,
    home,
    identify,
    listen,
    live_enrolment,
    long_diarizations,
    models,
    recordings,
    speakers,
    thresholds,
    verify,
    voice_map,
)
from service.api.deps import require_key, within_rate
from service.api.middleware import EXPOSED_HEADERS, RequestContext
from service.api.openapi import TAGS, complete_document, operation_id
from service.api.origins import OriginCheck
from service.api.parameters import known_query
from service.api.problems import install, problem_responses
from service.api.sockets import require_stream_key, stream_within_rate
from service.page import PageFiles, examples_folder
from service.runtime import running
from service.settings import Settings
from service.traces import RequestSpans, exporting

#: Every resource that may sit behind an API key. A new router is added here.
ROUTERS = (
    embed.router,
    content.router,
    enrolment.router,
    bulk.router,
    speakers.router,
    recordings.router,
    gallery.router,
    voice_map.router,
    erasures.router,
    identify.router,
    verify.router,
    calibrate.router,
    thresholds.router,
    diarize.router,
    long_diarizations.router,
    generate.router,
    finetune.router,
    models.router,
)

#: Live streams. They may sit behind an API key, too.
STREAM_ROUTERS = (listen.router, live_enrolment.router)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application. Without `settings`, reads them from the environment."""
    settings = settings or Settings()
    spans = exporting(settings.traces_url, __version__) if settings.traces_url else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.openapi()  # made once, in a third of a second: not while a request waits
        async with running(settings) as runtime:
            app.state.runtime = runtime
            yield
        if spans is not None:
            await asyncio.to_thread(spans.shutdown)  # sends what is left

    app = FastAPIOffline(  # the pages /docs and /redoc load nothing from elsewhere
        title="Twofold",
        version=__version__,
        summary="Splits speech into who speaks and what is said, without labels.",
        lifespan=lifespan,
        openapi_tags=TAGS,
        generate_unique_id_function=operation_id,
    )
    # The last one added sees a request first.
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )
    app.add_middleware(OriginCheck, settings=settings)
    app.add_middleware(RequestContext)
    if spans is not None:
        app.add_middleware(RequestSpans, provider=spans)
    install(app)
    app.include_router(home.router)
    if settings.page:
        if examples := examples_folder():
            app.mount("/page/examples", PageFiles(examples), name="examples")
        app.mount("/page", PageFiles(), name="page")
    app.include_router(health.router, dependencies=[Depends(known_query)])
    for router in ROUTERS:
        app.include_router(
            router,
            dependencies=[Depends(require_key), Depends(within_rate), Depends(known_query)],
            responses=problem_responses(401, 403, 429),
        )
    for router in STREAM_ROUTERS:
        app.include_router(router, dependencies=[Depends(require_stream_key), Depends(stream_within_rate)])
    complete_document(app)
    return app
