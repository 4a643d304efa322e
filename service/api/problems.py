"""Errors as RFC 9457 `application/problem+json`, for the answers and for the OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service.errors import TwofoldError

MEDIA_TYPE = "application/problem+json"
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}
# nginx logs this status for a client that left. Nobody reads the answer.
_CLIENT_CLOSED_REQUEST = 499


class Problem(BaseModel):
    """RFC 9457 problem details. Further fields depend on `code`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:twofold:problem:no_speech"])
    title: str = Field(examples=["No speech found"])
    status: int = Field(examples=[422])
    detail: str = Field(description="What is wrong and what to do.")
    code: str = Field(description="Stable; meant for programs.", examples=["no_speech"])


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = MEDIA_TYPE


_INTERNAL: dict[str, Any] = {
    "status": 500,
    "code": "internal",
    "title": "Internal error",
    "detail": "The service failed. Nothing of this request was stored. Its log gives the cause under this "
    "answer's X-Request-ID.",
}


def problem_fields(*, status: int, code: str, title: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The fields of a problem document."""
    fields = {"type": f"urn:twofold:problem:{code}", "title": title, "status": status, "detail": detail}
    return extra | fields | {"code": code}


def error_fields(error: Exception) -> dict[str, Any]:
    """The fields of the document for an error: one that a caller can meet, or a defect."""
    if not isinstance(error, TwofoldError):
        return problem_fields(**_INTERNAL)
    extra = dict(error.extra)
    if error.retry_after_s is not None:
        extra["retry_after_s"] = error.retry_after_s
    return problem_fields(
        status=error.status, code=error.code, title=error.title, detail=error.detail, **extra
    )


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> ProblemResponse:
    """A problem answer. Its code also goes to `request.state.problem`, for logs and metrics."""
    request.state.problem = code
    body = problem_fields(status=status, code=code, title=title, detail=detail, **extra)
    # If reading the body was stopped, the server must not read the rest: a body may never end.
    close = {"Connection": "close"} if getattr(request.state, "body_given_up", False) else {}
    return ProblemResponse(body, status, (headers or {}) | close)


def internal_problem(request: Request) -> ProblemResponse:
    """The answer to a defect of the service. Reveals nothing about its inside."""
    return problem(request, **_INTERNAL)


def error_problem(request: Request, error: TwofoldError) -> ProblemResponse:
    """The answer to an error that a caller can meet."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    fields = error_fields(error)
    return problem(request, headers=headers, **{k: v for k, v in fields.items() if k != "type"})


async def _twofold_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TwofoldError)
    return error_problem(request, error)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Without `input` and `ctx`: they repeat what was sent, and may not fit into JSON.
    errors = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(
        request,
        status=422,
        code="validation_error",
        title="Invalid parameters",
        detail=f"{where}: {first['msg']}",
        errors=errors,
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return problem(
        request,
        status=status.value,
        code=_HTTP_CODES.get(status.value, "bad_request" if status < 500 else "internal"),
        title=status.phrase,
        detail=f"{error.detail}: {request.method} {request.url.path}. GET /openapi.json lists every call.",
        headers=dict(error.headers or {}),
    )


async def _client_left(request: Request, _: Exception) -> Response:
    request.state.problem = "client_left"
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


def install(app: FastAPI) -> None:
    """Renders every error of the application as a problem document."""
    app.add_exception_handler(TwofoldError, _twofold_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _client_left)


_DESCRIPTIONS = {
    400: "`bad_request`: the request does not have the form that this call needs",
    401: "`missing_key`: this service needs an API key",
    403: "`forbidden`: the API key is unknown or lacks a scope; `forbidden_origin`: a foreign name or page",
    404: "`not_found`",
    409: "`conflict`: not possible in the present state",
    413: "`too_large`: too many bytes, files, or seconds after decoding",
    415: "`unsupported_media`: neither multipart/form-data nor a raw audio body",
    422: "`invalid_audio`, `no_speech`, `insufficient_speech`, `poor_enrolment` or `validation_error`",
    429: "`overloaded`: try again after `Retry-After` seconds",
    503: "`not_ready`, `store_unavailable` or `disk_full`: try again after `Retry-After` seconds",
}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
#: Every status of a call that takes audio.
AUDIO_STATUSES = (400, 413, 415, 422, 429, 503)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can answer with these problem statuses."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        responses[status] = {
            "description": _DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in (429, 503):
            responses[status]["headers"] = _RETRY_AFTER
    return responses
