"""API keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

KEYS = ("first-key-0123456789", "second-key-0123456789")


@pytest.fixture(scope="module")
def locked(start_service: Any, tiny_models: Path) -> Iterator[httpx.Client]:
    service = start_service(tiny_models, api_keys=",".join(KEYS))
    with service.client() as client:
        yield client
    service.stop()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_and_metrics_need_no_key(locked: httpx.Client, path: str) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize("key", KEYS)
def test_every_key_opens(locked: httpx.Client, key: str) -> None:
    assert locked.get("/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 401, "missing_key"),
        ("Basic abc", 401, "missing_key"),
        ("Bearer", 401, "missing_key"),
        ("Bearer wrong", 403, "forbidden"),
        (f"Bearer {KEYS[0]}x", 403, "forbidden"),
        ("Bearer sch\u00fcssel".encode("latin-1"), 403, "forbidden"),
    ],
)
@pytest.mark.parametrize("call", [("GET", "/models"), ("POST", "/embed"), ("POST", "/models/1/activate")])
def test_without_one_nothing_opens(
    locked: httpx.Client, call: tuple[str, str], header: str | bytes | None, status: int, code: str
) -> None:
    headers: dict[str, Any] = {"Authorization": header} if header else {}
    answer = locked.request(*call, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("www-authenticate" in answer.headers) == (status == 401)
