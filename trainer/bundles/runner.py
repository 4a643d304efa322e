"""Runs the ONNX files of a bundle. No torch in here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime

from bundle.arrays import Float32
from bundle.manifest import BundleError
from bundle.scoring import Scorer
from bundle.space_map import read_adaptation
from bundle.vectors import unit
from bundle.voice import VoiceBundle

BATCH = 64  # crops in one ONNX call: larger ones are no faster and need more memory


@dataclass(frozen=True)
class BundleRunner:
    """The encoders of a bundle; sessions open on first use."""

    manifest: VoiceBundle
    threads: int = 0  # of onnxruntime inside one operator; 0: one per core

    @classmethod
    def load(cls, folder: Path, *, threads: int = 0) -> BundleRunner:
        """Reads a bundle folder and checks its files. Raises BundleError."""
        return cls(VoiceBundle.load(folder), threads)

    @property
    def id(self) -> str:
        """`<name>/<version>`, as the service answers it."""
        return self.manifest.id

    @cached_property
    def scorer(self) -> Scorer:
        """How the service scores its embeddings."""
        return Scorer(self.manifest.scoring)

    def embed(self, waveforms: Float32) -> Float32:
        """Voice embeddings of crops: (crops, 16384) → (crops, embedding_dim), each of unit length."""
        return self.adapt(self._run(self._voice, "embedding", waveforms))

    def adapt(self, embeddings: Float32) -> Float32:
        """What the bundle makes of its network's embeddings (crops, embedding_dim)."""
        return embeddings if self._adaptation is None else unit(embeddings @ self._adaptation)

    def content(self, waveforms: Float32) -> Float32:
        """Content frames of crops: (crops, 16384) → (crops, 64, content_dim).

        Raises:
            BundleError: the bundle has no content encoder.
        """
        return self._run(self._content, "frames", waveforms)

    @cached_property
    def _adaptation(self) -> Float32 | None:
        return read_adaptation(self.manifest)

    @cached_property
    def _voice(self) -> onnxruntime.InferenceSession:
        return self._open("voice")

    @cached_property
    def _content(self) -> onnxruntime.InferenceSession:
        return self._open("content")

    def _open(self, name: str) -> onnxruntime.InferenceSession:
        if name not in self.manifest.files:
            raise BundleError(
                f"{self.id} has no {name} encoder, only {', '.join(sorted(self.manifest.files))}: "
                "choose another bundle, or another encoder."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        return onnxruntime.InferenceSession(
            self.manifest.open(name), options, providers=["CPUExecutionProvider"]
        )

    def _run(self, session: onnxruntime.InferenceSession, output: str, waveforms: Float32) -> Float32:
        batches = np.split(waveforms, range(BATCH, len(waveforms), BATCH))
        return np.concatenate([session.run([output], {"waveform": batch})[0] for batch in batches])
