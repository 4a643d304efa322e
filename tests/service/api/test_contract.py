"""The OpenAPI document against the running service: whatever is sent, only documented answers, no 500.

`make fuzz` sends thousands.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fuzz.place import SETTINGS, Place, make_keys
from benchmarks.fuzz.recordings import send_recordings
from benchmarks.fuzz.requests import send_requests
from benchmarks.fuzz.tally import Tally
from tests.service.conftest import StartService

REQUESTS, RECORDINGS = 300, 60
SEEDS = 4  # chance may miss a call that has to succeed once
MUST_SUCCEED = ("POST /speakers", "POST /identify", "DELETE /speakers/{speaker_id}")


@pytest.fixture(scope="module")
def place(
    start_service: StartService, tiny_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    keys_file = tmp_path_factory.mktemp("keys") / "keys"
    keys = make_keys(keys_file)
    service = start_service(tiny_models, keys_file=keys_file, **SETTINGS)
    yield Place(service.url, keys)
    assert service.process.poll() is None
    assert '"defect"' not in service.log_file.read_text()


def test_only_documented_answers(place: Place, examples: Path) -> None:
    tally = Tally()
    for seed in range(SEEDS):
        send_requests(place, examples, (seed + 1) * REQUESTS, seed, tally)
        if all(tally.succeeded[call] for call in MUST_SUCCEED):
            break
    assert tally.examples == []
    assert tally.cases >= REQUESTS
    for call in MUST_SUCCEED:
        assert tally.succeeded[call], call


def test_damaged_recordings_are_refused_or_read(place: Place, examples: Path) -> None:
    tally = Tally()
    send_recordings(place, examples, RECORDINGS, 0, tally)
    assert tally.examples == []
    assert tally.cases == RECORDINGS
