"""Recordings that are diarized in the background, in a service of its own: a crash ends it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from service.audio import AudioLimits, decode, encode_opus
from tests.service.conftest import StartService, newest_shipped


def test_a_job_that_is_deleted_while_its_file_is_read_takes_nothing_with_it(
    start_service: StartService, examples: Path
) -> None:
    samples = decode((examples / "conversations" / "1998-3005.opus").read_bytes(), AudioLimits()).samples
    recording = encode_opus(np.tile(samples, 15))
    service = start_service(newest_shipped("autodecompose"))
    with service.client() as http:
        for _ in range(4):
            files = {"audio": ("a.opus", recording)}
            job = http.post("/diarize", data={"background": "true"}, files=files)
            location = job.headers["location"]
            while not http.get(location).json()["at_s"]:  # the limit of the client's time ends it
                time.sleep(0.02)
            assert http.delete(location).status_code == 204
            assert http.get("/healthz").status_code == 200
    assert service.process.poll() is None
