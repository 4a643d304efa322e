"""Audio requests in both forms: `multipart/form-data`, or the recording itself as the body.

Limits are checked while the body is read: an endless body is refused at the first byte too many.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.api.deps import AdmissionDep, SettingsDep
from service.audio.decoder import Upload
from service.errors import BadRequest, TooLarge, UnsupportedMedia
from service.settings import Settings

P = TypeVar("P", bound=BaseModel)
Fields = list[tuple[str, str]]  # name and value, in the order of the request

_DOCUMENTED_TYPES = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "application/octet-stream")
# Clients and browsers use other names for the same formats.
_RAW_TYPES = frozenset(
    (
        *_DOCUMENTED_TYPES,
        "audio/x-wav",
        "audio/wave",
        "audio/vnd.wave",
        "audio/x-flac",
        "audio/opus",
        "audio/mp3",
        "application/ogg",
    )
)
_URLENCODED = "application/x-www-form-urlencoded"
_MAX_FIELDS = 64


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

    async def read(request: Request, settings: SettingsDep, _: AdmissionDep) -> AudioRequest[P]:
        try:
            async with asyncio.timeout(settings.upload_timeout_s):
                files, fields = await _read_body(request, settings, file_field, files_required)
        except TimeoutError:
            request.state.body_given_up = True
            raise BadRequest(
                f"The body did not arrive within {settings.upload_timeout_s:g} s. "
                "Send it faster, or send fewer or shorter files."
            ) from None
        given = _merge(request.query_params.multi_items(), fields, params, file_field)
        if files_required and not files:
            raise BadRequest(
                f"The request has no audio: add a file field {file_field!r}, for example "
                f"-F {file_field}=@recording.wav."
            )
        try:
            return AudioRequest(files, params.model_validate(given))
        except ValidationError as error:
            raise RequestValidationError([_placed(e, params) for e in error.errors()]) from None

    return read


def _placed(error: ErrorDetails, params: type[BaseModel]) -> dict[str, Any]:
    """An error of a parameter as the API reports it. For a missing one, adds its description."""
    message = error["msg"]
    if error["type"] == "missing":
        message += f": {params.model_fields[str(error['loc'][0])].description}"
    return {**error, "loc": ("parameters", *error["loc"]), "msg": message}


def audio_body(
    params: type[BaseModel], *, files_required: bool = True, file_field: str = "audio", several: bool = True
) -> dict[str, Any]:
    """The `openapi_extra` of a route with the same `audio_request`: all forms of body, all parameters.

    `several`: whether the route takes more than one file.
    """
    schema = params.model_json_schema()
    properties: dict[str, Any] = schema.get("properties", {})
    required: list[str] = schema.get("required", [])
    file = {"type": "string", "format": "binary"}
    formats = "WAV, FLAC, Ogg (Vorbis, Opus) or MP3, 8 kHz or more"
    files = (
        {"type": "array", "items": file, "minItems": 1, "description": f"{formats}; repeatable."}
        if several
        else file | {"description": f"{formats}."}
    )
    form = {
        "type": "object",
        "properties": {file_field: files} | properties,
        "required": [*([file_field] if files_required else []), *required],
    }
    forms: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    if not files_required:
        forms[_URLENCODED] = {"schema": {"type": "object", "properties": properties, "required": required}}
    raw = {media: {"schema": {"type": "string", "format": "binary"}} for media in _DOCUMENTED_TYPES}
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
    request: Request, settings: Settings, file_field: str, files_required: bool
) -> tuple[list[Upload], Fields]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return await _read_form(request, settings, file_field)
    bare = not files_required and media_type in ("", _URLENCODED)
    if not bare and media_type not in _RAW_TYPES:
        bare_form = "" if files_required else f"parameters alone as {_URLENCODED}, "
        raise UnsupportedMedia(
            f"Content-Type {media_type or '(none)'!r} is not supported. Send {bare_form}multipart/form-data "
            f"with a file field {file_field!r}, or the recording itself as {', '.join(_DOCUMENTED_TYPES)}."
        )
    body = b"".join([chunk async for chunk in _counted(request, settings.max_bytes)])
    if not bare:
        return [Upload(None, body)], []
    if body and not media_type:
        raise UnsupportedMedia("The body has no Content-Type: add one, for example audio/wav.")
    return [], _read_pairs(body)


def _read_pairs(body: bytes) -> Fields:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(
            f"The form cannot be read: {error}. If the body is a recording, add its Content-Type, for "
            "example audio/wav."
        ) from None


async def _counted(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks. Raises TooLarge as soon as the body is known to exceed `limit` bytes."""
    too_large = TooLarge(
        f"The body is larger than {limit} bytes (TWOFOLD_MAX_BYTES). Send a shorter or compressed recording.",
        max_bytes=limit,
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        request.state.body_given_up = True
        raise too_large
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            request.state.body_given_up = True
            raise too_large
        yield chunk


async def _read_form(request: Request, settings: Settings, file_field: str) -> tuple[list[Upload], Fields]:
    # Starlette's own parser, on a stream that counts: `request.form()` has no limit on bytes.
    parser = _WholeForm(
        request.headers,
        _counted(request, settings.max_bytes),
        max_files=settings.max_files,
        max_fields=_MAX_FIELDS,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise TooLarge(f"{error.message} Send fewer files.", max_files=settings.max_files) from None
        raise BadRequest(f"The multipart body cannot be read: {error.message}") from None
    except UnicodeError as error:  # the request names a charset that does not fit
        raise BadRequest(f"The multipart body's text cannot be read: {error}") from None
    try:
        if not parser.ended:
            raise BadRequest("The multipart body ends before its last boundary: send all of it.")
        return await _form_parts(form, file_field)
    finally:
        await form.close()


class _WholeForm(MultiPartParser):
    """Starlette's parser, which does not report a body that was cut off: it drops the last part."""

    ended = False

    def on_end(self) -> None:
        """The last boundary was read."""
        self.ended = True


async def _form_parts(form: FormData, file_field: str) -> tuple[list[Upload], Fields]:
    files: list[Upload] = []
    fields: Fields = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != file_field:
                raise BadRequest(f"File field {name!r} is unknown: the file field is named {file_field!r}.")
            files.append(Upload(value.filename, await value.read()))
        else:
            fields.append((name, value))
    return files, fields


def _merge(query: Fields, form: Fields, params: type[BaseModel], file_field: str) -> dict[str, Any]:
    """Parameters by name. Form fields override query parameters. Only lists may be repeated."""
    repeatable = {name for name, field in params.model_fields.items() if get_origin(field.annotation) is list}
    given: dict[str, Any] = {}
    for fields in (query, form):
        seen: set[str] = set()
        for name, value in fields:
            if name == file_field:
                raise BadRequest(
                    f"{name!r} must be a file, not text. With curl: -F {name}=@recording.wav (mind the @)."
                )
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
