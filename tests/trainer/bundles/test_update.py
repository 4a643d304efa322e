from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.autodecompose.networks import ENCODERS, FrameNet
from trainer.bundles.update import update_onnx
from trainer.bundles.write import ExportError, Graph, check_onnx, write_onnx


def nets(encoder: str, norm: str = "batch") -> tuple[nn.Module, nn.Module, torch.Tensor]:
    """A network that has been trained, so that no two of its layers are alike, and one trained on from it."""
    torch.manual_seed(0)
    x = torch.randn(7, 64, 80)
    old = FrameNet(ENCODERS[encoder], 80, 16, norm)
    trained_on(old, x)
    new = copy.deepcopy(old)
    trained_on(new, x)
    return old.eval(), new.eval(), x


def trained_on(net: nn.Module, x: torch.Tensor) -> None:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
        net.train()(x)


@pytest.mark.parametrize(("encoder", "norm"), [("dense", "batch"), ("fast", "batch"), ("fast", "instance")])
def test_the_parents_graph_with_new_weights_equals_the_new_module(
    encoder: str, norm: str, tmp_path: Path
) -> None:
    old, new, x = nets(encoder, norm)
    source, target = tmp_path / "old.onnx", tmp_path / "new.onnx"
    write_onnx(Graph("net", old, {"x": x}, ("y",)), source)
    update_onnx(source, target, old, new)
    check_onnx(Graph("net", new, {"x": x}, ("y",)), target)
    with pytest.raises(ExportError):
        check_onnx(Graph("net", old, {"x": x}, ("y",)), target)


def test_what_cannot_be_found_is_refused(tmp_path: Path) -> None:
    old, new, x = nets("dense")
    source = tmp_path / "old.onnx"
    write_onnx(Graph("net", old, {"x": x}, ("y",)), source)
    with pytest.raises(ExportError, match="found 0 times"):
        update_onnx(source, tmp_path / "new.onnx", new, old)
    lstm, changed, _ = nets("lstm")
    with pytest.raises(ExportError, match="LSTM"):
        update_onnx(source, tmp_path / "new.onnx", lstm, changed)
    assert not (tmp_path / "new.onnx").exists()
