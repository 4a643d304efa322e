"""The command: every part, one after the other, each into its own block of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from trainer.machine import machine
from trainer.pages.blocks import write_block
from trainer.peers.resemblyzer import Resemblyzer
from trainer.reproduce.autodecompose.alignment import require_aligner
from trainer.reproduce.autodecompose.fig7 import fig7
from trainer.reproduce.autodecompose.fig456 import fig456
from trainer.reproduce.autodecompose.independence import independence
from trainer.reproduce.autodecompose.maps import maps
from trainer.reproduce.autodecompose.overfitting import overfitting
from trainer.reproduce.autodecompose.phonemes import SOURCE, phonemes
from trainer.reproduce.autodecompose.settings import OBJECTIVES, TESTS, Variant
from trainer.reproduce.autodecompose.table2 import table2
from trainer.reproduce.autodecompose.table3 import LABELLED, PAPER, table3
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.reproduce.autodecompose.vectors import vectors
from trainer.reproduce.autodecompose.words import words

PARTS = (
    "fig456",
    "fig7",
    "table2",
    "table3",
    "overfitting",
    "vectors",
    "independence",
    "fig10",
    "words",
    "maps",
)
MEASURED = ("fig456", "vectors", "independence")  # parts that only show what there is

#: By part, the trainings of the footer.
TRAINED_FOR = {
    "table2": [test.variant(objective) for test in TESTS for objective in OBJECTIVES],
    "table3": [
        Variant(objective, source, tuned, "" if tuned == "no" else labelled)
        for source, tuned in PAPER
        if source not in {"GE2E", "TDNN"}
        for objective in OBJECTIVES
        for labelled in LABELLED
    ],
    "fig10": [Variant(objective, SOURCE) for objective in OBJECTIVES],
    "words": [Variant(objective, SOURCE) for objective in OBJECTIVES],
}

TITLE = """# The Autodecompose paper, reproduced

Section V of Bonyadi's *Autodecompose* with our corpora, ours beside the paper's figures. Each part says how
much was trained. `python -m trainer reproduce autodecompose --scale paper` trains as long as the paper did.
"""


def reproduce_autodecompose(runs: AutodecomposeRuns, page: Path, only: Sequence[str], bundle: Path) -> None:
    """Trains, measures and writes the chosen parts, or all; goes on where an earlier call was stopped.

    Args:
        page: gets a block a part; pictures go to a folder beside it, named like it.
        only: names of `PARTS`; none is all of them.
        bundle: the shipped model, for Fig. 4, Table III, the vectors and the words.

    Raises:
        BundleError: `bundle` cannot be used.
        FinetuneError: `bundle` has no weights, which Fig. 4 needs.
        AlignerMissingError, PeerMissingError: a chosen part needs a package that is not installed.
        DataError: a corpus cannot be read.
        ValueError: no such part, or the folder of `runs` holds trainings with other settings.
    """
    unknown = set(only) - set(PARTS)
    if unknown:
        raise ValueError(f"No part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    chosen = [part for part in PARTS if part in only or not only]
    # Hours of training should not end in a missing package.
    if "table3" in chosen:
        Resemblyzer.load()
    if {"fig10", "maps"} & set(chosen):
        require_aligner()

    make: dict[str, Callable[[AutodecomposeRuns], str]] = {
        "fig456": partial(fig456, pictures=page.with_suffix(""), bundle=bundle),
        "fig7": fig7,
        "table2": table2,
        "table3": partial(table3, bundle=bundle),
        "overfitting": overfitting,
        "vectors": partial(vectors, bundle=bundle),
        "independence": partial(independence, bundle=bundle),
        "fig10": phonemes,
        "words": partial(words, bundle=bundle),
        "maps": partial(maps, pictures=page.with_suffix("")),
    }
    if not page.exists():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(TITLE)
    for part in chosen:
        runs.say(f"{part} …")
        text = make[part](runs)
        write_block(page, f"reproduce autodecompose {part}", f"{text}\n\n{_how(runs, part)}")


def _how(runs: AutodecomposeRuns, part: str) -> str:
    """How much was trained for a part."""
    scale = runs.scale
    if part in MEASURED:
        return f"Nothing was trained for this part. Machine: {machine()}."
    trained = {
        "fig7": f"the networks named, at most {scale.fig7}",
        "overfitting": f"`{scale.overfit_networks}` networks, at most {scale.overfit}",
    }.get(
        part,
        f"`{scale.networks}` networks, the paper's are `large`. Pre-training takes {scale.pretrain}; the "
        f"paper's 500. Fine-tuning takes {scale.tune}; the paper's 50"
        + (f". The TDNN takes {scale.ecapa}" if part == "table3" else ""),
    )
    done = "; ".join(runs.lengths(TRAINED_FOR[part])) if part in TRAINED_FOR else ""
    return f"Scale `{scale.name}`: {trained}.{f' Done: {done}.' if done else ''} Machine: {machine()}."
