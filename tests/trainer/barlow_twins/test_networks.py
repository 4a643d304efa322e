from __future__ import annotations

import pytest
import torch

from trainer.barlow_twins.networks import ResNet


@pytest.mark.parametrize(("depth", "features", "parameters"), [(18, 512, 11_170_240), (50, 2048, 23_501_760)])
def test_the_original_networks_with_one_input_channel(depth: int, features: int, parameters: int) -> None:
    # torchvision's networks have 11,689,512 and 25,557,032: without the classifier (513,000 and 2,049,000)
    # and with one input channel in place of three (6,272 weights fewer).
    network = ResNet(depth)
    assert network.features == features
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("depth", [18, 50])
def test_spectrogram_to_representation(depth: int) -> None:
    network = ResNet(depth, width=8)
    x = torch.rand(2, 513, 126)
    assert network(x).shape == (2, network.features)
    sizes = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _m, _i, y: sizes.append(tuple(y.shape[2:])))
    network(x)
    assert sizes[0] == (257, 63)
    assert sizes[-1] == (17, 4)  # five halvings


def test_another_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="depth is one of"):
        ResNet(34)
