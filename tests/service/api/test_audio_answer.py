"""What came is recognised by its bytes (A8), and what was measured of it stands in the answers (A3, A4)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.service.media import media
from tests.service.signals import encode, speech


@pytest.mark.parametrize(
    "content_type",
    ["audio/webm", "video/webm;codecs=opus", "audio/x-mpeg", "binary/octet-stream", "text/plain", None],
)
def test_a8_a_raw_body_is_what_its_bytes_are(http: httpx.Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = http.post("/embed", content=media(speech(4), "webm", "libopus"), headers=headers)
    assert answer.status_code == 200, answer.text
    audio = answer.json()["results"][0]["audio"]
    assert (audio["codec"], audio["sample_rate_hz"], audio["channels"]) == ("opus", 48_000, 1)
    assert audio["bandwidth_hz"] > 6_000
    assert audio["speech_s"] == answer.json()["results"][0]["speech_s"]


def test_a8_a_refusal_says_what_came_and_what_to_do(http: httpx.Client) -> None:
    answer = http.post(
        "/embed", content=b"\x89PNG\r\n\x1a\n" + bytes(50), headers={"Content-Type": "image/png"}
    )
    assert answer.status_code == 415
    assert "a PNG image" in answer.json()["detail"]
    assert "Send " in answer.json()["detail"]


def test_a3_a4_a_narrow_line_is_said_beside_the_decision(http: httpx.Client, voices: Any) -> None:
    enrolled = http.post(
        "/speakers",
        data={"speaker_id": "ada"},
        files=[("audio", ("a.ogg", data)) for data in voices[0].enrol],
    )
    assert enrolled.status_code == 201, enrolled.text
    telephone = encode(speech(6, 8_000), 8_000)
    verified = http.post("/verify", data={"speaker_id": "ada"}, files={"audio": ("t.wav", telephone)}).json()
    identified = http.post("/identify", files={"audio": ("t.wav", telephone)}).json()
    assert http.delete("/speakers/ada").status_code == 204  # the service is shared
    for answer in (verified, identified):
        assert answer["audio"]["bandwidth_hz"] <= 4_200
        assert any("telephone" in warning for warning in answer["warnings"])
