"""Where the voice encoder's arithmetic goes, and what less of it buys in processor time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import onnxruntime

from benchmarks.performance.flops import flops_by_part
from benchmarks.performance.machine import describe
from benchmarks.performance.material import speech
from bundle.arrays import Float32
from bundle.voice import VoiceBundle
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

BATCHES = (1, 8, 32)
_ROUNDS = 20  # every graph in turn, so that other work on the machine meets all alike
_TEXT = """\
Measured on {date} with `python -m benchmarks arithmetic` on one core of {machine.cpu},
{machine.software}. Load average before the run: {machine.load:.1f}.

{table}

Voice encoders for crops of 1.024 s, of bundle folders. Times are milliseconds of processor time a crop, the
median of {rounds} rounds in which every encoder has its turn. Cosines are of embeddings with the first's.
"""


def arithmetic_page(
    folders: Sequence[Path], data: Path, page: Path, json_path: Path | None, say: Say
) -> None:
    """Measures the voice encoders of bundle folders, and writes the table.

    Args:
        folders: the first is what the others are compared with.
        data: a folder of speech, or one that holds librispeech/.
        json_path: gets the figures, for `benchmarks compare`.

    Raises:
        BundleError: a bundle cannot be used.
        DataError: the speech cannot be read.
    """
    machine = describe()
    names = [f"{number}: {folder.parent.name}/{folder.name}" for number, folder in enumerate(folders, 1)]
    graphs = {
        name: VoiceBundle.load(folder).file("voice") for name, folder in zip(names, folders, strict=True)
    }
    crops, _ = speech(data / "librispeech" if (data / "librispeech").is_dir() else data)
    times = _measured(graphs, crops)
    figures = {name: _mflop(path) | times[name] for name, path in graphs.items()}
    say(json.dumps(figures))
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")
    rows = [
        (row, *(_shown(column.get(row)) for column in figures.values()))
        for row in dict.fromkeys(row for column in figures.values() for row in column)
    ]
    text = _TEXT.format(
        date=datetime.now(UTC).date(),
        machine=machine,
        table=table(("a crop", *figures), rows),
        rounds=_ROUNDS,
    )
    write_block(page, "benchmarks arithmetic", text)


def _mflop(path: Path) -> dict[str, float]:
    return {f"{part}, MFLOP": flops / 1e6 for part, flops in flops_by_part(path).items()}


def _measured(graphs: Mapping[str, Path], crops: Float32) -> dict[str, dict[str, float]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    sessions = {
        name: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        for name, path in graphs.items()
    }
    figures: dict[str, dict[str, float]] = {name: {} for name in graphs}
    reference: Float32 | None = None
    for name, session in sessions.items():
        embeddings = session.run(["embedding"], {"waveform": crops})[0]
        reference = embeddings if reference is None else reference
        cosines = np.sum(embeddings * reference, axis=1)
        figures[name] |= {"mean cosine": float(cosines.mean()), "least cosine": float(cosines.min())}
    for batch in BATCHES:
        times: dict[str, list[float]] = {name: [] for name in sessions}
        for _ in range(_ROUNDS):
            for name, session in sessions.items():
                begin = process_time()
                session.run(["embedding"], {"waveform": crops[:batch]})
                times[name].append(process_time() - begin)
        for name, taken in times.items():
            figures[name][f"batch {batch}, ms"] = 1000 * median(taken) / batch
    return figures


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
