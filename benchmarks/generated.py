"""Does a running service generate what it is asked for? The classifier of real audio hears its clips."""

from __future__ import annotations

import base64
import io
from collections import Counter
from typing import Any

import numpy as np
import soundfile
import torch

from service.api.generate import MOST_CLIPS
from service.client.http import ServiceClient
from trainer.gaae.data import one_second
from trainer.reproduce.gaae.judge import Judge
from trainer.reproduce.page import table

TakenFor = dict[str, Counter[str]]  # by label, how often its clips were taken for which


def ask(client: ServiceClient, judge: Judge, per_label: int) -> TakenFor:
    """Asks for `per_label` clips of each label, each of a seed of its own from 0 on, and has them judged.

    Raises:
        ClientError: the service refused, or could not be reached.
        ValueError: the service generates labels that the judge does not know.
    """
    labels = client.get("/generate/labels")["labels"]
    unknown = set(labels) - set(judge.labels)
    if unknown:
        raise ValueError(
            f"The classifier knows {', '.join(judge.labels)}, but the service generates "
            f"{', '.join(sorted(unknown))} too: give the --judge of its labels."
        )
    return {
        label: _taken_for(client, judge, label, range(index * per_label, (index + 1) * per_label))
        for index, label in enumerate(labels)
    }


def _taken_for(client: ServiceClient, judge: Judge, label: str, seeds: range) -> Counter[str]:
    found: Counter[str] = Counter()
    for first in seeds[::MOST_CLIPS]:
        n = min(MOST_CLIPS, seeds.stop - first)
        answer = client.send("/generate", [], label=label, seed=first, n=n)
        waveforms = np.stack([_decoded(clip) for clip in answer["clips"]])
        best = judge.of_audio(torch.from_numpy(waveforms)).argmax(dim=1)
        found.update(judge.labels[y] for y in best.tolist())
    return found


def _decoded(clip: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(clip["audio"])), dtype="float32")
    return one_second(samples)


def report(found: TakenFor) -> str:
    """A Markdown table: recognised clips of each label and of all, and what the others were taken for."""
    rows = []
    for label, taken in found.items():
        others = ", ".join(f"{name} {count}" for name, count in taken.most_common() if name != label)
        rows.append([label, *_counted(taken[label], taken.total()), others or "–"])
    right = sum(taken[label] for label, taken in found.items())
    rows.append(["all", *_counted(right, sum(taken.total() for taken in found.values())), ""])
    return table(["label", "clips", "recognised", "%", "others taken for"], rows)


def _counted(right: int, clips: int) -> list[str]:
    return [f"{clips}", f"{right}", f"{100 * right / clips:.1f}"]
