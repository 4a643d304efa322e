from __future__ import annotations

import pytest
import torch

from trainer.autodecompose.networks import DECODERS, ENCODERS, Autodecompose, FrameNet, pool


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_keep_time(name: str) -> None:
    encoder = FrameNet(ENCODERS[name], 80, 128).eval()
    assert encoder(torch.rand(2, 64, 80)).shape == (2, 64, 128)


@pytest.mark.parametrize("name", DECODERS)
def test_decoders_give_mel_frames(name: str) -> None:
    assert FrameNet(DECODERS[name], 256, 80).eval()(torch.rand(2, 64, 256)).shape == (2, 64, 80)


def test_instance_norm_takes_out_most_of_what_is_constant_over_a_crop() -> None:
    """A channel adds a constant to each log-mel band. Zeros at the ends of a crop still tell of it."""
    x = torch.rand(2, 64, 80)
    tilted = x + torch.linspace(-1, 1, 80)
    change = {}
    for norm in ("instance", "batch"):
        torch.manual_seed(0)
        encoder = FrameNet(ENCODERS["fast"], 80, 16, norm).eval()
        with torch.no_grad():
            change[norm] = float((encoder(tilted) - encoder(x)).abs().mean() / encoder(x).std())
    assert change["instance"] < 0.7 * change["batch"], change


def test_large_is_the_papers() -> None:
    """3 conv. (512) + BNR + 3 LSTM (256) + embd128; 2 conv. (512) + BNR + 2 LSTM (512) + out."""
    model = Autodecompose("large", "large")
    convs = [m for m in model.E_s.modules() if isinstance(m, torch.nn.Conv1d)]
    assert [c.out_channels for c in convs] == [512, 512, 512]
    assert model.E_s.lstm is not None
    assert (model.E_s.lstm.num_layers, model.E_s.lstm.hidden_size) == (3, 256)
    assert model.E_s.out.out_features == 128
    assert model.G.lstm is not None
    assert (model.G.lstm.num_layers, model.G.lstm.hidden_size) == (2, 512)
    assert model.G.out.out_features == 80


def test_fast_is_small() -> None:
    parameters = sum(p.numel() for p in FrameNet(ENCODERS["fast"], 80, 128).parameters())
    assert 0.7e6 < parameters < 0.9e6


def test_pool_is_mean_and_deviation() -> None:
    frames = torch.rand(3, 64, 5)
    expected = torch.cat([frames.mean(dim=1), frames.std(dim=1, unbiased=False)], dim=1)
    torch.testing.assert_close(pool(frames), expected, atol=1e-5, rtol=0)


def test_pool_does_not_hear_the_order_of_frames() -> None:
    frames = torch.rand(3, 64, 5)
    torch.testing.assert_close(pool(frames), pool(frames[:, torch.randperm(64)]))
