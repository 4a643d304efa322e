"""Every layer of the paper's networks against the output sizes of its tables."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils import parametrize

from trainer.gaae.blocks import ConditionalBatchNorm, NonLocal, conv
from trainer.gaae.networks import (
    Classifier,
    Decoder,
    Encoder,
    LatentDiscriminator,
    SampleDiscriminator,
    SimpleClassifier,
)
from trainer.gaae.settings import PRESETS, GaaeSettings

PAPER = PRESETS["paper"]
CH, BATCH, CLASSES = 16, 3, 10

DOWN = [  # Tables XIII and XX: height, width, channels
    (128, 64, CH),  # ResBlock
    (128, 64, CH),  # Non-local block
    (64, 32, CH),
    (32, 16, 2 * CH),
    (16, 8, 4 * CH),
    (8, 4, 8 * CH),
    (4, 2, 16 * CH),
    (4, 2, 16 * CH),  # ResBlock (No Shortcut)
    (4, 2, 16 * CH),  # ReLU
]
UP = [  # Table XXI, after the dense layer
    (8, 4, 16 * CH),
    (16, 8, 16 * CH),
    (32, 16, 16 * CH),
    (64, 32, 16 * CH),
    (128, 64, 16 * CH),
    (128, 64, 16 * CH),  # Non-local block
    (256, 128, CH),
]


def sizes(modules: Iterable[nn.Module], network: nn.Module, *inputs: torch.Tensor) -> list[tuple[int, ...]]:
    """Output sizes of modules without the batch, images as height, width, channels as in the tables."""
    shapes: list[tuple[int, ...]] = []

    def note(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        assert output.shape[0] == BATCH
        c, *image = output.shape[1:]
        shapes.append((*image, c) if image else (c,))

    for module in modules:
        module.register_forward_hook(note)
    network(*inputs)
    return shapes


def test_the_encoder_is_table_xx() -> None:
    with FakeTensorMode():
        encoder = Encoder(PAPER)
        x = torch.empty(BATCH, 256, 128)
        assert sizes(encoder.trunk.layers, encoder, x) == [*DOWN, (16 * CH,)]
        assert [part.shape for part in encoder(x)] == [(BATCH, 128), (BATCH, 128)]


def test_the_decoder_is_table_xxi() -> None:
    with FakeTensorMode():
        decoder = Decoder(PAPER, CLASSES)
        inputs = torch.empty(BATCH, 128), torch.empty(BATCH, CLASSES)
        blocks = [*decoder.blocks[:-1], decoder.attention, decoder.blocks[-1]]
        modules = [decoder.dense, *blocks, decoder.norm, decoder.conv]
        assert sizes(modules, decoder, *inputs) == [
            (4 * 2 * 16 * CH,),
            *UP,
            (256, 128, CH),  # BN; the table's "× 1" are times ch, as one line above
            (256, 128, 1),  # Conv
        ]
        assert decoder(*inputs).shape == (BATCH, 256, 128)


def test_the_decoder_is_as_large_as_was_planned() -> None:
    with FakeTensorMode():
        counts = {
            name: sum(p.numel() for p in Decoder(PRESETS[name], CLASSES).parameters()) / 1e6
            for name in ("paper", "tapered")
        }
    assert counts == {"paper": pytest.approx(6.6, abs=0.1), "tapered": pytest.approx(3.4, abs=0.1)}


def test_the_sample_discriminator_is_table_xiii() -> None:
    with FakeTensorMode():
        S = SampleDiscriminator(PAPER, CLASSES)
        inputs = torch.empty(BATCH, 256, 128), torch.empty(BATCH, CLASSES)
        assert sizes([*S.trunk.layers, S.dense], S, *inputs) == [*DOWN, (16 * CH,), (1,)]
        assert S(*inputs).shape == (BATCH,)


def test_the_classifier_is_table_xxii_and_the_latent_discriminator_table_xxiii() -> None:
    with FakeTensorMode():
        z = torch.empty(BATCH, 128)
        C, L = Classifier(PAPER, CLASSES), LatentDiscriminator(PAPER)
        assert sizes(C, C, z) == [(128,), (128,), (10,)]
        assert sizes(list(L)[:-1], L, z) == [(128,), (128,), (128,), (128,), (1,)]
        assert L(z).shape == (BATCH,)


def test_the_simple_classifier_is_table_xxiv() -> None:
    with FakeTensorMode():
        network = SimpleClassifier(PAPER, CLASSES)
        layers = [layer for layer in network if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear)]
        assert sizes(layers, network, torch.empty(BATCH, 256, 128)) == [
            (256, 128, 32),
            (128, 64, 32),
            (128, 64, 64),
            (64, 32, 64),
            (64, 32, 128),
            (32, 16, 128),
            (32, 16, 256),
            (16, 8, 256),
            (10,),
        ]


@pytest.mark.parametrize("name", ["small", "tapered"])
def test_every_preset_goes_from_spectrogram_to_latent_and_back(name: str) -> None:
    s = PRESETS[name]
    size = (BATCH, s.spectrogram.bins, s.spectrogram.frames)
    with FakeTensorMode():
        x, y = torch.empty(size), torch.empty(BATCH, CLASSES)
        guided, z = Encoder(s)(x)
        assert Classifier(s, CLASSES)(guided).shape == (BATCH, CLASSES)
        assert Decoder(s, CLASSES)(z, y).shape == size
        assert Decoder(s, None)(z).shape == size
        assert (
            SampleDiscriminator(s, CLASSES)(x, y).shape == SampleDiscriminator(s, None)(x).shape == (BATCH,)
        )


def test_of_the_networks_that_hear_only_the_discriminator_has_spectral_norm(tiny: GaaeSettings) -> None:
    def normed(network: nn.Module) -> set[bool]:
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        return {parametrize.is_parametrized(layer, "weight") for layer in layers}

    assert normed(SampleDiscriminator(tiny, 3).trunk) == {True}
    assert normed(Encoder(tiny).trunk) == {False}


def test_spectral_norm_makes_the_largest_singular_value_one() -> None:
    torch.manual_seed(0)
    layer = conv(6, 8, 3, spectral=True).train()
    weights = layer.get_submodule("parametrizations.weight")
    with torch.no_grad():
        weights.get_parameter("original").normal_(std=3)
        for _ in range(50):
            layer(torch.zeros(1, 6, 4, 4))
        sigma = torch.linalg.matrix_norm(layer.eval().weight.flatten(1), 2)
    assert float(sigma) == pytest.approx(1, abs=1e-3)
    u = weights.get_buffer("0.u").clone()
    layer(torch.zeros(1, 6, 4, 4))
    assert torch.equal(weights.get_buffer("0.u"), u)  # it does not move in evaluation


def test_conditional_batch_norm_takes_gain_and_bias_of_the_label() -> None:
    torch.manual_seed(0)
    norm = ConditionalBatchNorm(2, 3)
    assert norm.gain is not None
    assert norm.bias is not None
    x = torch.randn(3, 2, 4, 5)
    got = norm(x, torch.eye(3))
    plain = torch.nn.functional.batch_norm(x, None, None, training=True)
    gain, bias = 1 + norm.gain.weight.T, norm.bias.weight.T  # (classes, channels)
    torch.testing.assert_close(got, plain * gain[:, :, None, None] + bias[:, :, None, None])


def test_attention_starts_as_nothing_and_mixes_positions_when_opened() -> None:
    torch.manual_seed(0)
    block = NonLocal(8, spectral=False)
    x = torch.randn(2, 8, 4, 6)
    assert torch.equal(block(x), x)
    torch.nn.init.ones_(block.gamma)
    moved = x.clone()
    moved[:, :, 0, 0] += 5
    assert not torch.allclose(block(moved)[:, :, 3, 5], block(x)[:, :, 3, 5])
