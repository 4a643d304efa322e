"""What an adaptation brings to the newest shipped bundle, on recordings that were left out.

An untrained parent would prove nothing: anything moves it. The speakers are of the train split.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bundle.adaptation import Adaptation, fit_adaptation
from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from bundle.scoring import Scorer, Scoring
from trainer.audio.folders import Clip, read_audio, read_folder
from trainer.bundles.newest import newest_bundle
from trainer.bundles.runner import BundleRunner
from trainer.finetuning.audio import read_job
from trainer.finetuning.crops import embed_crops
from trainer.finetuning.measures import Model, Recordings, compare
from trainer.finetuning.network import Network
from trainer.finetuning.report import Measures
from trainer.finetuning.steps import StepSettings, take_steps
from trainer.scoring.embedding import utterance_crops
from trainer.scoring.narrow import at_8_khz
from trainer.training.material import set_aside

SPEAKERS, OF_EACH = 14, 12
ADAPTED_TO = 6  # recordings of each speaker at most; the others are left out


@dataclass(frozen=True)
class Speech:
    scoring: Scoring
    waveforms: Float32  # (crops, 16384)
    crops: Float32  # (crops, dim), embedded by the parent
    clips: list[Clip]  # of the recordings
    recording: np.ndarray  # (crops,)
    speaker: np.ndarray  # (recordings,)

    def adapt(self, recordings: int, speakers: int = SPEAKERS) -> Adaptation:
        """To the first recordings of the first speakers."""
        chosen = (self.recording % OF_EACH < recordings) & (self.recording // OF_EACH < speakers)
        return fit_adaptation(self.scoring, self.crops[chosen], self.recording[chosen])

    def measures(self, adaptation: Adaptation) -> Measures:
        return self.compare(Model(adaptation(self.crops), Scorer(adaptation.scoring)))

    def compare(self, model: Model) -> Measures:
        """The parent and another model, on the recordings that were left out."""
        left_out = np.arange(len(self.speaker)) % OF_EACH >= ADAPTED_TO
        recordings = Recordings(self.recording, left_out, self.speaker)
        return compare(recordings, Model(self.crops, Scorer(self.scoring)), model)


@pytest.fixture(scope="module")
def speech(speech_data: Path) -> Speech:
    clips = [clip for clip in read_folder(speech_data / "speechocean762", "train") if set_aside(clip, 0.25)]
    names = sorted({clip.speaker for clip in clips})[:SPEAKERS]
    chosen = [clip for name in names for clip in [c for c in clips if c.speaker == name][:OF_EACH]]
    parts = [utterance_crops(read_audio(clip.path)) for clip in chosen]
    waveforms = np.concatenate(parts)
    runner = BundleRunner.load(newest_bundle())
    return Speech(
        runner.manifest.scoring,
        waveforms,
        runner.embed(waveforms),
        chosen,
        np.repeat(np.arange(len(chosen)), [len(part) for part in parts]),
        np.asarray([clip.speaker for clip in chosen]),
    )


def test_more_audio_helps_more_and_none_changes_nothing(speech: Speech) -> None:
    nothing, little, all_there_is = (speech.measures(speech.adapt(count)) for count in (0, 2, ADAPTED_TO))
    for change in (nothing.f1, nothing.eer, nothing.false_accepts, nothing.separation):
        assert change is not None
        assert change.gain == pytest.approx(0, abs=1e-6)
    for less, more in ((little.separation, all_there_is.separation), (little.f1, all_there_is.f1)):
        assert less is not None
        assert more is not None
        assert less.after < more.after
    assert all_there_is.separation is not None
    assert all_there_is.separation.gain > 0.01
    assert all_there_is.eer is not None
    assert all_there_is.eer.gain < 0.005  # the shipped model may have been trained on these very speakers


@pytest.mark.parametrize("speakers", [1, SPEAKERS])
def test_false_accepts_stay_within_a_factor_of_two(speech: Speech, speakers: int) -> None:
    adaptation = speech.adapt(ADAPTED_TO, speakers)
    strangers = speech.measures(adaptation).false_accepts
    assert strangers is not None
    assert strangers.after < 2 * max(strangers.before, 0.01)
    if speakers == 1:
        assert adaptation.voices == 1


def test_recordings_from_a_telephone_are_moved_as_the_service_moves_them(
    speech: Speech, tmp_path: Path
) -> None:
    clip = speech.clips[0].path
    soundfile.write(tmp_path / "narrow.wav", at_8_khz(read_audio(clip)), SAMPLE_RATE_HZ)
    runner = BundleRunner.load(newest_bundle())
    job = read_job([clip, tmp_path / "narrow.wav"]).recordings
    crops = embed_crops(job, [runner.embed], runner.scorer, 0)
    for row, expected in enumerate((lambda crops: crops, runner.scorer.without_line)):
        first = runner.embed(job.crop(row, 0)[None])
        np.testing.assert_allclose(crops.vectors[0][crops.recording == row][:1], expected(first), atol=1e-4)


def test_steps_alone_change_the_network_and_keep_its_thresholds(speech: Speech, tmp_path: Path) -> None:
    """Without the adaptation that comes after them: under the parent's own scoring."""
    network = Network.load(BundleRunner.load(newest_bundle()).manifest).copy()
    used = [clip.path for i, clip in enumerate(speech.clips) if i % OF_EACH < ADAPTED_TO]
    take_steps(
        network.objective,
        read_job(used).recordings,
        StepSettings(steps=3),
        tmp_path,
        on_step=lambda *_: None,
        canceled=lambda: False,
    )
    stepped = network.embed(speech.waveforms)
    assert not np.allclose(stepped, speech.crops, atol=1e-5)
    measures = speech.compare(Model(stepped, Scorer(speech.scoring)))
    assert measures.separation is not None
    assert abs(measures.separation.gain) < 0.01
    assert measures.false_accepts is not None
    assert measures.false_accepts.after < 2 * max(measures.false_accepts.before, 0.01)
