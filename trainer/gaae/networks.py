"""The networks of GAAE's appendix A: E, D, C, L, S and the simple classifier (Tables XIII and XX to XXIV).

What the tables leave open:

- The second ResBlock halves the size too: its RS column is empty, but its output size says so.
- S and L have spectral norm, as in BigGAN; D's dense layers have none.
- E has none, as in its table. C learns far more from few labels this way.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.gaae.blocks import ConditionalBatchNorm, DBlock, GBlock, NonLocal, SumPool, conv, dense
from trainer.gaae.recompute import run
from trainer.gaae.settings import GaaeSettings

START = (4, 2)  # height and width of the coarsest layer
CLASSIFIER_WIDTHS = (32, 64, 128, 256)


class Trunk(nn.Module):
    """The first layers of E and of S: (batch, bins, frames) → (batch, features).

    The last layer sums over the 4 × 2 positions that are left.
    """

    def __init__(self, settings: GaaeSettings, *, spectral: bool) -> None:
        super().__init__()
        self.fold, self.recompute = settings.fold, settings.recompute
        widths = [settings.channels * multiplier for multiplier in settings.encoder]
        layers: list[nn.Module] = [DBlock(self.fold**2, widths[0], spectral=spectral, first=True)]
        if settings.attention:
            layers.append(NonLocal(widths[0], spectral=spectral))
        layers += [DBlock(a, b, spectral=spectral) for a, b in pairwise(widths)]
        last = DBlock(widths[-1], widths[-1], spectral=spectral, down=False, shortcut=False)
        layers += [last, nn.ReLU(), SumPool()]
        self.layers = nn.Sequential(*layers)
        self.features = widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        h = F.pixel_unshuffle(x[:, None], self.fold)
        for layer in self.layers:
            h = run(layer, h, recompute=self.recompute)
        return h


class Encoder(nn.Module):
    """E, Table XX: (batch, bins, frames) → guided z (batch, guided_dim), general z' (batch, latent_dim)."""

    def __init__(self, settings: GaaeSettings) -> None:
        super().__init__()
        self.trunk = Trunk(settings, spectral=False)
        self.guided = dense(self.trunk.features, settings.guided_dim)
        self.style = dense(self.trunk.features, settings.latent_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.guided(h), self.style(h)


class Decoder(nn.Module):
    """D, Table XXI: z (batch, latent_dim), y (batch, classes) → (batch, bins, frames) in [−1, 1].

    Without classes it is the generator of the unsupervised BigGAN (Table XVI) and ignores y.
    """

    def __init__(self, settings: GaaeSettings, classes: int | None) -> None:
        super().__init__()
        widths = [settings.channels * multiplier for multiplier in settings.decoder]
        self.dense = dense(settings.latent_dim, widths[0] * START[0] * START[1])
        self.blocks = nn.ModuleList(GBlock(a, b, classes) for a, b in pairwise(widths))
        self.attention = NonLocal(widths[-2], spectral=False) if settings.attention else nn.Identity()
        self.norm = ConditionalBatchNorm(widths[-1], None)
        self.fold, self.recompute = settings.fold, settings.recompute
        self.conv = conv(widths[-1], self.fold**2, 3, spectral=False)
        with (
            torch.no_grad()
        ):  # equal weights for all points of a square: no chequerboard (Aitken et al. 2017)
            self.conv.weight.copy_(self.conv.weight[:1].expand_as(self.conv.weight))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.dense(z).unflatten(1, (-1, *START))
        for block in self.blocks[:-1]:
            x = run(block, x, y, recompute=self.recompute)
        x = run(self.attention, x, recompute=self.recompute)
        x = run(self.blocks[-1], x, y, recompute=self.recompute)
        x = self.conv(torch.relu(self.norm(x, None)))
        return torch.tanh(F.pixel_shuffle(x, self.fold))[:, 0]


class SampleDiscriminator(nn.Module):
    """S, Table XIII: (batch, bins, frames), y (batch, classes) → (batch,): dense(h) + Σ embed(y) · h.

    Without classes it is the discriminator of the unsupervised BigGAN (Table XVII).
    """

    def __init__(self, settings: GaaeSettings, classes: int | None) -> None:
        super().__init__()
        self.trunk = Trunk(settings, spectral=True)
        features = self.trunk.features
        self.dense = dense(features, 1, spectral=True)
        self.embed = None if classes is None else dense(classes, features, spectral=True, bias=False)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.trunk(x)
        score: Tensor = self.dense(h)[:, 0]
        return score if self.embed is None else score + (self.embed(y) * h).sum(dim=1)


class Classifier(nn.Sequential):
    """C, Table XXII: guided z (batch, guided_dim) → logits (batch, classes)."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        width = settings.guided_dim
        super().__init__(dense(width, width), nn.ReLU(), dense(width, classes))


class LatentDiscriminator(nn.Sequential):
    """L, Table XXIII: z (batch, latent_dim) → (batch,), with spectral norm as in S."""

    def __init__(self, settings: GaaeSettings) -> None:
        width = settings.latent_dim
        super().__init__(
            dense(width, width, spectral=True),
            nn.ReLU(),
            dense(width, width, spectral=True),
            nn.ReLU(),
            dense(width, 1, spectral=True),
            nn.Flatten(0),
        )


class SimpleClassifier(nn.Sequential):
    """Table XXIV: (batch, bins, frames) → logits (batch, classes). The table leaves out each layer's ReLU."""

    def __init__(self, settings: GaaeSettings, classes: int) -> None:
        layers: list[nn.Module] = [nn.Unflatten(1, (1, settings.spectrogram.bins))]
        inputs = 1
        for outputs in CLASSIFIER_WIDTHS:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            inputs = outputs
        shrunk = 2 ** len(CLASSIFIER_WIDTHS)
        positions = (settings.spectrogram.bins // shrunk) * (settings.spectrogram.frames // shrunk)
        super().__init__(*layers, nn.Flatten(), nn.Linear(inputs * positions, classes))
