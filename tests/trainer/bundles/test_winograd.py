"""Fewer multiplications, the same numbers."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.audio.frontends import FoldedDft
from trainer.autodecompose.graphs import VoiceGraph
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.update import update_onnx
from trainer.bundles.winograd import WinogradConv, winograd_layers
from trainer.bundles.write import Graph, check_onnx, write_onnx
from trainer.scoring.whitening import Whitening
from trainer.training.settings import override


@pytest.mark.parametrize("time", [4, 8, 64])
def test_a_winograd_convolution_is_the_convolution(time: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv1d(7, 9, 5, padding="same")
    x = torch.randn(3, time, 7)
    expected = torch.relu(conv(x.transpose(1, 2))).transpose(1, 2)
    torch.testing.assert_close(WinogradConv(conv.weight, conv.bias)(x), expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("window", [16, 256, 1024])
def test_the_folded_transform_is_the_transform(window: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, window)
    power = torch.fft.rfft(x.double()).abs().square()
    for actual, expected in zip(FoldedDft(window)(x), (power[..., ::2], power[..., 1::2]), strict=True):
        torch.testing.assert_close(actual.double(), expected, atol=1e-3, rtol=1e-4)


def test_other_layers_stay_as_they_are() -> None:
    conv, norm, relu = nn.Conv1d(4, 4, 5), nn.BatchNorm1d(4), nn.ReLU()
    assert winograd_layers(nn.Sequential(conv, norm, relu)) is not None
    assert winograd_layers(nn.Sequential(nn.Conv1d(4, 4, 3), norm, relu)) is None
    assert winograd_layers(nn.Sequential(conv, nn.InstanceNorm1d(4), relu)) is None
    assert winograd_layers(nn.Sequential()) is None


def test_a_voice_graph_is_its_network_and_takes_the_weights_of_a_later_one(tmp_path: Path) -> None:
    """As fine-tuning does: the parent's file with other constants."""
    torch.manual_seed(0)
    settings = override(TrainSettings(), {"encoder": "fast", "frontend": "relative", "width": "16"})
    objective = Objective(settings)
    waveform = 0.1 * torch.randn(3, 16384)
    whitening = Whitening(torch.randn(32).numpy(), torch.randn(32, 32).numpy())
    graphs = []
    for trained in (objective, copy.deepcopy(objective)):
        with torch.no_grad():
            for parameter in trained.parameters():
                parameter.add_(0.01 * torch.randn_like(parameter))
            trained.train()
            trained.model.E_s(trained.frontend(waveform))
        graph = VoiceGraph(trained.eval(), whitening).eval()
        with torch.no_grad():
            expected = graph.embedding(pool(trained.model.E_s(trained.frontend(waveform))))
            torch.testing.assert_close(graph(waveform)[0], expected, atol=2e-6, rtol=0)
        graphs.append(Graph("voice", graph, {"waveform": waveform}, ("embedding", "frames")))
    old, new = graphs
    write_onnx(old, tmp_path / "old.onnx")
    check_onnx(old, tmp_path / "old.onnx")
    update_onnx(tmp_path / "old.onnx", tmp_path / "new.onnx", old.module, new.module)
    check_onnx(new, tmp_path / "new.onnx")
