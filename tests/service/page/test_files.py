"""The page without a browser: what it weighs, what it may load, what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from service.page import files, home_page
from service.settings import Settings
from tests.service.conftest import WriteBundle
from tests.service.in_process import serving

STATIC = Path(files.__file__).parent / "static"
MOST_BYTES = 300_000
KEY = re.compile(r'^  "([\w.]+)":\s', re.MULTILINE)


def keys(language: str) -> list[str]:
    return KEY.findall((STATIC / f"texts/{language}.js").read_text())


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) < MOST_BYTES


def test_every_text_that_is_used_is_there_in_both_languages() -> None:
    assert keys("en") == keys("de")
    source = "\n".join(path.read_text() for path in STATIC.rglob("*.js") if "texts" not in path.parts)
    used = re.findall(r"""\bt\(\s*"([\w.]+)\"""", source)
    assert used
    assert set(used) <= set(keys("en"))


def test_a_file_says_what_it_may_load(http: httpx.Client) -> None:
    home = http.get("/")
    assert home.headers["content-type"] == "text/html; charset=utf-8"
    script = http.get("/page/app.js")
    assert "javascript" in script.headers["content-type"]
    for answer in (home, script):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
    assert http.get("/page/app.js", headers={"If-None-Match": script.headers["etag"]}).status_code == 304
    assert http.get("/page/..%2f__init__.py").status_code == 404


def test_the_page_knows_its_place() -> None:
    settings = Settings(api_keys="a-secret-of-the-operator", min_speech_enrol_s=3)
    text = bytes(home_page(settings, '/two"fold').body).decode()
    assert '<base href="/two&quot;fold/">' in text
    facts = json.loads(re.findall(r'id="facts">(.*?)</script>', text)[0])
    assert facts["needs_key"]
    assert facts["enrol_s"] == 3
    assert "a-secret" not in text


@pytest.fixture
def without_page(tmp_path: Path, write_bundle: WriteBundle) -> Settings:
    write_bundle(tmp_path / "models", "0.1.0")
    return Settings(models_dir=tmp_path / "models", state_dir=tmp_path / "state", page=False)


def test_it_can_be_turned_off(without_page: Settings) -> None:
    with serving(without_page) as http:
        home = http.get("/")
        assert (home.status_code, home.headers["location"]) == (307, "/docs")
        assert http.get("/page/app.js").status_code == 404
