"""The pictures of docs/results/syntone.md: what Figs 1–12 of the paper show, three sheets a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from trainer.syntone.dataset import FACTORS, SAMPLE_RATE_HZ, TIMBRES
from trainer.syntone.features import FRAMES, ROWS, waveforms
from trainer.syntone.objectives import Material, SynToneModel

AMPLITUDE, FREQUENCY_HZ = 0.57, 4248.42  # of the paper's Figs 1, 3, 5 and 7
LOW_FREQUENCY_HZ = 1000.0  # and one whose harmonics do not fold back at once
SPAN = np.linspace(-2.5, 2.5, 10)  # of a traversed code; the paper shows ten values too
_BRIGHTEST = 0.7  # a little above the shown clips, whose maximum is their amplitude
_SHOWN_S = 0.004  # of a waveform
_DPI = 75
_COLOURS = 64  # of a PNG: a third of the size, and nothing is seen of it


class Drawings:
    """Draws into a folder of PNGs."""

    def __init__(self, folder: Path, material: Material) -> None:
        self.folder, self.material = folder, material
        folder.mkdir(parents=True, exist_ok=True)
        targets = [(t, AMPLITUDE, hz) for hz in (FREQUENCY_HZ, LOW_FREQUENCY_HZ) for t in range(len(TIMBRES))]
        self.shown = [self._nearest(*target) for target in targets]

    def draw(self, name: str, title: str, model: SynToneModel) -> None:
        """NAME.png: clips, their reconstructions, and samples; then NAME_sound.png and NAME_traversal.png."""
        x = self.material.features[self.shown]
        rebuilt = model.decode(model.codes(x))
        generator = torch.Generator().manual_seed(model.settings.seed)
        sampled = model.decode(torch.randn(len(x), model.settings.latents, generator=generator))
        figure = Figure(figsize=(12, 8))
        figure.suptitle(f"{title}: clips, their reconstructions, and samples of the prior (run 0)")
        rows = figure.add_gridspec(3, 1, height_ratios=(3, 1, 1), left=0.08, right=0.98, top=0.9, bottom=0.03)
        images = figure.add_subplot(rows[0])
        _montage(images, torch.stack([x, rebuilt, sampled]), ("clip", "rebuilt", "sample"))
        described = [self.material.grid.factors[index] for index in self.shown]
        labels = [f"{TIMBRES[int(timbre)]}\n{peak:.2f}, {hz:.0f} Hz" for timbre, peak, hz in described]
        images.set_xticks(images.get_xticks(), labels, fontsize=9)
        images.xaxis.tick_top()
        for row, label in ((1, "clip, rebuilt"), (2, "sample")):
            for column, axis in enumerate(rows[row].subgridspec(1, len(x)).subplots(squeeze=False)[0]):
                for lines in (x, rebuilt) if row == 1 else (sampled,):
                    axis.plot(lines[column].mean(1).numpy(), linewidth=0.9)  # the first row is the level
                axis.set(ylim=(-0.05, 1.05), xticks=[], yticks=[0, 1] if column == 0 else [])
                if column == 0:
                    axis.set_ylabel(label)
        self._save(figure, name)
        self._draw_sound(name, title, x, rebuilt, sampled)
        self._draw_traversal(name, title, model)

    def _draw_sound(self, name: str, title: str, x: Tensor, rebuilt: Tensor, sampled: Tensor) -> None:
        """Figs 1 to 8: in time, its Fourier transform, and the features."""
        first, last = 0, len(x) - 1  # a sine at 4248 Hz as in the paper, and the sawtooth at 1000 Hz
        rows = {
            "sine, clip": x[first],
            "sine, rebuilt": rebuilt[first],
            "sawtooth, clip": x[last],
            "sawtooth, rebuilt": rebuilt[last],
            "sample": sampled[0],
        }
        sounds = waveforms(torch.stack(list(rows.values()))).numpy()
        clips = self.material.grid.clips([self.shown[first], self.shown[last]])
        sounds[0], sounds[2] = clips  # as they are: with their own phase
        figure = Figure(figsize=(11, 8), layout="constrained")
        figure.suptitle(f"{title}: waveform, Fourier transform and features (run 0)")
        shown = int(_SHOWN_S * SAMPLE_RATE_HZ)
        middle = sounds.shape[1] // 2  # away from the ends, which the features mirror
        times_ms = 1000 * np.arange(shown) / SAMPLE_RATE_HZ
        axes = figure.subplots(len(rows), 3, width_ratios=(2, 2, 1))
        for row, (label, image), sound in zip(axes, rows.items(), sounds, strict=True):
            row[0].plot(times_ms, sound[middle : middle + shown], linewidth=0.9)
            row[0].set(ylim=(-1.05, 1.05), ylabel=label)
            spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
            shares = spectrum / spectrum.max().clip(min=1e-9)  # lines of what was made are broad and low
            row[1].plot(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ), shares, linewidth=0.9)
            row[1].set(ylim=(0, 1.05))
            row[2].imshow(image.numpy(), origin="lower", aspect="auto", vmin=0, vmax=_BRIGHTEST)
            row[2].set(xticks=[], yticks=[])
        axes[-1][0].set_xlabel("ms")
        axes[-1][1].set_xlabel("Hz")
        self._save(figure, f"{name}_sound")

    def _draw_traversal(self, name: str, title: str, model: SynToneModel) -> None:
        start = model.codes(self.material.features[self.shown[-1:]])  # the sawtooth at 1000 Hz
        codes = start.shape[1]
        z = start.repeat(codes, len(SPAN), 1)  # (code traversed, value, codes)
        for code in range(codes):
            z[code, :, code] = torch.from_numpy(SPAN)
        figure = Figure(figsize=(9, 0.9 * codes + 0.8), layout="constrained")
        figure.suptitle(f"{title}: one code at a time, a 1 kHz sawtooth's other codes kept (run 0)")
        axis = figure.subplots()
        images = model.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        _montage(axis, images, [f"code {code}" for code in range(codes)])
        axis.set_xticks(axis.get_xticks(), [f"{value:.1f}" for value in SPAN])
        self._save(figure, f"{name}_traversal")

    def draw_told(self, told: Mapping[str, Sequence[Sequence[float]]]) -> None:
        """told.png: a model a panel, its codes against the factors."""
        figure = Figure(figsize=(11, 3.2), layout="constrained")
        figure.suptitle("Share of each factor's entropy that a single code tells (run 0)")
        for axis, (title, shares) in zip(figure.subplots(1, len(told)), told.items(), strict=True):
            values = np.asarray(shares)
            axis.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
            for (code, factor), value in np.ndenumerate(values):
                colour = "white" if value > 0.6 else "black"
                axis.text(factor, code, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)
            axis.set_title(title, fontsize=10)
            axis.set_xticks(range(len(FACTORS)), FACTORS, fontsize=7)
            axis.set_yticks(range(len(values)), [f"{code}" for code in range(len(values))], fontsize=7)
        self._save(figure, "told")

    def _save(self, figure: Figure, name: str) -> None:
        drawn = BytesIO()
        figure.savefig(drawn, dpi=_DPI)
        picture = Image.open(drawn).convert("RGB").quantize(_COLOURS)
        picture.save(self.folder / f"{name}.png", optimize=True)

    def _nearest(self, timbre: int, amplitude: float, frequency_hz: float) -> int:
        factors = self.material.grid.factors
        wanted = np.array([timbre, amplitude, frequency_hz])
        scale = np.array([1.0, 1.0, SAMPLE_RATE_HZ])
        distance = np.abs((factors - wanted) / scale)
        distance[:, 0] *= 10  # never another timbre
        distance[~self.material.held_out] += 1000  # nor a clip that was trained on
        return int(distance.sum(1).argmin())


def _montage(axis: Axes, images: Tensor, labels: Sequence[str]) -> None:
    """(rows, columns, 64, 32) as one picture, low bands at the bottom, the rows labelled."""
    framed = F.pad(images, (0, FRAMES // 8, 0, ROWS // 16), value=torch.nan)
    rows, columns, height, width = framed.shape
    picture = framed.flip(2).permute(0, 2, 1, 3).reshape(rows * height, columns * width)
    axis.imshow(picture.numpy(), aspect="auto", vmin=0, vmax=_BRIGHTEST, interpolation="nearest")
    axis.set_yticks([height * (row + 0.5) for row in range(rows)], labels)
    axis.set_xticks([width * (column + 0.5) for column in range(columns)])
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
