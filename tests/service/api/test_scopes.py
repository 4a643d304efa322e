"""Keys with scopes, in a file that a running service follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from fastapi.routing import APIWebSocketRoute
from typer.testing import CliRunner

from service.api.scopes import OPENED_BY
from service.app import STREAM_ROUTERS, create_app
from service.cli import app
from service.keys import SCOPES, KeyRing, KeysFileError, Scope, read_keys
from service.settings import Settings
from tests.service.conftest import StartService

OPEN = {"/healthz", "/readyz", "/metrics"}


def keys(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments, "--file", str(file)])


def new_key(file: Path, *scopes: str) -> str:
    """The text of a new key."""
    result = keys(file, "new", *(part for scope in scopes for part in ("--scope", scope)))
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def by_scope(keys_file: Path) -> dict[Scope, str]:
    """A key for each scope."""
    return {scope: new_key(keys_file, scope) for scope in SCOPES}


@pytest.fixture(scope="module")
def http(
    start_service: StartService, tiny_models: Path, keys_file: Path, by_scope: dict[Scope, str]
) -> Iterator[httpx.Client]:
    assert by_scope
    service = start_service(tiny_models, keys_file=keys_file)
    with service.client() as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_every_call_has_its_scopes() -> None:
    document = create_app(Settings()).openapi()
    calls = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if path not in OPEN
    }
    routes = [route for router in STREAM_ROUTERS for route in router.routes]
    streams = {("WS", route.path) for route in routes if isinstance(route, APIWebSocketRoute)}
    assert len(streams) == len(routes)
    assert not (calls | streams) - OPENED_BY.keys(), "service/api/scopes.py lists who may call what"


def test_a_key_opens_what_its_scope_says_and_nothing_else(
    http: httpx.Client, by_scope: dict[Scope, str]
) -> None:
    document = http.get("/openapi.json").json()["paths"]
    for (method, path), scopes in OPENED_BY.items():
        if method.lower() not in document.get(path, {}):
            continue
        url = path.format(
            speaker_id="nobody", job_id="nothing", version="nowhere", name="none", number=1, collection="none"
        )
        for scope, key in by_scope.items():
            answer = http.request(method, url, headers=bearer(key))
            assert (answer.status_code != 403) == (scope in scopes), (method, path, scope, answer.text)
            if answer.status_code == 403:
                assert answer.json()["code"] == "forbidden"
                assert scopes[0] in answer.json()["detail"]


def test_a_threshold_is_stored_by_those_who_may_enrol(
    http: httpx.Client, by_scope: dict[Scope, str], keys_file: Path, examples: Path
) -> None:
    readers = [path for path in sorted((examples / "audio").iterdir()) if path.is_dir()][:2]
    clips = [clip for reader in readers for clip in sorted(reader.iterdir())[:2]]
    files = [("audio", (clip.name, clip.read_bytes())) for clip in clips]
    form = {"speaker": [clip.parent.name for clip in clips], "collection": "staff"}
    both = new_key(keys_file, "identify", "enrol")
    refused = http.post("/calibrate", data=form, files=files, headers=bearer(by_scope["identify"]))
    assert (refused.status_code, "the scope enrol" in refused.json()["detail"]) == (403, True)
    assert http.post("/calibrate", data=form, files=files, headers=bearer(both)).status_code == 200
    (stored,) = http.get("/thresholds", headers=bearer(by_scope["read"])).json()["thresholds"]
    assert stored["collection"] == "staff"


def test_a_running_service_follows_the_file(http: httpx.Client, keys_file: Path) -> None:
    assert http.get("/models").status_code == 401
    key = new_key(keys_file)  # without a scope it has all
    assert http.get("/models", headers=bearer(key)).status_code == 200
    key_id = read_keys(keys_file)[-1].key_id
    assert key_id in keys(keys_file, "list").stdout
    assert keys(keys_file, "revoke", key_id).exit_code == 0
    assert http.get("/models", headers=bearer(key)).status_code == 403


def test_the_file_holds_no_key_and_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = new_key(file, "identify")
    assert len(key) > 40
    assert key not in file.read_text()
    assert key not in keys(file, "list").stdout
    assert file.stat().st_mode & 0o077 == 0


def test_a_damaged_file_locks_nobody_out_and_lets_nobody_in(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = new_key(file)
    ring = KeyRing((), file)
    for damage in ('[{"sha256": "short"}]', "[", ""):
        file.write_text(damage)
        assert ring.find(key) is not None
        assert ring.find("another") is None
    file.unlink()
    assert ring.find(key) is not None
    file.write_text("[]")
    assert ring.find(key) is None
    assert ring.locked


@pytest.mark.parametrize("text", [None, "", "[", "{}", '[{"sha256": "x"}]', '[{"secret": "x"}]'])
def test_the_service_does_not_start_without_its_file(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "keys.json"
    if text is not None:
        file.write_text(text)
    result = CliRunner().invoke(app, ["serve"], env={"TWOFOLD_KEYS_FILE": str(file)})
    assert result.exit_code == 2
    assert "TWOFOLD_KEYS_FILE" in result.stderr
    with pytest.raises(KeysFileError):
        KeyRing((), file)


def test_mistakes_at_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    assert keys(file, "new", "--scope", "everything").exit_code == 2
    assert keys(file, "list").exit_code == 2
    new_key(file)
    assert "has no key" in keys(file, "revoke", "ffffffffffff").stderr
    without = CliRunner().invoke(app, ["keys", "list"], env={"TWOFOLD_KEYS_FILE": ""})
    assert "--file" in without.stderr
