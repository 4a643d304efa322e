"""The networks of a generator bundle, loaded."""

from __future__ import annotations

from time import perf_counter
from typing import Protocol

import numpy as np

from bundle.arrays import Float32
from bundle.generator import GeneratorBundle
from bundle.manifest import BundleError
from service.generation.inverse import SpectrogramInverse
from service.inference.session import OnnxSession


class GenerationObserver(Protocol):
    """Receives the time that each stage takes."""

    def generated(self, stage: str, seconds: float) -> None:
        """One clip's `network`, `phase` or `style` took `seconds`."""


class Generator:
    """Generates clips with the networks of one bundle. All calls block.

    Clips are made one by one, so that a clip does not depend on the others of its request.
    """

    def __init__(self, bundle: GeneratorBundle, *, threads: int, observer: GenerationObserver) -> None:
        """Loads the networks and makes a clip to warm up. Raises BundleError or RuntimeMissingError."""
        self.bundle = bundle
        self._observer = observer
        self._generator = OnnxSession(bundle, "generator", threads)
        self._style = OnnxSession(bundle, "style", threads)
        self._inverse = SpectrogramInverse(bundle.spectrogram.scale)
        z = self._represent(np.zeros(bundle.waveform_samples, np.float32))
        self._require("style", z, (bundle.latent_dim,))
        spectrogram = self._spectrogram(z, 0)
        self._require("generator", spectrogram, (bundle.spectrogram.bins, bundle.spectrogram.frames))
        self._inverse.waveform(spectrogram, np.random.default_rng(0))  # compiles

    def style(self, waveform: Float32) -> Float32:
        """The latent z of one second at 16 kHz: (16000,) → (latent_dim,)."""
        start = perf_counter()
        z = self._represent(waveform)
        self._observer.generated("style", perf_counter() - start)
        return z

    def clip(self, label: str, seed: int, z: Float32 | None = None) -> Float32:
        """One second at 16 kHz, (16000,). The same arguments give the same samples on the same machine.

        Without `z` (latent_dim,), draws it from `seed`. Raises ValueError for an unknown label.
        """
        rng = np.random.default_rng(seed)
        prior = self.bundle.prior
        drawn = rng.normal(prior.mean, prior.std, self.bundle.latent_dim).astype(np.float32)
        start = perf_counter()
        spectrogram = self._spectrogram(drawn if z is None else z, self.bundle.labels.index(label))
        done = perf_counter()
        waveform = self._inverse.waveform(spectrogram, rng)
        self._observer.generated("network", done - start)
        self._observer.generated("phase", perf_counter() - done)
        return waveform

    def _represent(self, waveform: Float32) -> Float32:
        styles = self._style.run("style", waveform=waveform[None])  # (1, latent_dim)
        return styles.reshape(styles.shape[1:])

    def _spectrogram(self, z: Float32, label: int) -> Float32:
        labels = np.array([label], np.int64)
        spectrograms = self._generator.run("spectrogram", z=z[None], label=labels)  # (1, bins, frames)
        return spectrograms.reshape(spectrograms.shape[1:])

    def _require(self, network: str, output: Float32, shape: tuple[int, ...]) -> None:
        if output.shape != shape:
            raise BundleError(
                f"{network} of {self.bundle.id} does not match its manifest: its output has shape "
                f"{output.shape}, not {shape}."
            )
