"""The command: every part, one after the other, each into its own block of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.machine import machine
from trainer.pages.blocks import write_block
from trainer.reproduce.gaae import figures, tables
from trainer.reproduce.gaae.audio_fid import audio_fid
from trainer.reproduce.gaae.plan import gpu_hours, missing, plan
from trainer.reproduce.gaae.sweeps import sweeps
from trainer.reproduce.gaae.trainings import GaaeRuns

TABLES: dict[str, Callable[[GaaeRuns], str]] = {
    "judges": tables.judges,
    "table1": tables.table1,
    "table2": tables.table2,
    "table3": tables.table3,
    "table4": tables.table4,
    "table5": tables.table5,
    "table6": tables.table6,
    "table7": tables.table7,
    "table8": tables.table8,
    "choices": tables.choices,
    "audio": audio_fid,
}
PICTURES: dict[str, Callable[[GaaeRuns, Path], str]] = {
    "sheets": figures.sheets,
    "styles": figures.styles,
    "interpolation": figures.interpolation,
    "tsne": figures.maps,
    "sweeps": sweeps,
}
PARTS = (*TABLES, *PICTURES)
PAPERS_SAMPLES = 60_000 * 128  # unlabelled, of one training

TITLE = """# The GAAE paper, reproduced

The paper is *High-Fidelity Audio Generation and Representation Learning with Guided Adversarial
Autoencoder*, by Haque, Rana and Schuller. This page has its sections V to VII with our corpora, beside the
paper's figures. Their S09 is ten digits of 2618 English speakers; each part says what ours is. Scores are
by our own classifiers, so only the order of the models can be compared with theirs. GGAN is built from what
this paper says of it. Each part says how much was trained. `python -m trainer reproduce gaae --scale paper`
trains as long as the paper did.
"""


def chosen_parts(only: Sequence[str]) -> list[str]:
    """
    Args:
        only: names of `PARTS`; none is all of them.

    Raises:
        ValueError: no such part.
    """
    unknown = set(only) - set(PARTS)
    if unknown:
        raise ValueError(f"No part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    return [part for part in PARTS if part in only or not only]


def reproduce_gaae(runs: GaaeRuns, page: Path, parts: Sequence[str]) -> None:
    """Trains, measures and writes the parts; goes on where an earlier call was stopped.

    Args:
        page: gets a block a part; pictures go to a folder beside it, named like it.

    Raises:
        DataError: a corpus cannot be read.
        ValueError: the folder of `runs` holds trainings with other settings.
    """
    pictures = page.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    if not page.exists():
        page.write_text(TITLE)
    for part in parts:
        runs.say(f"{part} …")
        absent = missing(part, [task for task in runs.corpora if runs.has(task)])
        if absent:
            folders = ", ".join(f"{runs.data / runs.corpora[task]}" for task in absent)
            runs.say(f"{part} left out: no {folders}. `python -m trainer data --help` says how to make it.")
            continue
        text = TABLES[part](runs) if part in TABLES else PICTURES[part](runs, pictures)
        write_block(page, f"reproduce gaae {part}", f"{text}\n\n{_how(runs, part)}")


def planned(runs: GaaeRuns, parts: Sequence[str]) -> str:
    """A table of what each part would train from nothing, and one of the hours on a GPU."""
    tasks = [task for task in runs.corpora if runs.has(task)]
    return f"{plan(runs.scale, parts, tasks)}\n\n{gpu_hours(runs.scale, parts, tasks)}"


def _how(runs: GaaeRuns, part: str) -> str:
    """How much was trained and measured for a part."""
    scale = runs.scale
    made = [f"Setting `{scale.preset}`, batch {scale.settings().batch}, {scale.runs} training(s) a row."]
    if part in {"table1", "table2", "table3", "table6", "audio", "sweeps"}:
        made.append(f"A score is of {scale.samples} generated samples, the paper's of 50,000.")
        if scale.runs == 1 and part != "audio":
            made.append("± of ours is over ten parts of the samples, the paper's over its trainings.")
    if part in {"judges", "table4", "table5", "table7", "table8", "audio"}:
        made.append(f"A classifier takes {scale.classifier_steps} steps of {scale.classifier_batch}.")
    if part in PICTURES and part != "sweeps":
        of_instruments = f", {scale.short} for instruments" if runs.has("instruments") else ""
        made.append(f"{scale.long} iterations for digits{of_instruments}.")
    if part != "judges":
        seen = ", ".join(
            f"{100 * scale.iterations(length) * scale.settings().batch / PAPERS_SAMPLES:.2g} %"
            for length in ("long", "short")
        )
        made.append(f"A long and a short training see {seen} of the samples of the paper's.")
    corpora = ", ".join(f"{task} `{name}`" for task, name in runs.corpora.items() if runs.has(task))
    return (
        f"Scale `{scale.name}`; the paper has 60,000 iterations of 128, and three trainings a row. "
        f"{' '.join(made)} Corpora: {corpora}. Machine: {machine()}."
    )
