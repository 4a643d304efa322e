"""The dependencies of routes, as `Annotated` aliases."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bundle.voice import VoiceBundle
from service.api.pipeline import Pipeline
from service.audio.decoder import AudioDecoder
from service.errors import Forbidden, MissingKey, NotReady
from service.generation import GenerationDesk
from service.inference import ModelRegistry
from service.jobs import JobDesk
from service.metrics import Metrics
from service.runtime import Runtime
from service.settings import Settings
from service.speakers import SpeakerDirectory

_bearer = HTTPBearer(auto_error=False, description="One of TWOFOLD_API_KEYS, if the service has keys.")


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeDep = Annotated[Runtime, Depends(_runtime)]


async def _settings(runtime: RuntimeDep) -> Settings:
    return runtime.settings


async def _metrics(runtime: RuntimeDep) -> Metrics:
    return runtime.metrics


async def _registry(runtime: RuntimeDep) -> ModelRegistry:
    return runtime.registry


async def _decoder(runtime: RuntimeDep) -> AudioDecoder:
    return runtime.decoder


async def _directory(runtime: RuntimeDep) -> SpeakerDirectory:
    return runtime.directory


async def _jobs(runtime: RuntimeDep) -> JobDesk:
    return runtime.jobs


async def _generation(runtime: RuntimeDep) -> GenerationDesk:
    return runtime.generation


async def _admission(runtime: RuntimeDep) -> AsyncIterator[None]:
    with runtime.admission.admit():
        yield


async def _pipeline(request: Request, runtime: RuntimeDep) -> AsyncIterator[Pipeline]:
    with runtime.registry.lease() as engine:
        yield Pipeline(engine, runtime.decoder, request.receive)


SettingsDep = Annotated[Settings, Depends(_settings)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
RegistryDep = Annotated[ModelRegistry, Depends(_registry)]
DecoderDep = Annotated[AudioDecoder, Depends(_decoder)]
JobsDep = Annotated[JobDesk, Depends(_jobs)]
GenerationDep = Annotated[GenerationDesk, Depends(_generation)]
DirectoryDep = Annotated[SpeakerDirectory, Depends(_directory)]
#: One of the `max_in_flight` places, held until the answer is sent. Raises Overloaded.
AdmissionDep = Annotated[None, Depends(_admission)]
#: Embeds audio with the active model, which stays loaded until the answer is sent. Raises NotReady.
PipelineDep = Annotated[Pipeline, Depends(_pipeline)]


def active_bundle(registry: ModelRegistry) -> VoiceBundle:
    """The model that serves. Raises NotReady before it is loaded."""
    if registry.active is None:
        raise NotReady(registry.not_ready_because, retry_after_s=1)
    return registry.active


async def require_key(
    settings: SettingsDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Lets a request pass if it carries a key of the service, or the service has none.

    Raises MissingKey or Forbidden.
    """
    if not settings.keys:
        return
    if credentials is None:
        raise MissingKey("This service needs an API key: send the header 'Authorization: Bearer KEY'.")
    given = credentials.credentials.encode()
    # Every key is compared, in constant time, so that the time taken tells nothing about the keys.
    matches = [hmac.compare_digest(given, key.encode()) for key in settings.keys]
    if not any(matches):
        raise Forbidden("This service does not know that API key. Ask its operator for a key.")
