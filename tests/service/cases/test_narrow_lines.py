"""Parts A3 and A4: who is heard over a telephone, and who was enrolled over one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
import soxr

from bundle.arrays import Float32
from tests.service.conftest import newest_shipped
from trainer.audio.folders import read_audio

READERS = ("1998", "2414", "2609", "3005", "367", "533")
RATE_HZ = 16_000
Sound = Callable[[Float32], bytes]


def as_recorded(samples: Float32) -> bytes:
    return wav(samples, RATE_HZ, "PCM_16")


def as_8_khz(samples: Float32) -> bytes:
    return wav(soxr.resample(samples, RATE_HZ, 8000), 8000, "PCM_16")


def as_mu_law(samples: Float32) -> bytes:
    return wav(soxr.resample(samples, RATE_HZ, 8000), 8000, "ULAW")


def as_gsm(samples: Float32) -> bytes:
    return wav(soxr.resample(samples, RATE_HZ, 8000), 8000, "GSM610")


def wav(samples: Float32, rate_hz: int, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype=subtype)
    return file.getvalue()


@pytest.fixture(scope="module")
def recordings(examples: Path) -> dict[str, list[Float32]]:
    """Three of each reader."""
    return {
        reader: [read_audio(path) for path in sorted((examples / "audio" / reader).glob("*.opus"))]
        for reader in READERS
    }


@pytest.fixture(scope="module")
def http(start_service: Any) -> Iterator[httpx.Client]:
    with start_service(newest_shipped("autodecompose")).client() as client:
        yield client


@dataclass
class Counts:
    """What was accepted of trials at the threshold for one stranger in a hundred."""

    owners: int = 0  # of 6
    strangers: int = 0  # of 30
    wrong_names: int = 0  # of 6 probes
    warned: int = 0  # of 6 probes


@pytest.fixture
def trials(
    http: httpx.Client, recordings: dict[str, list[Float32]]
) -> Iterator[Callable[[Sound, Sound], Counts]]:
    """Enrols all readers in one way and recognises them in another."""

    def run(enrolled: Sound, probed: Sound) -> Counts:
        for reader, samples in recordings.items():
            files = [("audio", ("a.wav", enrolled(part))) for part in samples[:2]]
            http.post("/speakers", data={"speaker_id": reader}, files=files).raise_for_status()
        counts = Counts()
        for reader, (*_, probe) in recordings.items():
            form = {"top_k": "6", "target_fpr": str(1 - 0.99**6)}  # one in a hundred for each of six voices
            answer = http.post("/identify", data=form, files={"audio": ("p.wav", probed(probe))}).json()
            for candidate in answer["candidates"]:
                accepted = candidate["score"] >= answer["threshold"]
                counts.owners += accepted and candidate["speaker_id"] == reader
                counts.strangers += accepted and candidate["speaker_id"] != reader
            counts.wrong_names += answer["match"] is not None and answer["match"]["speaker_id"] != reader
            counts.warned += any("telephone" in warning for warning in answer["warnings"])
        return counts

    yield run
    for reader in READERS:
        http.delete(f"/speakers/{reader}")


@pytest.mark.parametrize("line", [as_mu_law, as_gsm])
def test_a3_strangers_are_kept_out_where_both_sides_are_narrow(
    trials: Callable[[Sound, Sound], Counts], line: Sound
) -> None:
    counts = trials(line, line)
    assert counts.owners >= 5
    assert counts.strangers <= 4, "6 and 7 while a line was taken for a part of the voice"
    assert (counts.wrong_names, counts.warned) == (0, 6)


@pytest.mark.parametrize(("enrolled", "probed"), [(as_recorded, as_8_khz), (as_8_khz, as_recorded)])
def test_a4_owners_are_recognised_over_another_line(
    trials: Callable[[Sound, Sound], Counts], enrolled: Sound, probed: Sound
) -> None:
    counts = trials(enrolled, probed)
    assert counts.owners >= 4
    assert counts.strangers <= 1
    assert (counts.wrong_names, counts.warned) == (0, 6)
