from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.training.checkpoint import load_checkpoint, load_start, read_settings, save_checkpoint


def one_step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.ones(2, 3)).square().sum().backward()
    optimizer.step()


def fresh() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    return model, torch.optim.Adam(model.parameters(), lr=0.01)


def test_resuming_goes_on_exactly(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    model, optimizer = fresh()
    one_step(model, optimizer)
    save_checkpoint(path, {"model": model}, optimizer, 1, {"batch": 2})
    one_step(model, optimizer)

    other, other_optimizer = fresh()
    assert load_checkpoint(path, {"model": other}, other_optimizer) == 1
    one_step(other, other_optimizer)
    for ours, theirs in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert read_settings(path) == {"batch": 2}


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    model, optimizer = fresh()
    save_checkpoint(path, {"model": model}, optimizer, 0, {})
    with pytest.raises(RuntimeError):
        load_checkpoint(path, {"model": nn.Linear(3, 4)})


def test_a_start_gives_what_fits_and_leaves_the_rest(tmp_path: Path) -> None:
    before = nn.ModuleDict({"E": nn.Linear(3, 2), "head": nn.Linear(2, 5), "old": nn.Linear(1, 1)})
    save_checkpoint(tmp_path / "c.safetensors", {"objective": before}, None, 1, {})
    after = nn.ModuleDict({"E": nn.Linear(3, 2), "head": nn.Linear(2, 5), "new": nn.Linear(1, 1)})
    head = after["head"].weight.clone()
    load_start(tmp_path / "c.safetensors", after, ("head.",))
    assert torch.equal(after["E"].weight, before["E"].weight)
    assert torch.equal(after["head"].weight, head)
    with pytest.raises(ValueError, match="another model"):
        load_start(tmp_path / "c.safetensors", nn.ModuleDict({"other": nn.Linear(3, 2)}))
