"""What a call sends, and how a connection that fails is told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx

from service.client.errors import ClientError, ServiceUnreachable

DEFAULT_URL = "http://127.0.0.1:8000"
#: A path, or the bytes of an audio file.
Recording: TypeAlias = str | os.PathLike[str] | bytes


def headers_of(key: str | None) -> dict[str, str]:
    """The headers of every call. Raises ClientError for a key that fits in no header."""
    if not key:
        return {}
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ClientError("A key has only ASCII characters that can be seen, and no spaces.")
    return {"Authorization": f"Bearer {key}"}


def url_part(text: str, *, folders: bool = False) -> str:
    """An id or a version as part of a path. `folders`: slashes stay."""
    return quote(text, safe="/" if folders else "")


def fields_of(parameters: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    """Parameters as text, without those that are None. A list or a tuple is one for each value."""
    return tuple(
        (name, _text(value))
        for name, given in (parameters or {}).items()
        for value in (given if isinstance(given, list | tuple) else [given])
        if value is not None
    )


def as_form(
    recordings: Sequence[Recording], file_field: str, form: Mapping[str, object], opened: ExitStack
) -> list[tuple[str, Any]]:
    """The parts of a multipart body, for httpx. Files are closed with `opened`. Raises ClientError."""
    fields = [(name, (None, text)) for name, text in fields_of(form)]
    return [*fields, *((file_field, _file(recording, opened)) for recording in recordings)]


def _file(recording: Recording, opened: ExitStack) -> tuple[str, Any]:
    if isinstance(recording, bytes):
        return "recording", recording
    path = Path(recording)
    try:
        return path.name, opened.enter_context(path.open("rb"))
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}.") from None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def said(url: str) -> Iterator[None]:
    """Tells a connection that fails as a ClientError."""
    try:
        yield
    except httpx.ConnectError:
        raise ServiceUnreachable(f"No service answers at {url}.") from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise ClientError(f"{url}: {error or type(error).__name__}") from None
