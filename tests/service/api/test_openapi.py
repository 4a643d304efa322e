"""The document as programs read it: names, examples, and what generators make of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from service.api.openapi import EXAMPLES, TAGS, operations
from service.app import create_app
from service.settings import Settings

#: Tells users what to tell the generator: which bodies are bytes for a client, whatever they hold.
CLIENTS = Path(__file__).parents[3] / "docs" / "clients.md"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def by_id(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {operation["operationId"]: operation for _, _, operation in operations(document)}


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request looks up its parameters in it."""
    app = create_app(Settings())
    first = app.openapi()
    monkeypatch.setattr("service.api.openapi.operations", None)
    assert app.openapi() is first


def test_calls_have_short_names_and_one_known_tag(document: dict[str, Any]) -> None:
    named = by_id(document)
    assert len(named) == sum(1 for _ in operations(document))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)?", name) for name in named)
    assert [tag["name"] for tag in document["tags"]] == [tag["name"] for tag in TAGS]
    used = [tag for operation in named.values() for tag in operation["tags"]]
    assert len(used) == len(named)
    assert set(used) == {tag["name"] for tag in TAGS}


def test_every_call_has_an_example_that_fits(document: dict[str, Any]) -> None:
    named = by_id(document)
    assert named.keys() == json.loads(EXAMPLES.read_text()).keys()
    for name, operation in named.items():
        (sample,) = operation["x-codeSamples"]
        for field in re.findall(r"-F (\w+)=", sample["source"]):
            form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
            assert field in form["properties"], name
        answers = [
            response["content"].get("application/json")
            for code, response in operation["responses"].items()
            if code.startswith("2") and "content" in response
        ]
        if answers and (answer := answers[0]):
            schema = answer["schema"] | {"components": document["components"]}
            jsonschema_rs.validate(schema, answer["example"])


def test_a_python_client_is_generated_without_a_warning(document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (written,) = re.findall(r"```yaml\n(.*?)```", CLIENTS.read_text(), flags=re.DOTALL)
    options = ConfigFile(post_hooks=[], **yaml.safe_load(written))
    client = tmp_path / "client"
    errors = generate(
        config=Config.from_sources(
            options, MetaType.NONE, tmp_path / "openapi.json", "utf-8", overwrite=False, output_path=client
        )
    )
    assert [f"{error.header} {error.detail}" for error in errors] == []
    generated = {path.stem for path in client.glob("api/*/*.py")} - {"__init__"}
    assert generated == by_id(document).keys()


def test_types_for_typescript_are_generated_without_a_warning(
    document: dict[str, Any], tmp_path: Path
) -> None:
    """openapi-typescript comes from npm: `make test` installs it where there is npm."""
    program = shutil.which("openapi-typescript", path=str(Path(sys.prefix) / "npm" / "bin"))
    if program is None:
        pytest.skip("openapi-typescript is not installed (npm install): this test needs it")
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    command = [program, "openapi.json", "--output", "api.ts"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    types = (tmp_path / "api.ts").read_text()
    assert all(f"{name}: {{" in types for name in by_id(document))
