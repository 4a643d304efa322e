"""Audio requests in both forms: `multipart/form-data`, or the recording itself as the body.

Limits are checked while the body is read: an endless body is refused at the first byte too many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.admission import Place
from service.api.bodies import body_chunks
from service.api.deps import AdmissionDep, SettingsDep
from service.api.forms import MAX_TEXT_BYTES, Fields, read_multipart, read_pairs, require_utf8
from service.api.openapi import REFERENCE
from service.api.parameters import require_known
from service.audio.containers import looks_like_audio, what_came
from service.audio.decoder import Upload
from service.errors import BadRequest, UnsupportedMedia
from service.settings import Settings

P = TypeVar("P", bound=BaseModel)

_FORMATS = "WAV, FLAC, Ogg, MP3, M4A, WebM, AMR, WMA, AIFF, CAF or a video with sound, 8 kHz or more"
_DOCUMENTED_TYPES = (
    "audio/wav",
    "audio/flac",
    "audio/ogg",
    "audio/mpeg",
    "audio/mp4",
    "audio/webm",
    "audio/amr",
    "application/octet-stream",
)
_MULTIPART = "multipart/form-data"
_ANY_TYPES = ("audio/", "video/")  # their bytes decide; clients use many names for the same formats
_BINARY_TYPES = frozenset(
    (
        *("application/octet-stream", "binary/octet-stream", "application/ogg"),
        *(
            "application/zip",
            "application/x-zip-compressed",
            "application/x-tar",
        ),  # archives, where they are taken
        *("application/gzip", "application/x-gzip"),
    )
)
_URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class AudioRequest(Generic[P]):
    """The files and the validated parameters of a request. At least one file, unless the route needs none."""

    files: list[Upload]
    params: P


def audio_request(
    params: type[P], *, files_required: bool = True, file_field: str = "audio"
) -> Callable[..., Awaitable[AudioRequest[P]]]:
    """A dependency that reads both forms of body, and validates `params` from form fields and query.

    List fields of `params` may be repeated. If no file is required, the body may also be a form without
    files (`application/x-www-form-urlencoded`), or missing.

    Raises BadRequest, TooLarge, UnsupportedMedia or RequestValidationError.
    """

    async def read(request: Request, settings: SettingsDep, place: AdmissionDep) -> AudioRequest[P]:
        files, fields = await _read_body(request, settings, place, file_field, files_required)
        given = _merge(request.query_params.multi_items(), fields, params, file_field)
        if files_required and not files:
            raise no_audio(file_field)
        try:
            return AudioRequest(files, params.model_validate(given))
        except ValidationError as error:
            raise RequestValidationError([_placed(e, params) for e in error.errors()]) from None

    return read


def no_audio(file_field: str = "audio") -> BadRequest:
    """The error of a request without a file, where there has to be one."""
    return BadRequest(
        f"The request has no audio: add a file field {file_field!r}, for example -F "
        f"{file_field}=@recording.wav."
    )


def _placed(error: ErrorDetails, params: type[BaseModel]) -> dict[str, Any]:
    """An error of a parameter as the API reports it. For a missing one, adds its description."""
    message = error["msg"]
    if error["type"] == "missing":
        message += f": {params.model_fields[str(error['loc'][0])].description}"
    return {**error, "loc": ("parameters", *error["loc"]), "msg": message}


def audio_body(
    params: type[BaseModel],
    *,
    files_required: bool = True,
    file_field: str = "audio",
    several: bool = True,
    formats: str = _FORMATS,
    types: Sequence[str] = _DOCUMENTED_TYPES,
) -> dict[str, Any]:
    """The `openapi_extra` of a route with the same `audio_request`: all forms of body, all parameters.

    `several`: whether the route takes more than one file. `formats` and `types` are what a file may be.
    """
    schema = params.model_json_schema(ref_template=REFERENCE)
    properties: dict[str, Any] = schema.get("properties", {})
    required: list[str] = schema.get("required", [])
    file = {"type": "string", "format": "binary"}
    files = (
        {"type": "array", "items": file, "minItems": 1, "description": f"{formats}; repeatable."}
        if several
        else file | {"description": f"{formats}."}
    )
    form = {
        "$defs": schema.get("$defs", {}),  # `complete_document` moves them
        "type": "object",
        "properties": {file_field: files} | properties,
        "required": [*([file_field] if files_required else []), *required],
    }
    forms: dict[str, Any] = {_MULTIPART: {"schema": form}}
    if not files_required:
        forms[_URLENCODED] = {"schema": {"type": "object", "properties": properties, "required": required}}
    raw = {media: {"schema": {"type": "string", "format": "binary"}} for media in types}
    parameters = [
        {
            "name": name,
            "in": "query",
            "required": False,  # a multipart request gives it as a form field
            "schema": spec,
            "description": "Instead of a form field. " + spec.get("description", ""),
        }
        for name, spec in properties.items()
    ]
    extra: dict[str, Any] = {"requestBody": {"required": files_required, "content": forms | raw}}
    if parameters:
        extra["parameters"] = parameters
    return extra


async def _read_body(
    request: Request, settings: Settings, place: Place, file_field: str, files_required: bool
) -> tuple[list[Upload], Fields]:
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == _MULTIPART:
        require_utf8(content_type)
        return await read_multipart(
            request.headers,
            body_chunks(request, settings, place, limit=settings.max_bytes),
            file_field=file_field,
            max_files=settings.max_files,
            max_bytes=settings.max_bytes,
        )
    bare = not files_required and media_type in ("", _URLENCODED)
    limit = min(MAX_TEXT_BYTES, settings.max_bytes) if bare else settings.max_bytes
    body = b"".join([chunk async for chunk in body_chunks(request, settings, place, limit=limit)])
    named = media_type.startswith(_ANY_TYPES) or media_type in _BINARY_TYPES
    if not bare and not named and not looks_like_audio(body):
        bare_form = "" if files_required else f"parameters alone as {_URLENCODED}, "
        raise UnsupportedMedia(
            f"Content-Type {media_type or '(none)'!r} is not supported, and the body is "
            f"{what_came(body) if body else 'empty'}. Send {bare_form}multipart/form-data with a file field "
            f"{file_field!r}, or the recording itself as {', '.join(_DOCUMENTED_TYPES)}."
        )
    if not bare or looks_like_audio(body):  # curl's --data-binary names every body a form
        return [Upload(None, body)], []
    if body and not media_type:
        raise UnsupportedMedia("The body has no Content-Type: add one, for example audio/wav.")
    require_utf8(content_type)
    return [], read_pairs(body)


def _merge(query: Fields, form: Fields, params: type[BaseModel], file_field: str) -> dict[str, Any]:
    """Parameters by name. Form fields override query parameters. Only lists may be repeated."""
    repeatable = {name for name, field in params.model_fields.items() if get_origin(field.annotation) is list}
    given: dict[str, Any] = {}
    for fields in (query, form):
        seen: set[str] = set()
        if file_field in dict(fields):
            raise BadRequest(
                f"{file_field!r} must be a file, not text. "
                f"With curl: -F {file_field}=@recording.wav (mind the @)."
            )
        require_known(dict(fields), params.model_fields)
        for name, value in fields:
            if name in seen:
                raise BadRequest(f"Field {name!r} is given more than once.")
            if name not in repeatable:
                seen.add(name)
                given[name] = value
    for name in repeatable:
        values = [value for other, value in [*query, *form] if other == name]
        if values:
            given[name] = values
    return given
