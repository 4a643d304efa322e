"""JSON bodies, read in bounded time and memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from service.api.bodies import body_chunks
from service.api.deps import AdmissionDep, SettingsDep
from service.api.forms import MAX_TEXT_BYTES
from service.api.openapi import REFERENCE
from service.api.parameters import require_known
from service.errors import UnsupportedMedia

_JSON = "application/json"

P = TypeVar("P", bound=BaseModel)


def json_request(params: type[P]) -> Callable[..., Awaitable[P]]:
    """A dependency that reads and validates a JSON object.

    Raises BadRequest, TooLarge, UnsupportedMedia or RequestValidationError.
    """

    async def read(request: Request, settings: SettingsDep, place: AdmissionDep) -> P:
        require_known(request.query_params, ())
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != _JSON:
            raise UnsupportedMedia(f"Send a JSON object with Content-Type {_JSON}.")
        body = b"".join([c async for c in body_chunks(request, settings, place, limit=MAX_TEXT_BYTES)])
        try:
            return params.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError(
                [e | {"loc": ("parameters", *e["loc"])} for e in error.errors()]
            ) from None

    return read


def json_body(params: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route with the same `json_request`."""
    schema = params.model_json_schema(ref_template=REFERENCE)
    return {"requestBody": {"required": True, "content": {_JSON: {"schema": schema}}}}
