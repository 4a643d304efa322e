"""POST /generate, GET /generate/labels, and a generator beside the voice models."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import numpy as np
import pytest
import schemathesis
import soundfile

from benchmarks.fuzz.requests import CHECKS
from bundle.arrays import Float64
from service.app import create_app
from service.audio import encode_wav
from service.settings import Settings
from tests.service.conftest import StartService, WriteBundle, newest_shipped
from tests.service.generation.tiny_generator import (
    BIN_HZ,
    BINS_A_LABEL,
    FIRST_BIN,
    LABELS,
    SHIFT_BINS,
    write_generator,
)

MODEL = "gaae/0.2.0"  # the version of a voice model, too


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, write_bundle: WriteBundle) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bundle(folder, "0.2.0")
    write_generator(folder, "0.1.0", day=1)
    write_generator(folder, "0.2.0", day=2)
    return folder


@pytest.fixture(scope="module")
def url(start_service: StartService, models: Path) -> str:
    return start_service(models).url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def samples_of(wav: bytes) -> Float64:
    samples, rate = soundfile.read(io.BytesIO(wav))
    assert (samples.shape, rate) == ((16_000,), 16_000)
    return np.asarray(samples)


def pitch_hz(wav: bytes) -> float:
    """The centre of the power: a second of audio has a bin a hertz."""
    power = np.abs(np.fft.rfft(samples_of(wav))) ** 2
    return float(np.average(np.arange(power.size), weights=power))


def expected_hz(label: str, z: float) -> float:
    bin_ = FIRST_BIN + BINS_A_LABEL * LABELS.index(label) + SHIFT_BINS * np.tanh(z)
    return float(bin_ * BIN_HZ)


def noise(level: float, samples: int = 16_000) -> bytes:
    """A recording of which style.onnx makes z[0] = 20 · level − 1."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], samples)
    return encode_wav((level * signs).astype(np.float32))


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def test_labels(http: httpx.Client) -> None:
    labels = http.get("/generate/labels").json()
    assert labels == {"model": MODEL, "labels": list(LABELS), "language": "ar"}


def test_e7_every_answer_says_what_language_it_is(http: httpx.Client) -> None:
    wav = http.post("/generate", data={"label": "low", "seed": 7})
    made = http.post("/generate", data={"label": "low"}, headers={"Accept": "application/json"})
    assert wav.headers["content-language"] == made.headers["content-language"] == "ar"
    assert made.json()["language"] == "ar"
    shipped = json.loads((newest_shipped("gaae") / "bundle.json").read_text())
    assert shipped["language"] == "ar"  # seven is said in Arabic


@pytest.mark.parametrize("label", LABELS)
def test_a_wav_of_the_label(http: httpx.Client, label: str) -> None:
    answer = http.post("/generate", data={"label": label, "seed": 7})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert (answer.headers["x-model"], answer.headers["x-seed"]) == (MODEL, "7")
    assert answer.headers["content-disposition"].endswith('-7.wav"')
    z = np.random.default_rng(7).normal(0, 1, 4)[0]
    assert pitch_hz(answer.content) == pytest.approx(expected_hz(label, z), abs=2)


def test_same_seed_same_bytes_and_a_drawn_seed_is_told(http: httpx.Client) -> None:
    def made(**form: object) -> httpx.Response:
        answer = http.post("/generate", data={"label": "low", **form})
        assert answer.status_code == 200, answer.text
        return answer

    assert made(seed=1).content == made(seed=1).content != made(seed=2).content
    drawn = made()
    assert made(seed=drawn.headers["x-seed"]).content == drawn.content
    assert made().content != drawn.content


def test_several_are_a_zip_or_json_of_the_single_ones(http: httpx.Client) -> None:
    last = 2**32 - 1  # after which seeds begin anew
    single = [
        http.post("/generate", data={"label": "high tone", "seed": seed}).content for seed in (last, 0, 1)
    ]
    form = {"label": "high tone", "seed": last, "n": 3}
    answer = http.post("/generate", data=form)
    assert answer.headers["content-type"] == "application/zip"
    assert http.post("/generate", data=form).content == answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"high_tone-{seed}.wav" for seed in (last, 0, 1)]
        assert [archive.read(name) for name in archive.namelist()] == single
    body = http.post("/generate", data=form, headers={"Accept": "application/json"}).json()
    assert (body["model"], body["label"]) == (MODEL, "high tone")
    assert [clip["seed"] for clip in body["clips"]] == [last, 0, 1]
    assert [base64.b64decode(clip["audio"]) for clip in body["clips"]] == single


def test_every_form_of_request(http: httpx.Client) -> None:
    given = {"label": "low", "seed": "3"}
    answers = [
        http.post("/generate", data=given),  # urlencoded
        http.post("/generate", files=[(name, (None, value)) for name, value in given.items()]),
        http.post("/generate", params=given),  # no body
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "audio/wav"),
        ("audio/wav, application/json;q=0", "audio/wav"),
        ("application/json;q=0.1, audio/wav", "audio/wav"),
        ("application/json-seq", "audio/wav"),
        ("no media type", "audio/wav"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
    ],
)
def test_json_is_for_who_likes_it_best(http: httpx.Client, accept: str, kind: str) -> None:
    answer = http.post("/generate", data={"label": "low", "seed": 4}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert (answer.headers["x-model"], answer.headers["x-seed"]) == (MODEL, "4")


def test_style_replaces_z(http: httpx.Client) -> None:
    for level in (0.01, 0.09):
        file = {"style": ("style.wav", noise(level))}
        answer = http.post("/generate", data={"label": "middle", "seed": 5}, files=file)
        assert answer.status_code == 200, answer.text
        assert pitch_hz(answer.content) == pytest.approx(expected_hz("middle", 20 * level - 1), abs=2)
        raw = http.post(
            "/generate",
            params={"label": "middle", "seed": 5},
            content=noise(level),
            headers={"Content-Type": "audio/wav"},
        )
        assert raw.content == answer.content
        # Of a longer recording the loudest second is heard, of a shorter one all.
        late = np.concatenate([np.zeros(24_000), samples_of(noise(level)), np.zeros(500)])
        long = {"style": encode_wav(late.astype(np.float32))}
        assert (
            http.post("/generate", params={"label": "middle", "seed": 5}, files=long).content == raw.content
        )
        short = http.post("/generate", params={"label": "low"}, files={"style": noise(2 * level, 8000)})
        assert pitch_hz(short.content) == pytest.approx(expected_hz("low", 20 * level - 1), abs=2)


def test_real_speech_gives_a_style(http: httpx.Client, speech: bytes) -> None:
    answer = http.post("/generate", data={"label": "low"}, files={"style": ("a.opus", speech)})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")


def test_an_unknown_label_is_told_the_known_ones(http: httpx.Client) -> None:
    answer = http.post("/generate", data={"label": "eleven"})
    assert problem(answer) == (422, "validation_error")
    for label in LABELS:
        assert label in answer.json()["detail"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"label": "x" * 300},
        *({"label": "low", "n": n} for n in (0, 17)),
        *({"label": "low", "seed": seed} for seed in (-1, 2**32, "x")),
    ],
)
def test_bad_parameters(http: httpx.Client, form: dict[str, Any]) -> None:
    assert problem(http.post("/generate", data=form)) == (422, "validation_error")


def test_bad_styles(http: httpx.Client) -> None:
    def refusal(*files: bytes, field: str = "style") -> tuple[int, str]:
        uploads = [(field, ("a.wav", file)) for file in files]
        return problem(http.post("/generate", data={"label": "low"}, files=uploads))

    assert refusal(noise(0.1), noise(0.1)) == (400, "bad_request")
    assert refusal(noise(0.1), field="audio") == (400, "bad_request")
    assert refusal(encode_wav(np.zeros(16_000, np.float32))) == (422, "invalid_audio")
    assert refusal(b"no audio at all") == (415, "unsupported_media")
    assert refusal(b"") == (422, "invalid_audio")
    json = http.post("/generate", json={"label": "low"})
    assert problem(json) == (415, "unsupported_media")
    text = http.post("/generate", data={"label": "low", "style": "a.wav"}, files={"style": b""})
    assert problem(text) == (400, "bad_request")


def test_a_style_is_heard_or_refused_but_never_left_out(http: httpx.Client) -> None:
    for given in ({"data": {"label": "low", "style": "a.wav"}}, {"params": {"label": "low", "style": "a"}}):
        answer = http.post("/generate", **given)
        assert problem(answer) == (400, "bad_request")
        assert "@" in answer.json()["detail"]
    cut = b'--B\r\nContent-Disposition: form-data; name="label"\r\n\r\nlow\r\n'
    cut += b'--B\r\nContent-Disposition: form-data; name="style"; filename="a"\r\n\r\n' + noise(0.1)
    form = {"Content-Type": "multipart/form-data; boundary=B"}
    assert problem(http.post("/generate", content=cut, headers=form)) == (400, "bad_request")
    assert http.post("/generate", content=cut + b"\r\n--B--", headers=form).status_code == 200


def test_a_style_of_an_encoders_noise_is_silent(http: httpx.Client) -> None:
    for quiet, status in ((noise(1e-4), 422), (noise(1e-2), 200)):
        answer = http.post("/generate", data={"label": "low"}, files={"style": quiet})
        assert answer.status_code == status


def test_a_label_that_is_missing_is_told_where_they_are(http: httpx.Client) -> None:
    assert "GET /generate/labels" in http.post("/generate").json()["detail"]


def test_it_is_listed_and_cannot_be_activated(http: httpx.Client) -> None:
    answer = http.get("/models").json()
    assert (answer["active"], answer["generator"]) == ("0.2.0", MODEL)
    assert [(m["name"], m["version"]) for m in answer["models"]] == [
        ("autodecompose", "0.2.0"),
        ("gaae", "0.1.0"),
        ("gaae", "0.2.0"),
    ]
    refused = http.post("/models/0.1.0/activate")
    assert problem(refused) == (409, "conflict")
    assert "gaae/0.1.0 generates audio" in refused.json()["detail"]
    assert http.post("/models/0.2.0/activate").json()["model"] == "autodecompose/0.2.0"


def test_time_of_each_stage_is_measured(http: httpx.Client) -> None:
    def counts() -> dict[str, float]:
        lines = http.get("/metrics").text.splitlines()
        matching = [line for line in lines if line.startswith("twofold_generation_seconds_count")]
        return {line.split('"')[1]: float(line.split()[-1]) for line in matching}

    before = counts()
    http.post("/generate", params={"label": "low", "n": 2}, files={"style": noise(0.1)})
    added = {stage: count - before.get(stage, 0) for stage, count in counts().items()}
    assert added == {"network": 2, "phase": 2, "style": 1}


def test_without_a_generator_both_calls_say_so(
    start_service: StartService, write_bundle: WriteBundle, tmp_path: Path
) -> None:
    write_bundle(tmp_path / "models", "1.0.0")
    service = start_service(tmp_path / "models", max_bytes=20_000)
    with service.client() as http:
        for answer in (http.get("/generate/labels"), http.post("/generate", data={"label": "low"})):
            assert problem(answer) == (409, "conflict")
            assert "TWOFOLD_MODELS_DIR" in answer.json()["detail"]
        assert http.get("/models").json()["generator"] is None

        write_generator(tmp_path / "models", "1.0.0")  # installed while the service runs
        assert http.post("/generate", data={"label": "low"}).status_code == 200
        too_large = http.post("/generate", data={"label": "low"}, files={"style": noise(0.1)})
        assert problem(too_large) == (413, "too_large")
        damaged = write_generator(tmp_path / "models", "1.1.0", day=3)
        (damaged / "generator.onnx").write_bytes(b"tampered with")
        refused = http.post("/generate", data={"label": "low"})
        assert problem(refused) == (409, "conflict")
        assert "generator.onnx" in refused.json()["detail"]
        assert str(tmp_path) not in refused.text
    service.stop()


def test_a_generator_alone_is_no_voice_model(start_service: StartService, tmp_path: Path) -> None:
    bundle = write_generator(tmp_path / "models", "1.0.0")
    service = start_service(bundle, ready=False)
    with service.client() as http:
        assert http.post("/generate", data={"label": "low"}).status_code == 200
        assert problem(http.get("/readyz")) == (503, "not_ready")
    service.stop()


schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi()).include(path_regex="^/generate")


@schema.parametrize()
@hypothesis.settings(max_examples=20, deadline=None, derandomize=True)
def test_only_documented_answers(case: schemathesis.Case, url: str) -> None:
    case.call_and_validate(base_url=url, checks=CHECKS)
