"""/speakers over a real service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests.service.conftest import StartService, TinyModel

FIELDS = {"speaker_id", "name", "speech_s", "utterances", "quality", "model", "created_at"}
Enrol = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def own_service(start_service: StartService, tiny_model: TinyModel) -> Any:
    return start_service(tiny_model.path)


@pytest.fixture
def http(own_service: Any) -> Iterator[httpx.Client]:
    """A client of a service whose gallery is empty."""
    with own_service.client() as client:
        yield client
        for speaker in client.get("/speakers").json()["speakers"]:
            client.delete(f"/speakers/{speaker['speaker_id']}")


@pytest.fixture
def enrol(http: httpx.Client) -> Enrol:
    def post(audio: Sequence[bytes], path: str = "/speakers", **form: str) -> httpx.Response:
        return http.post(path, data=form, files=[("audio", (f"{i}.opus", a)) for i, a in enumerate(audio)])

    return post


def is_problem(answer: httpx.Response, status: int, code: str) -> bool:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    return (answer.status_code, answer.json()["code"]) == (status, code)


def test_enrols_shows_adds_and_erases(
    http: httpx.Client, enrol: Enrol, tiny_model: TinyModel, voices: Any
) -> None:
    created = enrol(voices[0].enrol, speaker_id="ada", name="Ada", metadata='{"team": "blue"}')
    assert created.status_code == 201, created.text
    assert created.headers["location"] == "/speakers/ada"
    body = created.json()
    assert body.keys() >= FIELDS
    assert (body["speaker_id"], body["name"], body["metadata"]) == ("ada", "Ada", {"team": "blue"})
    assert body["utterances"] == len(voices[0].enrol)
    assert body["speech_s"] > 5
    assert body["quality"].keys() == {"cohesion", "snr_db", "ok", "advice", "issues"}
    assert -1 <= body["quality"]["cohesion"] <= 1
    assert body["model"] == tiny_model.id
    assert (body["stale"], body["audio_retained"]) == (False, False)
    assert len(body.pop("feedback")) == len(voices[0].enrol)
    (measured,) = {audio["codec"] for audio in body.pop("audio")}
    assert measured == "opus"
    assert http.get("/speakers/ada").json() == body

    added = enrol([voices[0].probe], "/speakers/ada/audio")
    assert added.status_code == 200, added.text
    assert added.json()["utterances"] == body["utterances"] + 1
    assert added.json()["speech_s"] > body["speech_s"]
    assert added.json()["created_at"] == body["created_at"]

    assert http.delete("/speakers/ada").status_code == 204
    assert is_problem(http.get("/speakers/ada"), 404, "not_found")
    assert is_problem(http.delete("/speakers/ada"), 404, "not_found")
    assert is_problem(enrol([voices[0].probe], "/speakers/ada/audio"), 404, "not_found")


def test_raw_body_and_made_up_id(http: httpx.Client, voices: Any) -> None:
    answer = http.post(
        "/speakers",
        params={"name": "Bob", "retain_audio": "true"},
        content=voices[1].probe,
        headers={"Content-Type": "audio/ogg"},
    )
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["name"], body["audio_retained"], body["metadata"]) == ("Bob", True, {})
    assert [audio["bandwidth_hz"] for audio in body.pop("audio")] == [8000]
    assert len(body.pop("feedback")) == 1  # which one depends on what a tiny model hears
    assert http.get(f"/speakers/{body['speaker_id']}").json() == body


def test_taken_id_says_what_to_do(enrol: Enrol, voices: Any) -> None:
    assert enrol([voices[0].probe], speaker_id="ada").status_code == 201
    again = enrol([voices[1].probe], speaker_id="ada")
    assert is_problem(again, 409, "conflict")
    assert "POST /speakers/ada/audio" in again.json()["detail"]


def test_list_is_paged(http: httpx.Client, enrol: Enrol, voices: Any) -> None:
    assert http.get("/speakers").json() == {"speakers": [], "next_cursor": None, "total": 0}
    ids = ["d", "a", "c", "b", "e"]
    for speaker_id in ids:
        assert enrol([voices[0].probe], speaker_id=speaker_id).status_code == 201
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = http.get("/speakers", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [speaker["speaker_id"] for speaker in page["speakers"]]
        cursor, pages = page["next_cursor"], pages + 1
        assert page["total"] == 5
    assert (seen, pages) == (sorted(ids), 3)
    assert page["speakers"][0].keys() >= FIELDS


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"limit": "0"}, 422, "validation_error"),
        ({"limit": "1001"}, 422, "validation_error"),
        ({"cursor": "%%%"}, 400, "bad_request"),
        ({"cursor": "é"}, 400, "bad_request"),
        ({"cursor": "_w=="}, 400, "bad_request"),
    ],
)
def test_odd_pages(http: httpx.Client, params: dict[str, str], status: int, code: str) -> None:
    assert is_problem(http.get("/speakers", params=params), status, code)


@pytest.mark.parametrize(
    "form",
    [
        {"speaker_id": ""},
        {"speaker_id": "../etc"},
        {"speaker_id": ".."},
        {"speaker_id": "a b"},
        {"speaker_id": "a\n"},
        {"speaker_id": "x" * 129},
        {"name": "x" * 201},
        {"metadata": "not json"},
        {"metadata": "[1]"},
        {"metadata": '{"a": NaN}'},
        {"metadata": '{"a": 1e999}'},
        {"metadata": '{"a": "\\ud800"}'},
        {"metadata": '{"a":' * 2000 + "1" + "}" * 2000},
        {"metadata": '{"a": ' + "9" * 5000 + "}"},
        {"metadata": json.dumps({"a": "x" * 20_000})},
        {"retain_audio": "perhaps"},
    ],
    ids=lambda form: str(form)[:40],
)
def test_odd_parameters_store_nothing(
    http: httpx.Client, enrol: Enrol, voices: Any, form: dict[str, str]
) -> None:
    answer = enrol([voices[0].probe], **form)
    assert is_problem(answer, 422, "validation_error")
    assert next(iter(form)) in answer.json()["detail"]
    assert http.get("/speakers").json()["total"] == 0


def test_too_little_speech(http: httpx.Client, enrol: Enrol, voices: Any) -> None:
    short = voices[0].short
    answer = enrol([short], speaker_id="ada")
    assert is_problem(answer, 422, "insufficient_speech")
    assert answer.json()["speech_s"] < answer.json()["required_s"] == 5
    assert http.get("/speakers").json()["total"] == 0
    again = enrol([short] * 4, speaker_id="ada")  # counts once
    assert is_problem(again, 422, "insufficient_speech")
    assert again.json()["speech_s"] == answer.json()["speech_s"]
    # The net speech of all files counts together.
    assert enrol([voice.short for voice in voices[:4]], speaker_id="ada").status_code == 201


def test_one_bad_file_among_good_ones_stores_nothing(http: httpx.Client, enrol: Enrol, voices: Any) -> None:
    answer = enrol([*voices[0].enrol, b"not audio"], speaker_id="ada")
    assert answer.status_code in (415, 422)
    assert http.get("/speakers").json()["total"] == 0


def test_changes_a_name_and_nothing_else(http: httpx.Client, enrol: Enrol, voices: Any) -> None:
    enrol([voices[0].probe], speaker_id="ada", name="Ada", metadata='{"team": "blue"}')
    before = http.get("/speakers/ada").json()
    renamed = http.patch("/speakers/ada", json={"name": "Ada L"})
    assert renamed.status_code == 200, renamed.text
    assert renamed.json() == http.get("/speakers/ada").json() == before | {"name": "Ada L"}
    candidates = http.post("/identify", files={"audio": ("a.opus", voices[0].probe)}).json()["candidates"]
    assert [c["name"] for c in candidates] == ["Ada L"]
    cleared = http.patch("/speakers/ada", json={"name": None, "metadata": {}}).json()
    assert (cleared["name"], cleared["metadata"]) == (None, {})
    assert is_problem(http.patch("/speakers/nobody", json={"name": "x"}), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"nmae": "x"}', "nmae"),
        ('{"name": 3}', "name"),
        ('{"metadata": null}', "metadata"),
        ('{"name": "\\ud800"}', "JSON"),
        ("[]", "parameters"),
        ("", "JSON"),
        (json.dumps({"metadata": {"a": "x" * 20_000}}), "metadata"),
    ],
    ids=lambda value: value[:20],
)
def test_odd_changes_change_nothing(
    http: httpx.Client, enrol: Enrol, voices: Any, body: str, words: str
) -> None:
    enrol([voices[0].probe], speaker_id="ada", name="Ada")
    headers = {"content-type": "application/json"}
    answer = http.patch("/speakers/ada", content=body, headers=headers)
    assert is_problem(answer, 422, "validation_error")
    assert words in answer.json()["detail"]
    assert http.get("/speakers/ada").json()["name"] == "Ada"


def test_changes_are_json(http: httpx.Client) -> None:
    assert is_problem(http.patch("/speakers/ada", data={"name": "x"}), 415, "unsupported_media")
    assert is_problem(http.patch("/speakers/ada?name=x", json={}), 422, "validation_error")


def test_recordings_are_listed_played_back_and_removed(http: httpx.Client, enrol: Enrol, voices: Any) -> None:
    enrol([voices[0].probe], speaker_id="ada", retain_audio="true")
    enrol(voices[0].enrol[:1], "/speakers/ada/audio")
    url = "/speakers/ada/recordings"
    first, second = http.get(url).json()["recordings"]
    assert (first["recording"], first["audio_retained"], first["stale"]) == (1, True, False)
    assert (second["recording"], second["audio_retained"]) == (2, False)
    played = http.get(f"{url}/1")
    assert (played.status_code, played.headers["content-type"]) == (200, "audio/ogg")
    embedded = http.post("/embed", files={"audio": ("a.ogg", played.content)}).json()
    assert embedded["results"][0]["speech_s"] == pytest.approx(first["speech_s"], abs=0.3)
    assert is_problem(http.get(f"{url}/2"), 404, "not_found")
    assert http.delete(f"{url}/1").status_code == 204
    for answer in (http.delete(f"{url}/1"), http.get(f"{url}/1")):
        assert is_problem(answer, 404, "not_found")
        assert f"GET {url}" in answer.json()["detail"]
    (left,) = http.get(url).json()["recordings"]
    assert left == second
    assert http.get("/speakers/ada").json()["speech_s"] == second["speech_s"]
    assert is_problem(http.delete(f"{url}/2"), 409, "conflict")
    assert http.get("/erasures").json()["erasures"] == []
