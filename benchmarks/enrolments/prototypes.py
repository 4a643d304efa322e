"""Would a voice be known better by several prototypes than by one mean? Enrolments over several lines.

Each person is enrolled with three recordings, each over another line, and recognised over each of them. A
prototype is one recording, the finest that a clustering can find. Where the best of these does not beat
the mean, coarser ones will not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.enrolments.material import CORPORA, Person, read_people
from benchmarks.recordings.conditions import other_channel, read_noises
from bundle.arrays import Float32
from bundle.bandwidth import bandwidth_hz, is_narrow
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.audio.level import levelled
from trainer.bundles.runner import BundleRunner
from trainer.machine import machine
from trainer.metrics import eer
from trainer.pages.blocks import table, write_block
from trainer.scoring.embedding import Condition, utterance_crops
from trainer.scoring.narrow import through_g711

PART_S = 3.4  # four of them fit into the recordings of train speakers
#: Scores (probes, voices, recordings) of prototypes and (probes, voices) of means → (probes, voices).
Combination = Callable[[Float32, Float32], Float32]
COMBINATIONS: Mapping[str, Combination] = {
    "one mean": lambda _, mean: mean,
    "best prototype": lambda prototypes, _: prototypes.max(axis=2),
    "best prototype or mean": lambda prototypes, mean: np.maximum(prototypes.max(axis=2), mean),
    "mean score of prototypes": lambda prototypes, _: prototypes.mean(axis=2),
}


def prototypes_block(bundle: Path, data: Path, page: Path) -> None:
    """Measures on the train speakers that the bundle's training set aside, and writes a block of the page.

    Raises:
        BundleError, DataError: what is missing.
    """
    runner = BundleRunner.load(bundle, threads=1)
    lines: dict[str, Condition] = {
        "as recorded": lambda samples, _: samples,
        "telephone": through_g711,
        "room and noise": other_channel(read_noises(data / "ambience", "train")),
    }
    aside = runner.manifest.training.get("aside", 0.0)
    scores: dict[str, list[tuple[Float32, Float32]]] = {}
    count = 0
    for corpus in CORPORA:
        people = [p for p in read_people(data / corpus, "train", aside) if len(p.parts(PART_S, 4)) == 4]
        count += len(people)
        for line, by_combination in _scores(people, lines, runner).items():
            for name, combined in by_combination.items():
                same = np.eye(len(people), dtype=bool)
                scores.setdefault(f"{line}/{name}", []).append((combined[same], combined[~same]))
    cells = []
    for line in lines:
        rates = []
        for name in COMBINATIONS:
            target, nontarget = (np.concatenate(kind) for kind in zip(*scores[f"{line}/{name}"], strict=True))
            limit = np.quantile(nontarget, 0.99)
            rates.append(f"{100 * eer(target, nontarget):.1f} ({100 * np.mean(target < limit):.1f})")
        cells.append([line, *rates])
    head = (
        f"Measured on {datetime.now(UTC).date()} with `python -m benchmarks enrolments --prototypes` and "
        f"{runner.id}, on {machine()}. {count} train speakers who were set aside, {PART_S:g} s a recording. "
        "EER, %, and in brackets owners refused where 1 % of strangers pass, %."
    )
    write_block(
        page, "benchmarks enrolments --prototypes", f"{head}\n\n{table(('probe', *COMBINATIONS), cells)}"
    )


def _scores(
    people: Sequence[Person], lines: Mapping[str, Condition], runner: BundleRunner
) -> dict[str, dict[str, Float32]]:
    """By line of the probe and combination: (probes, voices)."""
    parts = [person.parts(PART_S, 4) for person in people]
    enrolled = np.stack(
        [
            np.stack([_crop_sum(line(of_person[i], n), runner) for n, of_person in enumerate(parts)])
            for i, line in enumerate(lines.values())
        ],
        axis=1,
    )  # (voices, recordings, dim)
    scorer = runner.scorer
    result = {}
    for name, line in lines.items():
        probes = np.stack([_crop_sum(line(of_person[3], n), runner) for n, of_person in enumerate(parts)])
        prototypes, mean = _against(probes, enrolled, scorer)
        result[name] = {what: combine(prototypes, mean) for what, combine in COMBINATIONS.items()}
    return result


def _against(probes: Float32, enrolled: Float32, scorer: Scorer) -> tuple[Float32, Float32]:
    """Scores of probes (probes, dim) against recordings, and against their mean."""
    centred = scorer.centred(unit(probes))
    recordings = scorer.centred(unit(enrolled))  # (voices, recordings, dim)
    means = scorer.centred(unit(enrolled.sum(axis=1)))
    return np.einsum("pd,vrd->pvr", centred, recordings), centred @ means.T


def _crop_sum(samples: Float32, runner: BundleRunner) -> Float32:
    """The sum of a recording's crop embeddings (dim,), as the service would make them."""
    samples = levelled(samples)
    embeddings = runner.embed(utterance_crops(samples))
    if is_narrow(bandwidth_hz([samples])):
        embeddings = runner.scorer.without_line(embeddings)
    return np.asarray(embeddings.sum(axis=0), np.float32)
