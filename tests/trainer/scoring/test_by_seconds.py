from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.scoring import Scorer, Scoring
from bundle.vectors import unit
from trainer.audio.folders import read_folder
from trainer.barlow_twins.bundle import barlow_twins_voice
from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.bundles.runner import BundleRunner
from trainer.bundles.voice import export_voice_bundle
from trainer.scoring import by_seconds
from trainer.scoring.by_seconds import PROBES_S, fit_by_seconds

DIM = 32


def drawn(speakers: int, clips: int, crops: int, seed: int) -> tuple[Float32, NDArray[np.intp], list[str]]:
    """Crops around each speaker's own centre and a common one; their noise falls in a mean of many."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(speakers, DIM)), clips * crops, axis=0) + 1
    vectors = unit((centres + 1.5 * rng.normal(size=centres.shape)).astype(np.float32))
    names = [f"c/s{i}" for i in range(speakers) for _ in range(clips)]
    return vectors, np.repeat(np.arange(speakers * clips), crops), names


def fitted(speakers: int, clips: int, crops: int, corpus: str = "c") -> list[dict[str, object]]:
    vectors, clip, names = drawn(speakers, clips, crops, seed=0)
    return fit_by_seconds(vectors, clip, names, [corpus] * len(names), vectors.mean(axis=0))


def test_the_rate_asked_for_is_met_at_each_length_by_voices_never_seen() -> None:
    vectors, _, _ = drawn(100, 8, 5, seed=0)
    mean = vectors.mean(axis=0)
    scoring = Scoring.model_validate(
        {
            "score_type": "centred_cosine",
            "mean": mean.tolist(),
            "calibration": {"slope": 1, "intercept": 0},
            "false_accept": [{"fpr": 0.1, "threshold": 0}],
            "by_seconds": fitted(100, 8, 5),
            "fitted_on": "a draw",
        }
    )
    assert [entry.seconds for entry in scoring.by_seconds] == list(PROBES_S)
    scorer = Scorer(scoring)
    fresh = drawn(500, 1, 18, seed=1)[0].reshape(500, 18, DIM)
    prints = unit(unit(fresh[:, :10].sum(axis=1)) - mean)
    others, misses = ~np.eye(500, dtype=bool), []
    for seconds in PROBES_S:
        probes = unit(unit(fresh[:, 10 : 10 + round(seconds)].sum(axis=1)) - mean)
        scores = probes @ prints.T
        threshold = scorer.threshold(0.01, seconds=seconds)
        assert 0.007 < np.mean(scores[others] >= threshold) < 0.014
        misses.append(np.mean(np.diag(scores) < threshold))
        calibration = scorer.calibration(seconds)
        llr = calibration.slope * scores + calibration.intercept
        assert np.mean(np.diag(llr) > 0) > 0.85
        assert np.mean(llr[others] < 0) > 0.85
    assert misses == sorted(misses, reverse=True)
    # Two voices look more alike the less noise hides how alike they are.
    thresholds = [scorer.threshold(0.01, seconds=seconds) for seconds in PROBES_S]
    assert thresholds == sorted(thresholds)
    assert thresholds[-1] > thresholds[0] + 0.03


def test_pairs_are_of_one_corpus() -> None:
    vectors, clip, names = drawn(80, 6, 5, seed=0)
    half = len(names) // 2
    vectors[clip < half, ::2] += 0.5  # the first corpus is told apart by its microphone
    vectors = unit(vectors)
    mean = vectors.mean(axis=0)
    apart = fit_by_seconds(vectors, clip, names, ["a"] * half + ["b"] * half, mean)
    together = fit_by_seconds(vectors, clip, names, ["a"] * len(names), mean)
    assert apart[0]["false_accept"][0]["threshold"] > together[0]["false_accept"][0]["threshold"]


@pytest.mark.parametrize(
    ("speakers", "clips", "crops"),
    [
        (39, 8, 5),  # too few speakers
        (60, 1, 40),  # one recording each: a probe would be of the recording that enrolled
        (60, 5, 3),  # 15 crops: eight enrol, and too few are left
    ],
)
def test_too_little_gives_nothing(speakers: int, clips: int, crops: int) -> None:
    assert fitted(speakers, clips, crops) == []


def test_unknown_speakers_take_no_part() -> None:
    vectors, clip, names = drawn(60, 5, 5, seed=0)
    known = [name if i < 39 * 5 else "" for i, name in enumerate(names)]
    assert fit_by_seconds(vectors, clip, known, ["c"] * len(names), vectors.mean(axis=0)) == []


def test_export_writes_the_entries(
    speech_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_seconds, "MIN_SPEAKERS", 4)
    clips = read_folder(speech_data / "speechocean762", "train")[:80:2]
    assert len({clip.speaker for clip in clips}) == 4
    torch.manual_seed(0)
    model = BarlowTwins(BarlowTwinsSettings(width=1, projector_width=8, latent=8))
    export_voice_bundle(barlow_twins_voice(model), clips, tmp_path / "few" / "0.1.0", training={})
    entries = BundleRunner.load(tmp_path / "few" / "0.1.0").manifest.scoring.by_seconds
    assert [entry.seconds for entry in entries] == list(PROBES_S)
