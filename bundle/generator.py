"""The bundle of a model that generates (docs/gaae.md): no voice encoder, and so never the active model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bundle.audio import SAMPLE_RATE_HZ
from bundle.manifest import StoredBundle

_NETWORKS = ("generator", "style")


@dataclass(frozen=True)
class SpectrogramScale:
    """How g in [-1, 1] came about: |STFT| / max → ln, clipped at −r → x / (r/2) + 1, Nyquist bin left out."""

    sample_rate_hz: int
    window: int  # samples, also of the FFT
    hop: int  # samples
    r: float
    window_shape: Literal["hann", "hamming"] = "hann"


class SpectrogramForm(BaseModel):
    """What the generator's output stands for."""

    model_config = ConfigDict(frozen=True)

    sample_rate_hz: int = Field(ge=4000, le=SAMPLE_RATE_HZ)
    window: int = Field(ge=16, multiple_of=4)
    hop: int = Field(ge=1)
    bins: int
    frames: int = Field(ge=2)
    r: float = Field(gt=0)
    window_shape: Literal["hann", "hamming"] = "hann"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.bins != self.window // 2:
            raise ValueError(f"bins is {self.bins}, not half of the window, {self.window // 2}")
        if (self.frames - 1) * self.hop + self.window // 2 < self.sample_rate_hz:
            raise ValueError(f"{self.frames} frames do not make a second")
        return self

    @property
    def scale(self) -> SpectrogramScale:
        """What its inverse needs to know."""
        return SpectrogramScale(self.sample_rate_hz, self.window, self.hop, self.r, self.window_shape)


class Prior(BaseModel):
    """What each number of z is drawn from."""

    model_config = ConfigDict(frozen=True)

    distribution: Literal["normal"]
    mean: float
    std: float = Field(gt=0)


class GeneratorBundle(StoredBundle):
    """bundle.json of kind `gaae`."""

    kind: Literal["gaae"]
    waveform_samples: Literal[16000]
    labels: tuple[str, ...] = Field(min_length=1)
    language: str | None = None  # of the clips, as a BCP 47 tag; the labels may be of another
    latent_dim: int = Field(gt=0)
    prior: Prior
    spectrogram: SpectrogramForm

    @model_validator(mode="after")
    def _has_networks(self) -> Self:
        for name in _NETWORKS:
            if name not in self.files:
                raise ValueError(f"files lacks {name}")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("labels holds one label twice")
        return self
