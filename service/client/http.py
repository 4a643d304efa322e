"""HTTP calls to a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from service.settings import Settings, fits_in_header

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # an address to listen on → an address to connect to


class ClientError(Exception):
    """A call failed. The message says why."""


class ServiceUnreachable(ClientError):
    """No service listens at the URL."""


class ServiceClient:
    """A method a call of the service. Raises ClientError."""

    def __init__(self, url: str, key: str | None = None, *, timeout_s: float = 300.0) -> None:
        if key and not fits_in_header(key):
            raise ClientError("A key has only ASCII characters that can be seen: check --key.")
        self._url = url
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s)

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: object) -> Any:
        """The JSON answer of a GET."""
        return self._call("GET", path, params={k: str(v) for k, v in params.items() if v is not None})

    def post(self, path: str) -> Any:
        """The JSON answer of a POST without a body."""
        return self._call("POST", path)

    def delete(self, path: str) -> None:
        """Sends a DELETE."""
        self._call("DELETE", path)

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Name and data of server-sent events, as they arrive. Ends with the stream."""
        with self._translated(), self._http.stream("GET", path) as answer:
            if not answer.is_success:
                answer.read()
                raise ClientError(_problem(answer))
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                if line.startswith("data:"):
                    yield name, json.loads(line.removeprefix("data:"))

    def send(
        self, path: str, recordings: Sequence[Path], *, file_field: str = "audio", **form: object
    ) -> Any:
        """The JSON answer of a POST of recordings, streamed from disk."""
        fields = [(name, (None, _text(value))) for name, value in form.items() if value is not None]
        with ExitStack() as stack:
            files = [(file_field, (path.name, stack.enter_context(path.open("rb")))) for path in recordings]
            multipart = [*fields, *files]  # also without recordings
            return self._call("POST", path, files=multipart, headers={"Accept": "application/json"})

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        with self._translated():
            answer = self._http.request(method, path, **kwargs)
        if not answer.is_success:
            raise ClientError(_problem(answer))
        return answer.json() if answer.content else None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError:
            raise ServiceUnreachable(
                f"No service answers at {self._url}. Start one with `python -m service serve`, "
                "or give its address with --url."
            ) from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ClientError(f"{self._url}: {error or type(error).__name__}") from None


def default_url(settings: Settings) -> str:
    """The URL of a service with these settings."""
    host = _WILDCARDS.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def speaker_path(speaker_id: str) -> str:
    """The path of a speaker, with any special characters of the id quoted."""
    return f"/speakers/{quote(speaker_id, safe='')}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(answer: httpx.Response) -> str:
    if answer.headers.get("content-type") == "application/problem+json":
        body = answer.json()
        return f"{body['detail']} ({body['status']} {body['code']})"
    return f"{answer.request.url} answered {answer.status_code}. Does Twofold listen there?"
