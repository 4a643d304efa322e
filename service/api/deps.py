"""The dependencies of routes, as `Annotated` aliases."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from bundle.voice import VoiceBundle
from service.admission import Place
from service.api.pipeline import Pipeline
from service.api.scopes import OPENED_BY, opens
from service.audio.decoder import AudioDecoder
from service.audit import AuditLog
from service.eraser import Eraser
from service.errors import Forbidden, MissingKey, NotReady
from service.generation import GenerationDesk
from service.inference import ModelRegistry
from service.jobs import JobDesk
from service.keys import SCOPES, Scope
from service.metrics import Metrics
from service.runtime import Runtime
from service.settings import Settings, is_address
from service.speakers import SpeakerDirectory
from service.speakers.gallery import unknown
from service.tenants import OPERATOR, Tenant

_bearer = HTTPBearer(auto_error=False, description="An API key, if the service has keys.")


async def _runtime(connection: HTTPConnection) -> Runtime:
    runtime: Runtime = connection.app.state.runtime
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


async def _eraser(runtime: RuntimeDep) -> Eraser:
    return runtime.eraser


async def _generation(runtime: RuntimeDep) -> GenerationDesk:
    return runtime.generation


async def _admission(runtime: RuntimeDep, client: ClientDep) -> AsyncIterator[Place]:
    runtime.audio.require(client)
    with runtime.admission.admit() as place:
        yield place


SettingsDep = Annotated[Settings, Depends(_settings)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
RegistryDep = Annotated[ModelRegistry, Depends(_registry)]
DecoderDep = Annotated[AudioDecoder, Depends(_decoder)]
JobsDep = Annotated[JobDesk, Depends(_jobs)]
EraserDep = Annotated[Eraser, Depends(_eraser)]
GenerationDep = Annotated[GenerationDesk, Depends(_generation)]
DirectoryDep = Annotated[SpeakerDirectory, Depends(_directory)]
#: One of the `max_in_flight` places, held until the answer is sent. Raises Overloaded.
AdmissionDep = Annotated[Place, Depends(_admission)]


async def _pipeline(
    request: Request, runtime: RuntimeDep, place: AdmissionDep, client: ClientDep
) -> AsyncIterator[Pipeline]:
    charge = partial(runtime.audio.charge, client)
    with runtime.registry.lease() as engine:
        yield Pipeline(engine, runtime.decoder, request.receive, place.hold, charge)


#: Embeds audio with the active model, which stays loaded until the answer is sent. Raises NotReady.
PipelineDep = Annotated[Pipeline, Depends(_pipeline)]


def active_bundle(registry: ModelRegistry) -> VoiceBundle:
    """The model that serves. Raises NotReady before it is loaded."""
    if registry.active is None:
        raise NotReady(registry.not_ready_because, retry_after_s=1)
    return registry.active


_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def require_key(request: Request, runtime: RuntimeDep, credentials: _Credentials) -> Tenant:
    """Lets a request pass if it carries a key that opens its call, or the service has no keys.

    Returns whose key it is. Raises MissingKey or Forbidden.
    """
    return key_tenant(request, runtime, credentials.credentials if credentials else None, request.method)


def key_tenant(connection: HTTPConnection, runtime: Runtime, key_text: str | None, method: str) -> Tenant:
    """Whose key opens a call, given by its method and the route that was found. `WS` stands for a WebSocket.

    Raises MissingKey or Forbidden.
    """
    if not runtime.keys.locked:
        return OPERATOR
    if key_text is None:
        raise MissingKey("This service needs an API key: send the header 'Authorization: Bearer KEY'.")
    path = connection.scope["route"].path_format
    key = runtime.keys.find(key_text)
    if key is None:
        runtime.audit.write("refused", route=f"{method} {path}", reason="unknown key", **_request_id())
        raise Forbidden("This service does not know that API key. Ask its operator for a key.")
    connection.state.key_id = key.key_id
    connection.state.scopes = key.scopes
    if not opens(key, method, path):
        runtime.audit.write(
            "refused",
            route=f"{method} {path}",
            reason="scope",
            key=key.key_id,
            tenant=key.tenant,
            **_request_id(),
        )
        needed = " or ".join(OPENED_BY.get((method, path), SCOPES))
        raise Forbidden(f"This key may not do that: it needs the scope {needed}. Ask the service's operator.")
    return Tenant(key.tenant)


def require_scope(connection: HTTPConnection, scope: Scope) -> None:
    """Lets a request go on that does more than its call alone. Raises Forbidden."""
    if scope not in getattr(connection.state, "scopes", SCOPES):
        raise Forbidden(f"This key may not do that: it needs the scope {scope}. Ask the service's operator.")


#: Whose voices, jobs and versions a request is about. Raises what `require_key` raises.
TenantDep = Annotated[Tenant, Depends(require_key)]


async def _counts_all(runtime: RuntimeDep, credentials: _Credentials) -> bool:
    if not runtime.keys.divided:
        return True
    key = runtime.keys.find(credentials.credentials) if credentials else None
    return key is not None and not key.tenant


#: Whether numbers about everybody's voices may be shown without a key: not where tenants share the service,
#: unless the request carries a key of the operator.
CountsAllDep = Annotated[bool, Depends(_counts_all)]


async def _client(request: Request, runtime: RuntimeDep, credentials: _Credentials, tenant: TenantDep) -> str:
    return client_of(request, runtime, credentials.credentials if credentials else None, tenant)


def client_of(connection: HTTPConnection, runtime: Runtime, key_text: str | None, tenant: Tenant) -> str:
    """Identifies a client for limits: by its tenant or key or, if the service has no keys, by its address."""
    if not tenant.is_operator:
        return client_digest(f"tenant {tenant.name}")
    if runtime.keys.locked and key_text is not None:
        return client_digest(key_text)
    return client_digest(connection.client.host if connection.client else "")


def client_digest(key_or_address: str) -> str:
    """Identifies a client without naming it. An IPv6 network of 64 bits is one household."""
    who = key_or_address
    if is_address(who):
        address = ipaddress.ip_address(who)
        if isinstance(address, ipaddress.IPv6Address):
            mapped = address.ipv4_mapped  # an IPv4 client of a socket that takes both
            who = str(mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
    return hashlib.sha256(who.encode()).hexdigest()[:16]


#: Identifies the client for limits: by its tenant or key or, if the service has no keys, by its address.
ClientDep = Annotated[str, Depends(_client)]


async def within_rate(runtime: RuntimeDep, client: ClientDep) -> None:
    """Counts a request against the client's rate. Raises Overloaded."""
    runtime.requests.require(client, 1)
    runtime.requests.charge(client, 1)


def stored_id(tenant: Tenant, speaker_id: str) -> str:
    """The id under which a speaker of the tenant is stored. Raises NotFound for what is no id."""
    stored = tenant.stored(speaker_id)
    if stored is None:
        raise unknown(speaker_id)
    return stored


class Audit:
    """Writes lines about one request into the audit log."""

    def __init__(self, log: AuditLog, connection: HTTPConnection, tenant: Tenant) -> None:
        self._log = log
        self._key = getattr(connection.state, "key_id", None)
        self._tenant = tenant.name

    def __call__(self, action: str, **fields: object) -> None:
        """Adds a line: what was done or decided."""
        self._log.write(action, key=self._key, tenant=self._tenant, **_request_id(), **fields)


def _request_id() -> dict[str, object]:
    return {"request_id": structlog.contextvars.get_contextvars().get("request_id")}


async def _audit(request: Request, runtime: RuntimeDep, tenant: TenantDep) -> Audit:
    return Audit(runtime.audit, request, tenant)


#: Notes in the audit log what the request did.
AuditDep = Annotated[Audit, Depends(_audit)]
