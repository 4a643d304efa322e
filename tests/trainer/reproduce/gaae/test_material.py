"""Which clips each task is made of, and what is heard of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from trainer.audio.cache import build_cache
from trainer.audio.folders import DataError, read_folder
from trainer.corpora.speechcommands import DIGITS
from trainer.gaae.data import read_labelled, read_pool
from trainer.reproduce.gaae.accuracies import labelled
from trainer.reproduce.gaae.material import TASKS, read_spectrograms, write_subset
from trainer.reproduce.gaae.recipes import Training, gender_guided
from trainer.reproduce.gaae.trainings import GaaeRuns


def test_digits_are_digits_alone(runs: GaaeRuns) -> None:
    folder = runs.corpus(TASKS["digits"])
    clips = read_folder(folder)
    assert {clip.labels["word"] for clip in clips} == set(DIGITS)
    everything = read_folder(runs.data / "arabic_speech_commands")
    assert len(everything) > len(clips)
    by_split = {split: {clip.speaker for clip in clips if clip.split == split} for split in ("train", "test")}
    assert len(by_split["train"]) == len(by_split["test"]) == 2
    assert not by_split["train"] & by_split["test"]
    assert not list(folder.glob("*.partial"))


def test_gender_is_of_grown_ups_and_guides_beside_digits(runs: GaaeRuns) -> None:
    clips = read_folder(runs.corpus(TASKS["gender"]))
    everybody = read_folder(runs.data / "speechocean762")
    age = {clip.speaker: int(clip.labels["age"]) for clip in everybody}
    assert min(age.values()) < 10
    assert min(age[clip.speaker] for clip in clips) >= 18
    voices = {(clip.split, clip.labels["gender"], clip.speaker) for clip in clips}
    assert set(Counter(voice[:2] for voice in voices).values()) == {2}
    guidance = runs.guidance(gender_guided(runs.scale))
    assert guidance.share == 100
    pool = {clip.corpus for clip in read_pool(guidance)}
    assert pool == {"gender-speechocean762", "digits-arabic_speech_commands"}
    assert {clip.corpus for clip, _ in read_labelled(guidance, 0)} == {"gender-speechocean762"}


def test_choices_look_at_train_speakers_alone(runs: GaaeRuns) -> None:
    of_train = {clip.speaker for clip in read_folder(runs.corpus(TASKS["digits"]), "train")}
    learnt, aside = (
        {clip.speaker for clip in read_folder(runs.corpus(TASKS["choices"]), split)}
        for split in ("train", "test")
    )
    assert len(aside) == 1
    assert learnt | aside == of_train
    assert not learnt & aside


def test_the_paper_draws_as_many_voices(speech_data: Path, tmp_path: Path) -> None:
    write_subset(TASKS["gender"], speech_data / "speechocean762", tmp_path)
    voices = {(clip.split, clip.labels["gender"], clip.speaker) for clip in read_folder(tmp_path)}
    counts = Counter(voice[:2] for voice in voices)
    assert counts == {("train", "f"): 10, ("train", "m"): 10, ("test", "f"): 5, ("test", "m"): 5}


def test_a_corpus_without_the_labels_is_refused(runs: GaaeRuns, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no train clip whose family is of guitar, string, mallet"):
        write_subset(TASKS["instruments"], runs.data / "speechocean762", tmp_path)
    assert not (tmp_path / "metadata.tsv").exists()


def test_longer_audio_is_heard_second_by_second_but_for_pauses(runs: GaaeRuns, tmp_path: Path) -> None:
    audio = runs.spectrograms("gender", "train")
    per_clip = Counter(clip.path for clip in audio.clips)
    clips = {clip.path for clip in read_folder(runs.corpus(TASKS["gender"]), "train")}
    assert set(per_clip) == clips
    assert max(per_clip.values()) > 1
    settings = runs.front_settings("gender").spectrogram
    assert audio.x.shape == (len(audio.y), settings.bins, settings.frames)
    assert audio.x.amax(dim=(1, 2)).allclose(audio.x.new_ones(()), atol=1e-3)  # the loudest point of each
    cache = build_cache([audio.clips[0]], tmp_path, warn=pytest.fail)
    first = read_spectrograms(TASKS["gender"], cache, settings)
    assert np.array_equal(first.x.numpy(), audio.x[: len(first.x)].numpy())


def test_of_instruments_the_first_second_is_heard_in_a_wider_range(runs: GaaeRuns) -> None:
    audio = runs.spectrograms("instruments", "train")
    assert len({clip.path for clip in audio.clips}) == len(audio.y) == 12  # of 1.5 s each
    assert runs.front_settings("instruments").spectrogram.r == 15.0
    assert runs.front_settings("digits").spectrogram.r == 10.0
    assert runs.guidance(Training("gaae", "instruments", 50, "short")).second == "first"


def test_every_model_gets_the_same_labelled_clips(runs: GaaeRuns) -> None:
    training = Training("gaae", "digits", 50, "short", run=3)
    known = labelled(runs, "digits", 50, 3)
    seed = runs.settings(training).seed
    assert seed == 3
    assert {clip.path for clip in known.clips} == {
        clip.path for clip, _ in read_labelled(runs.guidance(training), seed)
    }
    assert Counter(known.y.tolist()) == dict.fromkeys(range(10), 2)
    assert {clip.path for clip in labelled(runs, "digits", 50, 4).clips} != {
        clip.path for clip in known.clips
    }
