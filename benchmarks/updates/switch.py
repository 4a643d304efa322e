"""What becomes of enrolled voices when a fine-tuned model takes over? → docs/model-updates.md."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.updates.finetune import SPEAKERS, corpus_clips, tune
from benchmarks.updates.voices import SHOT_S, LabelledCrops, one_percent, split_seconds
from bundle.arrays import Float32
from bundle.space_map import apply_map, read_map
from bundle.vectors import unit
from trainer.audio.folders import Clip, read_folder
from trainer.bundles.runner import BundleRunner
from trainer.evaluate import draw_speakers
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

CORPUS = "speechocean762"
WAYS = ("before the switch", "re-embedded", "mapped", "nothing done")


@dataclass(frozen=True)
class Outcome:
    """Identification among the enrolled speakers, in percent."""

    accuracy: float  # probes whose best score is their speaker's
    accepted: float  # probes of enrolled speakers above the shipped 1 % threshold
    false_accepts: float  # of other speakers' voiceprints above it


def model_updates_page(bundle: Path, data: Path, page: Path, say: Say) -> None:
    """Writes the figures into the page; about five minutes on two cores.

    Raises:
        BundleError, DataError, FinetuneError: the bundle or the corpora cannot be used.
    """
    parent = BundleRunner.load(bundle)
    enrolled = corpus_clips(data, CORPUS, "test")
    enrol_clips, probe_clips = split_seconds(enrolled, SHOT_S)
    enrol, probes = LabelledCrops.read(enrol_clips), LabelledCrops.read(probe_clips)
    jobs = {
        f"10 s of each of the {SPEAKERS} enrolled voices": enrol_clips,
        "10 s each of other voices of the corpus": split_seconds(_strangers(data), SHOT_S)[0],
        "10 s each of voices of another corpus": split_seconds(
            corpus_clips(data, "arabic_speech_commands", "test"), SHOT_S
        )[0],
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, clips) in enumerate(jobs.items()):
            out = Path(folder) / "autodecompose" / str(number)
            report = tune(parent, clips, out, say)
            say("measuring")
            outcomes = _switch(parent, BundleRunner.load(out), enrol, probes)
            rows += [
                [
                    name,
                    way,
                    f"{outcome.accuracy:.1f}",
                    f"{outcome.accepted:.1f}",
                    f"{outcome.false_accepts:.2f}",
                    f"{report.map_error:.3f}" if way == "mapped" else "–",
                ]
                for way, outcome in outcomes.items()
            ]
    header = ["fine-tuned on", "voiceprints", "accuracy, %", "accepted, %", "false accepts, %", "map error"]
    text = (
        f"`{parent.id}`, {CORPUS} test: {SPEAKERS} speakers enrolled with 10 s, {len(probe_clips)} other "
        f"recordings of them identified among all {SPEAKERS}. Machine: {machine()}.\n\n{table(header, rows)}"
    )
    write_block(page, "benchmarks model-updates", text)


def _strangers(data: Path) -> list[Clip]:
    clips = read_folder(data / CORPUS, "test")
    drawn = set(draw_speakers([clip.speaker for clip in clips], SPEAKERS, seed=0))
    return [clip for clip in clips if clip.speaker not in drawn]


def _switch(
    old: BundleRunner, new: BundleRunner, enrol: LabelledCrops, probes: LabelledCrops
) -> dict[str, Outcome]:
    names, under_old = _voiceprints(enrol, old.embed(enrol.crops))
    _, under_new = _voiceprints(enrol, new.embed(enrol.crops))
    assert new.manifest.map_from_parent is not None  # `tune` has just fitted it
    mapped = unit(apply_map(read_map(new.manifest, new.manifest.map_from_parent), under_old))
    probes_old = probes.utterances(old.embed(probes.crops))
    probes_new = probes.utterances(new.embed(probes.crops))
    trials = (
        (old, under_old, probes_old),
        (new, under_new, probes_new),
        (new, mapped, probes_new),
        (new, under_old, probes_new),
    )
    return {
        way: _identify(model, names, voiceprints, probe_embeddings, probes.speakers)
        for way, (model, voiceprints, probe_embeddings) in zip(WAYS, trials, strict=True)
    }


def _voiceprints(voices: LabelledCrops, embeddings: Float32) -> tuple[NDArray[np.str_], Float32]:
    """Mean over all crops of a speaker, as the service makes it: names, and unit rows (speakers, dim)."""
    names, speaker = np.unique(voices.speakers, return_inverse=True)
    sums = np.zeros((len(names), embeddings.shape[1]), np.float32)
    np.add.at(sums, speaker[voices.recording], embeddings)
    return names, unit(sums)


def _identify(
    model: BundleRunner,
    names: NDArray[np.str_],
    voiceprints: Float32,
    probe_embeddings: Float32,
    speakers: NDArray[np.str_],
) -> Outcome:
    scorer = model.scorer
    scores = scorer.centred(probe_embeddings) @ scorer.centred(voiceprints).T  # (probes, speakers)
    same_voice = speakers[:, None] == names[None]
    accepted = scores >= one_percent(model.scorer)
    return Outcome(
        100 * float(np.mean(names[scores.argmax(axis=1)] == speakers)),
        100 * float(accepted[same_voice].mean()),
        100 * float(accepted[~same_voice].mean()),
    )
