"""C1 to C4 and C18: what a request may say, and where it may come from."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.conftest import RunningService, StartService

MULTIPART = "multipart/form-data; boundary=B"
BLINK_S = 2.0  # the faults took 5 to 58 s


def part(disposition: bytes, body: bytes = b"x") -> bytes:
    return b"--B\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + body + b"\r\n"


@pytest.mark.parametrize(
    ("path", "wrong", "meant"),
    [
        ("/identify", {"target_fp": "0.5"}, "target_fpr"),
        ("/identify", {"threshhold": "0.1"}, "threshold"),
        ("/verify", {"speaker_ids": "ann", "speaker_id": "ann"}, "speaker_id"),
        ("/embed", {"segment": "true"}, "segments"),
        ("/content", {"segments": "true"}, None),
        ("/speakers", {"speaker": "ann"}, "speaker_id"),
        ("/finetune", {"step": "1"}, "steps"),
    ],
)
def test_c1_a_misspelt_parameter_is_named(
    http: httpx.Client, speech: bytes, path: str, wrong: dict[str, str], meant: str | None
) -> None:
    before = http.get("/speakers").json()["total"]
    in_form = http.post(path, files={"audio": ("a", speech)}, data=wrong)
    in_query = http.post(path, params=wrong, content=speech, headers={"Content-Type": "audio/ogg"})
    for answer in (in_form, in_query):
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), answer.text
        (error,) = answer.json()["errors"]
        assert error["loc"] == ["parameters", next(iter(wrong))]
        assert meant is None or repr(meant) in error["msg"]
    assert http.get("/speakers").json()["total"] == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/speakers?limits=5"),
        ("DELETE", "/speakers/ann?force=true"),
        ("GET", "/finetune?page=2"),
        ("GET", "/models?active=true"),
        ("POST", "/models/0.1.0/activate?dry_run=true"),
        ("GET", "/generate/labels?x="),
        ("GET", "/readyz?verbose=1"),
    ],
)
def test_c1_no_call_ignores_a_parameter(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert path.partition("?")[2].partition("=")[0] in answer.json()["detail"]


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": ""},
    {"Origin": "http://localhost:3000"},  # another program's page on this machine
    {"Host": "evil.example:8000"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
    {"Host": "10.0.0.1"},
    {"Host": ""},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_c2_a_foreign_page_neither_enrols_nor_lists_nor_erases(
    http: httpx.Client, speech: bytes, headers: dict[str, str]
) -> None:
    before = http.get("/speakers").json()["total"]
    answers = [
        http.post("/speakers", files={"audio": ("a", speech)}, data={"speaker_id": "eve"}, headers=headers),
        http.get("/speakers", headers=headers),
        http.delete("/speakers/eve", headers=headers),
        http.get("/docs", headers=headers),
        http.options("/speakers", headers=headers | {"Access-Control-Request-Method": "DELETE"}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_origin"), answer.text
        assert "access-control-allow-origin" not in answer.headers
    assert http.get("/speakers").json()["total"] == before


def test_c2_the_service_itself_and_its_own_pages_are_let_in(http: httpx.Client) -> None:
    port = http.base_url.port
    for host in (f"localhost:{port}", "LOCALHOST", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert http.get("/speakers", headers={"Host": host}).status_code == 200
        same_page = {"Host": host, "Origin": f"http://{host.lower()}"}
        assert http.get("/speakers", headers=same_page).status_code == 200
    assert http.get("/healthz", headers={"Host": "10.0.0.1:8000"}).status_code == 200  # a balancer's probe


@pytest.fixture(scope="module")
def proxied(start_service: StartService, tiny_models: Path) -> RunningService:
    """Behind a proxy at https://voices.example/twofold, without keys, called by a page elsewhere."""
    return start_service(
        tiny_models,
        host="0.0.0.0",
        insecure=1,
        root_path="/twofold",
        trusted_hosts="voices.example",
        cors_origins="https://app.example",
    )


@pytest.fixture
def public(proxied: RunningService) -> Iterator[httpx.Client]:
    with proxied.client() as client:
        client.headers["Host"] = "voices.example"
        yield client


def test_c2_settings_widen_it(public: httpx.Client) -> None:
    assert public.get("/speakers").status_code == 200
    assert public.get("/speakers", headers={"Host": "192.0.2.7:8000"}).status_code == 200  # as itself
    assert public.get("/speakers", headers={"Host": "other.example"}).status_code == 403
    assert public.get("/speakers", headers={"Origin": "https://other.example"}).status_code == 403


def test_c18_pages_of_listed_origins_may_call(public: httpx.Client) -> None:
    origin = {"Origin": "https://app.example"}
    preflight = public.options(
        "/speakers/ann",
        headers=origin
        | {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"},
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    answer = public.delete("/speakers/ann", headers=origin)
    assert answer.status_code == 404
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


def test_c18_a_prefix_is_kept(public: httpx.Client, speech: bytes) -> None:
    document = public.get("/openapi.json").json()
    assert document["servers"] == [{"url": "/twofold"}]
    assert '<base href="/twofold/">' in public.get("/").text
    assert '"/twofold/openapi.json"' in public.get("/docs").text.replace("'", '"')
    answer = public.post("/speakers", files={"audio": ("a", speech)}, data={"speaker_id": "ann"})
    assert answer.headers["location"] == "/twofold/speakers/ann"
    assert public.delete("/speakers/ann").status_code == 204


def test_c18_the_pages_load_nothing_from_elsewhere(http: httpx.Client) -> None:
    for page in ("/", "/docs", "/redoc"):
        text = http.get(page).text.replace('<base href="/">', "")
        loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']""", text)
        assert loaded
        for path in loaded:
            assert "//" not in path, path
            assert http.get(f"/{path.removeprefix('/')}").status_code == 200


def test_c3_a_form_bomb_is_refused_at_once(http: httpx.Client) -> None:
    bombs = [
        ("application/x-www-form-urlencoded", b"label=" + b"%41" * (16 * 2**20 // 3)),
        (MULTIPART, part(b'name="label"', b"x" * 2**19) + b"--B--\r\n"),
        (MULTIPART, part(b'name="label"', b"x" * 2**13) * 60 + b"--B--\r\n"),
    ]
    for content_type, body in bombs:
        started = time.monotonic()
        answer = http.post("/generate", content=body, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert time.monotonic() - started < BLINK_S


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "utf-16", "latin-1", "rot13", "zlib", "?"])
def test_c3_only_utf_8_is_taken(http: httpx.Client, charset: str) -> None:
    form = part(b'name="label"', b"x" * 200_000) + b"--B--\r\n"
    for content_type, body in ((MULTIPART, form), ("application/x-www-form-urlencoded", b"label=x")):
        headers = {"Content-Type": f"{content_type}; charset={charset}"}
        started = time.monotonic()
        answer = http.post("/generate", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")
        assert time.monotonic() - started < BLINK_S


@pytest.mark.parametrize("charset", ["", "unicode_escape", "raw_unicode_escape", "utf-7", "UTF-8"])
@pytest.mark.parametrize(
    "field",
    [
        part(rb'name="audio"; filename="\ud800.wav"'),
        part(rb"""name="audio"; filename*=unicode_escape''%5Cud800.wav; filename="a.wav" """),
        part(b'name="audio"; filename="\xed\xa0\x80.wav"'),
        part(b'name="speaker_ids"', rb"\ud800"),
        part(b'name="speaker_ids"', b"\xed\xa0\x80"),
        part(b'name="metadata"', rb'{"a": "\ud800"}'),
        part(b'name="\xed\xa0\x80"'),
        part(rb'name="\ud800"', b"x"),
    ],
)
def test_c4_no_text_breaks_an_answer(http: httpx.Client, field: bytes, charset: str) -> None:
    content_type = f"{MULTIPART}; charset={charset}" if charset else MULTIPART
    body = field + b"--B--\r\n"
    for path in ("/embed", "/speakers", "/finetune"):
        answer = http.post(path, content=body, headers={"Content-Type": content_type})
        assert 400 <= answer.status_code < 500, (path, answer.text)
        assert answer.json()["code"]
