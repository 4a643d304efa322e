"""The OpenAPI document against the running service: whatever is sent, only documented answers, no 500."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary

from service.app import create_app
from service.settings import Settings
from tests.service.conftest import StartService

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer(
    "audio/wav",
    "audio/flac",
    "audio/ogg",
    "audio/mpeg",
    "audio/mp4",
    "audio/webm",
    "audio/amr",
    "application/x-ndjson",
)
def raw_audio(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return serialize_binary(value)


# The document needs no running service, and pytest wants to know the operations before there is one.
schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi())


@pytest.fixture(scope="module")
def url(start_service: StartService, tiny_models: Path) -> str:
    return start_service(tiny_models).url


@schema.parametrize()
@hypothesis.settings(max_examples=20, deadline=None, derandomize=True)
def test_only_documented_answers(case: schemathesis.Case, url: str) -> None:
    case.call_and_validate(base_url=url, checks=CHECKS)
