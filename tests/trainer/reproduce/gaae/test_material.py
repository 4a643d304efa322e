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
from trainer.reproduce.gaae.material import TASKS, hear, write_subset
from trainer.reproduce.gaae.recipes import Training, gender_guided
from trainer.reproduce.gaae.workshop import Workshop


def test_digits_are_digits_alone(shop: Workshop) -> None:
    folder = shop.corpus(TASKS["digits"])
    clips = read_folder(folder)
    assert {clip.labels["word"] for clip in clips} == set(DIGITS)
    everything = read_folder(shop.data / "arabic_speech_commands")
    assert len(everything) > len(clips)
    by_split = {split: {clip.speaker for clip in clips if clip.split == split} for split in ("train", "test")}
    assert len(by_split["train"]) == len(by_split["test"]) == 2
    assert not by_split["train"] & by_split["test"]
    assert not list(folder.glob("*.partial"))


def test_gender_is_of_grown_ups_and_guides_beside_digits(shop: Workshop) -> None:
    clips = read_folder(shop.corpus(TASKS["gender"]))
    everybody = read_folder(shop.data / "speechocean762")
    age = {clip.speaker: int(clip.labels["age"]) for clip in everybody}
    assert min(age.values()) < 10
    assert min(age[clip.speaker] for clip in clips) >= 18
    voices = {(clip.split, clip.labels["gender"], clip.speaker) for clip in clips}
    assert set(Counter(voice[:2] for voice in voices).values()) == {2}
    guidance = shop.guidance(gender_guided(shop.scale))
    assert guidance.share == 100
    pool = {clip.corpus for clip in read_pool(guidance)}
    assert pool == {"gender-speechocean762", "digits-arabic_speech_commands"}
    assert {clip.corpus for clip, _ in read_labelled(guidance, 0)} == {"gender-speechocean762"}


def test_choices_look_at_train_speakers_alone(shop: Workshop) -> None:
    of_train = {clip.speaker for clip in read_folder(shop.corpus(TASKS["digits"]), "train")}
    learnt, aside = (
        {clip.speaker for clip in read_folder(shop.corpus(TASKS["choices"]), split)}
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


def test_a_corpus_without_the_labels_is_refused(shop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no train clip whose family is of guitar, string, mallet"):
        write_subset(TASKS["instruments"], shop.data / "speechocean762", tmp_path)
    assert not (tmp_path / "metadata.tsv").exists()


def test_longer_audio_is_heard_second_by_second_but_for_pauses(shop: Workshop, tmp_path: Path) -> None:
    heard = shop.heard("gender", "train")
    per_clip = Counter(clip.path for clip in heard.clips)
    clips = {clip.path for clip in read_folder(shop.corpus(TASKS["gender"]), "train")}
    assert set(per_clip) == clips
    assert max(per_clip.values()) > 1
    settings = shop.front_settings("gender").spectrogram
    assert heard.x.shape == (len(heard.y), settings.bins, settings.frames)
    assert heard.x.amax(dim=(1, 2)).allclose(heard.x.new_ones(()), atol=1e-3)  # the loudest point of each
    cache = build_cache([heard.clips[0]], tmp_path, warn=pytest.fail)
    first = hear(TASKS["gender"], cache, settings)
    assert np.array_equal(first.x.numpy(), heard.x[: len(first.x)].numpy())


def test_of_instruments_the_first_second_is_heard_in_a_wider_range(shop: Workshop) -> None:
    heard = shop.heard("instruments", "train")
    assert len({clip.path for clip in heard.clips}) == len(heard.y) == 12  # of 1.5 s each
    assert shop.front_settings("instruments").spectrogram.r == 15.0
    assert shop.front_settings("digits").spectrogram.r == 10.0
    assert shop.guidance(Training("gaae", "instruments", 50, "short")).second == "first"


def test_every_model_gets_the_same_labelled_clips(shop: Workshop) -> None:
    one = Training("gaae", "digits", 50, "short", run=3)
    known = labelled(shop, "digits", 50, 3)
    seed = shop.settings(one).seed
    assert seed == 3
    assert {clip.path for clip in known.clips} == {
        clip.path for clip, _ in read_labelled(shop.guidance(one), seed)
    }
    assert Counter(known.y.tolist()) == dict.fromkeys(range(10), 2)
    assert {clip.path for clip in labelled(shop, "digits", 50, 4).clips} != {
        clip.path for clip in known.clips
    }
