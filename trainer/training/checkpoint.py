"""Training state in safetensors: weights, Adam's moments and the step. No pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer | None,
    step: int,
    settings: dict[str, Any],
) -> None:
    """Writes the file whole or not at all: a training killed here resumes from the previous checkpoint."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": value.contiguous() for key, value in module.state_dict().items()}
    if optimizer is not None:
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value.contiguous() for key, value in state.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"step": str(step), "settings": json.dumps(settings)})
    partial.replace(path)


def load_checkpoint(
    path: Path, modules: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer | None = None
) -> int:
    """Puts a checkpoint's tensors into modules and optimizer; returns its step."""
    tensors, step = _read(path)
    for name, module in modules.items():
        module.load_state_dict(_of(name, tensors))
    if optimizer is not None:
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            kind, *rest = key.split("/")
            if kind == "optimizer":
                state.setdefault(int(rest[0]), {})[rest[1]] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return step


def load_start(path: Path, objective: nn.Module, fresh: Sequence[str] = ()) -> None:
    """Puts those of a checkpoint's tensors into an objective that it has too; the others begin as they are.

    Args:
        fresh: beginnings of names that are left as they are in any case.

    Raises:
        ValueError: they have nothing in common.
    """
    tensors, _ = _read(path)
    state = objective.state_dict()
    common = {
        key: value
        for key, value in _of("objective", tensors).items()
        if key in state and state[key].shape == value.shape and not key.startswith(tuple(fresh))
    }
    if not common:
        raise ValueError(f"{path} is of another model: nothing in it fits.")
    objective.load_state_dict(common, strict=False)


def _read(path: Path) -> tuple[dict[str, Tensor], int]:
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        return tensors, int(file.metadata()["step"])


def _of(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}/"
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def read_step(path: Path) -> int:
    """The step of a checkpoint; 0 if there is none."""
    if not path.is_file():
        return 0
    with safe_open(path, framework="pt") as file:
        return int(file.metadata()["step"])


def read_settings(path: Path) -> dict[str, Any]:
    """The settings a checkpoint was trained with."""
    with safe_open(path, framework="pt") as file:
        settings: dict[str, Any] = json.loads(file.metadata()["settings"])
    return settings
