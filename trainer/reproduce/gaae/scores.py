"""IS, FID and the share that is recognised: of real audio and of what models generate."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bundle.arrays import Float32
from trainer.metrics import frechet_distance, inception_score
from trainer.reproduce.gaae.classifier import accuracy, answers
from trainer.reproduce.gaae.judge import judge
from trainer.reproduce.gaae.material import TASKS
from trainer.reproduce.gaae.recipes import Training, all_runs
from trainer.reproduce.gaae.trainings import GaaeRuns

GENERATE_BATCH = 64
Scores = dict[str, Any]


def generated(runs: GaaeRuns, training: Training, count: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Spectrograms (count, bins, frames) of latents from p_z under random labels, and these (count,)."""
    decoder = runs.decoder(training)
    classes = len(TASKS[training.task].labels)
    generator = torch.Generator().manual_seed(1)
    x, labels = [], torch.randint(classes, (count,), generator=generator)
    with torch.no_grad():
        for y in torch.split(labels, GENERATE_BATCH):
            z = torch.randn(len(y), runs.scale.settings().latent_dim, generator=generator)
            one_hot = F.one_hot(y, classes).float()
            x.append(decoder(z.to(runs.device), one_hot.to(runs.device)).cpu())
    return torch.cat(x), labels.numpy()


def real_scores(runs: GaaeRuns, task: str, split: str) -> Scores:
    """Of real audio: `is`, `is_std`, `fid` from real train (None of itself), `recognised` in percent."""

    def compute() -> Scores:
        audio = runs.spectrograms(task, split)
        logits = _of_train(runs, task) if split == "train" else _judged(runs, task, audio.x)
        order = np.random.default_rng(0).permutation(len(audio.y))  # IS wants the classes mixed
        mean, std = inception_score(logits[order])
        fid = None if split == "train" else frechet_distance(_of_train(runs, task), logits)
        return {"is": mean, "is_std": std, "fid": fid, "recognised": _recognised(logits, audio.y)}

    return runs.figures(f"scores/{task}-real-{split}", compute)


def scores(runs: GaaeRuns, training: Training, judged_by: str) -> Scores:
    """The same of generated samples; `recognised` is None of a model that has other labels, or none."""

    def compute() -> Scores:
        x, y = generated(runs, training, runs.scale.samples)
        logits = _judged(runs, judged_by, x)
        mean, std = inception_score(logits)
        by_label = training.conditional and training.task == judged_by
        return {
            "is": mean,
            "is_std": std,
            "fid": frechet_distance(_of_train(runs, judged_by), logits),
            "recognised": _recognised(logits, y) if by_label else None,
        }

    return runs.figures(f"scores/{training.name}-by-{judged_by}", compute, training)


def score_runs(runs: GaaeRuns, first: Training, judged_by: str) -> Scores:
    """`scores` over the runs: means, `is_std`, `fid_std`. Of a single run: IS's own deviation, and None."""
    scores_of_runs = [scores(runs, training, judged_by) for training in all_runs(runs.scale, first)]
    if len(scores_of_runs) == 1:
        return {**scores_of_runs[0], "fid_std": None}
    known = [key for key, value in scores_of_runs[0].items() if value is not None]
    means = {key: float(np.mean([row[key] for row in scores_of_runs])) for key in known}
    spread = {f"{key}_std": float(np.std([row[key] for row in scores_of_runs])) for key in ("is", "fid")}
    return {"recognised": None, **means, **spread}


def _judged(runs: GaaeRuns, task: str, x: Tensor) -> Float32:
    logits: Float32 = answers(judge(runs, task).net, x, runs.device).numpy()
    return logits


def _of_train(runs: GaaeRuns, task: str) -> Float32:
    if task not in runs.train_logits:
        runs.train_logits[task] = _judged(runs, task, runs.spectrograms(task, "train").x)
    return runs.train_logits[task]


def _recognised(logits: Float32, y: NDArray[np.int64]) -> float:
    return accuracy(torch.from_numpy(logits), y)
