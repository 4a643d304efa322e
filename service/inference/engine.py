"""A bundle that is loaded and answers."""

from __future__ import annotations

import ctypes

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from bundle.space_map import read_adaptation
from bundle.vectors import unit
from bundle.voice import VoiceBundle
from service.inference.batcher import BatchObserver, MicroBatcher
from service.inference.session import OnnxSession

_OUTPUTS = {"voice": "embedding", "content": "frames"}  # what each graph is asked for


class Engine:
    """The encoders of one bundle behind one micro-batcher."""

    def __init__(
        self, bundle: VoiceBundle, *, threads: int, max_batch: int, max_queue: int, observer: BatchObserver
    ) -> None:
        """Loads and warms up; blocks for about a second. Raises BundleError or RuntimeMissingError."""
        self.bundle = bundle
        self._sessions = {
            name: OnnxSession(bundle, name, threads) for name in _OUTPUTS if name in bundle.files
        }
        self._scorer = Scorer(bundle.scoring)
        self._adaptation = read_adaptation(bundle)  # (dim, dim), or None
        for batch in (1, max_batch):
            silence = np.zeros((batch, bundle.crop_samples), np.float32)
            for encoder in self._sessions:
                self._encode(encoder, silence)
        self._batcher = MicroBatcher(
            self._encode, max_batch=max_batch, max_queue=max_queue, observer=observer
        )

    async def embed(self, waveforms: Float32) -> Float32:
        """Unit voice embeddings: (crops, 16384) at 16 kHz → (crops, embedding_dim). Raises Overloaded."""
        return await self._batcher.submit("voice", waveforms)

    def without_line(self, embeddings: Float32, *, narrow: bool) -> Float32:
        """Embeddings (crops, dim) of a recording, as those of a wide one; `narrow` if it is none."""
        return self._scorer.without_line(embeddings) if narrow else embeddings

    async def content(self, waveforms: Float32) -> Float32:
        """Content frames: (crops, 16384) → (crops, 64, content_dim); only where there is content.

        Raises Overloaded.
        """
        return await self._batcher.submit("content", waveforms)

    def close(self) -> None:
        """Finishes what is queued, then frees the worker thread and the sessions' memory. Blocks."""
        self._batcher.close()
        # The batcher holds a method of this object: the memory would wait for the cycle collector.
        self._sessions.clear()
        _return_free_memory()

    def _encode(self, encoder: str, waveforms: Float32) -> Float32:
        output = self._sessions[encoder].run(_OUTPUTS[encoder], waveform=waveforms)
        if encoder != "voice" or self._adaptation is None:
            return output
        return unit(output @ self._adaptation)


def _return_free_memory() -> None:
    # glibc keeps what sessions freed, in an arena for each thread: some 30 MB more with every model switch.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim:
        trim(0)
