"""The peer's figures on a folder, with the functions that `trainer evaluate` measures ours with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from benchmarks.peers import Resemblyzer
from trainer.data import read_audio
from trainer.evaluate import embed_with_progress, labelled_clips, measure
from trainer.metrics import eer
from trainer.scoring import centre, pair_scores


def compare(
    data_dir: Path, *, split: str | None, speakers: int, seed: int, console: Console
) -> dict[str, Any]:
    """The fields of `trainer.evaluate.evaluate` for Resemblyzer, and two further equal error rates.

    F1 is over the same 1.024 s crops as ours. `eer` gives the peer what it was made for: its own utterance
    embedding (1.6 s windows, quiet recordings raised) and plain cosine. `eer_same_crops` embeds the crops
    that ours embeds, and `eer_same_crops_centred` also subtracts the folder's own mean.
    """
    model = Resemblyzer.load()
    with Progress(console=console) as progress:
        embedded = embed_with_progress(labelled_clips(data_dir, split), model.embed, progress)
        own = np.stack(
            [
                model.embed_utterance(read_audio(clip.path))
                for clip in progress.track(embedded.clips, description="whole utterances")
            ]
        )
        figures = measure(
            replace(embedded, utterances=own),
            np.zeros(own.shape[1]),
            None,
            speakers=speakers,
            seed=seed,
            progress=progress,
        )
    names = [clip.speaker for clip in embedded.clips]
    mean = embedded.utterances.mean(axis=0)
    return {
        "model": "resemblyzer",
        "data": str(data_dir),
        "split": split,
        **figures,
        "eer_same_crops": 100 * eer(*pair_scores(embedded.utterances, names)),
        "eer_same_crops_centred": 100 * eer(*pair_scores(centre(embedded.utterances, mean), names)),
    }
