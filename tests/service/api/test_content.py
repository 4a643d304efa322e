"""POST /content."""

from __future__ import annotations

import io

import httpx
import numpy as np

RAW = {"Content-Type": "audio/ogg"}


def test_json_and_npy_are_the_same_frames(http: httpx.Client, speech: bytes) -> None:
    answer = http.post("/content", content=speech, headers=RAW)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["model"], body["dim"], body["frame_s"]) == ("autodecompose/0.2.0", 4, 0.016)
    (result,) = body["results"]
    assert len(result["frames"]) == int(result["duration_s"] / 0.016)

    npy = http.post("/content", content=speech, headers=RAW | {"Accept": "application/x-npy"})
    assert npy.headers["content-type"] == "application/x-npy"
    frames = np.load(io.BytesIO(npy.content), allow_pickle=False)
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, np.array(result["frames"]), atol=1e-6)


def test_several_files_in_json_only(http: httpx.Client, speech: bytes) -> None:
    files = [("audio", ("a", speech)), ("audio", ("b", speech))]
    results = http.post("/content", files=files).json()["results"]
    assert [result["filename"] for result in results] == ["a", "b"]
    assert results[0]["frames"] == results[1]["frames"]
    refused = http.post("/content", files=files, headers={"Accept": "application/x-npy"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
