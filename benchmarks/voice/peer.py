"""The peer's figures on a folder, with the functions that `trainer evaluate` measures ours with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from trainer.audio.folders import read_audio
from trainer.evaluate import embed_with_progress, figures_table, labelled_clips, measure
from trainer.metrics import eer
from trainer.peers.resemblyzer import Resemblyzer
from trainer.scoring.calibration import pair_scores


def compare(
    data_dir: Path, *, split: str | None, speakers: int, seed: int, console: Console
) -> dict[str, Any]:
    """The fields of `trainer.evaluate.evaluate` for Resemblyzer, and two more equal error rates.

    Arguments as for `evaluate`. F1 and `eer` embed the same crops of 1.024 s and utterances as ours. `eer` is
    centred with the folder's own mean, which favours the peer a little: ours is centred with the mean of its
    training speakers. `eer_plain` is not centred. `eer_own_windows` is the peer as its authors use it:
    windows of 1.6 s, quiet recordings raised, plain cosine.

    Raises:
        DataError: the folder cannot be read or names no speaker.
        PeerMissingError: the peer's package is not installed.
    """
    model = Resemblyzer.load()
    with Progress(console=console) as progress:
        embedded = embed_with_progress(labelled_clips(data_dir, split), model.embed, progress)
        mean = embedded.utterances.mean(axis=0)
        figures = measure(embedded, mean, None, speakers=speakers, seed=seed, progress=progress)
        windows = np.stack(
            [
                model.embed_utterance(read_audio(clip.path))
                for clip in progress.track(embedded.clips, description="own windows")
            ]
        )
    names = [clip.speaker for clip in embedded.clips]
    return {
        "model": "resemblyzer",
        "data": str(data_dir),
        "split": split,
        **figures,
        "eer_plain": 100 * eer(*pair_scores(embedded.utterances, names)),
        "eer_own_windows": 100 * eer(*pair_scores(windows, names)),
    }


def peer_table(figures: dict[str, Any]) -> Table:
    """The figures of `compare` for a terminal."""
    table = figures_table(figures)
    table.add_row("EER, plain cosine", f"{figures['eer_plain']:.3f} %", "no centring")
    table.add_row(
        "EER, its own windows", f"{figures['eer_own_windows']:.3f} %", "1.6 s windows, plain cosine"
    )
    return table
