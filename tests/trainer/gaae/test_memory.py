"""The bytes of the paper's setting, counted without its arithmetic; saving them changes no number."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trainer.gaae.blocks import NonLocal, attention
from trainer.gaae.data import GaaeBatch
from trainer.gaae.objective import GAAE
from trainer.gaae.settings import PRESETS, GaaeSettings
from trainer.gaae.train import make_optimizer, update

PAPER = PRESETS["paper"]
CLASSES = 10
GB = 1e9


class LiveBytes(TorchDispatchMode):
    """The bytes of all tensors that are alive, and the most there ever were."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.storages: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._note(tensor.untyped_storage())
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.storages:
            return
        self.storages.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self.storages.discard(key)
        self.live -= size


def peak(settings: GaaeSettings) -> int:
    """Bytes at the worst moment of both updates, in bf16 as on a GPU where the settings say so."""
    m = settings.batch
    with (
        FakeTensorMode(),
        LiveBytes() as counted,
        torch.autocast("cpu", torch.bfloat16, enabled=settings.mixed_precision),
    ):
        model = GAAE(settings, CLASSES).train()
        optimizer, generator = make_optimizer(model), torch.Generator()
        batch = GaaeBatch(torch.empty(m, 16_000), torch.empty(m, 16_000), torch.empty(m, dtype=torch.long))
        for discriminate in (True, False):
            update(model, batch, optimizer, generator, discriminate=discriminate)
    return counted.peak


def test_the_paper_fits_a_gpu_of_80_gb_and_with_either_saving_one_of_24() -> None:
    # Without the attention's matrices. Half of each GPU is left to kernels and to what an allocator wastes.
    assert PAPER.batch == PAPER.labelled_batch == 128
    assert peak(PAPER) < 40 * GB
    assert peak(replace(PAPER, recompute=True)) < 16 * GB
    assert peak(replace(PAPER, accumulate=4)) < 12 * GB


def test_full_precision_fits_80_gb_too() -> None:
    assert peak(replace(PAPER, mixed_precision=False)) < 60 * GB


def trained(settings: GaaeSettings, seconds: torch.Tensor) -> GAAE:
    """After an update of both kinds, with the attention's gate opened."""
    torch.manual_seed(0)
    model = GAAE(settings, 3).train()
    for module in model.modules():
        if isinstance(module, NonLocal):
            torch.nn.init.ones_(module.gamma)
    optimizer, generator = make_optimizer(model), torch.Generator().manual_seed(0)
    batch = GaaeBatch(seconds[:4], seconds[2:6], torch.tensor([0, 1, 2, 0]))
    for discriminate in (True, False):
        update(model, batch, optimizer, generator, discriminate=discriminate)
    return model


def test_blocks_that_run_again_train_the_same_weights_and_statistics(
    tiny: GaaeSettings, seconds: torch.Tensor
) -> None:
    settings = replace(tiny, attention=True, channels=8)
    once, again = trained(settings, seconds), trained(replace(settings, recompute=True), seconds)
    torch.testing.assert_close(again.state_dict(), once.state_dict())


def test_a_batch_in_parts_moves_every_weight(tiny: GaaeSettings, seconds: torch.Tensor) -> None:
    torch.manual_seed(0)
    before = GAAE(tiny, 3).state_dict()
    after = trained(replace(tiny, accumulate=2), seconds)
    assert all(not torch.equal(before[name], p) for name, p in after.named_parameters() if p.grad is not None)
    with pytest.raises(ValueError, match="another accumulate"):
        trained(replace(tiny, accumulate=3), seconds)


def test_the_loss_of_two_parts_is_their_mean(tiny: GaaeSettings, seconds: torch.Tensor) -> None:
    settings = replace(tiny, degrade=False, mixed_precision=False)
    twice = GaaeBatch(seconds[:2].repeat(2, 1), seconds[2:4].repeat(2, 1), torch.tensor([0, 1, 0, 1]))
    torch.manual_seed(0)
    model = GAAE(replace(settings, accumulate=2), 3).train()
    optimizer = make_optimizer(model)
    means = update(model, twice, optimizer, torch.Generator().manual_seed(0), discriminate=False)
    halves = []
    torch.manual_seed(0)
    model = GAAE(settings, 3).train()
    generator = torch.Generator().manual_seed(0)
    for part in twice.parts(2):
        halves.append(model.edc_losses(part, generator))
    expected = 0.5 * (halves[0]["R_loss"] + halves[1]["R_loss"])
    torch.testing.assert_close(means["R_loss"], expected.detach())


def test_attention_is_that_of_the_matrix() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(2, 12, 3), torch.randn(2, 5, 3), torch.randn(2, 5, 11)
    expected = (query @ key.transpose(1, 2)).softmax(dim=-1) @ value
    torch.testing.assert_close(attention(query, key, value), expected)
