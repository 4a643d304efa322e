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
from trainer.reproduce.gaae.recipes import Training, runs
from trainer.reproduce.gaae.workshop import Workshop

GENERATE_BATCH = 64
Figures = dict[str, Any]


def generated(shop: Workshop, one: Training, count: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Spectrograms (count, bins, frames) of latents from p_z under random labels, and these (count,)."""
    decoder = shop.decoder(one)
    classes = len(TASKS[one.task].labels)
    generator = torch.Generator().manual_seed(1)
    x, labels = [], torch.randint(classes, (count,), generator=generator)
    with torch.no_grad():
        for y in torch.split(labels, GENERATE_BATCH):
            z = torch.randn(len(y), shop.scale.settings().latent_dim, generator=generator)
            one_hot = F.one_hot(y, classes).float()
            x.append(decoder(z.to(shop.device), one_hot.to(shop.device)).cpu())
    return torch.cat(x), labels.numpy()


def real_scores(shop: Workshop, task: str, split: str) -> Figures:
    """Of real audio: `is`, `is_std`, `fid` from real train (None of itself), `recognised` in percent."""

    def compute() -> Figures:
        heard = shop.heard(task, split)
        logits = _of_train(shop, task) if split == "train" else _judged(shop, task, heard.x)
        order = np.random.default_rng(0).permutation(len(heard.y))  # IS wants the classes mixed
        mean, std = inception_score(logits[order])
        fid = None if split == "train" else frechet_distance(_of_train(shop, task), logits)
        return {"is": mean, "is_std": std, "fid": fid, "recognised": _recognised(logits, heard.y)}

    return shop.row(f"scores/{task}-real-{split}", compute)


def scores(shop: Workshop, one: Training, judged_by: str) -> Figures:
    """The same of generated samples; `recognised` is None of a model that has other labels, or none."""

    def compute() -> Figures:
        x, y = generated(shop, one, shop.scale.samples)
        logits = _judged(shop, judged_by, x)
        mean, std = inception_score(logits)
        by_label = one.conditional and one.task == judged_by
        return {
            "is": mean,
            "is_std": std,
            "fid": frechet_distance(_of_train(shop, judged_by), logits),
            "recognised": _recognised(logits, y) if by_label else None,
        }

    return shop.row(f"scores/{one.name}-by-{judged_by}", compute, one)


def score_runs(shop: Workshop, first: Training, judged_by: str) -> Figures:
    """`scores` over the runs: means, `is_std`, `fid_std`. Of a single run: IS's own deviation, and None."""
    found = [scores(shop, one, judged_by) for one in runs(shop.scale, first)]
    if len(found) == 1:
        return {**found[0], "fid_std": None}
    known = [key for key, value in found[0].items() if value is not None]
    means = {key: float(np.mean([row[key] for row in found])) for key in known}
    spread = {f"{key}_std": float(np.std([row[key] for row in found])) for key in ("is", "fid")}
    return {"recognised": None, **means, **spread}


def _judged(shop: Workshop, task: str, x: Tensor) -> Float32:
    logits: Float32 = answers(judge(shop, task).net, x, shop.device).numpy()
    return logits


def _of_train(shop: Workshop, task: str) -> Float32:
    if task not in shop.of_train:
        shop.of_train[task] = _judged(shop, task, shop.heard(task, "train").x)
    return shop.of_train[task]


def _recognised(logits: Float32, y: NDArray[np.int64]) -> float:
    return accuracy(torch.from_numpy(logits), y)
