"""The one way through the house: uploads → crops of speech → embeddings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect

from service.audio import AudioLimits, Prepared, Recording, SpeechDetector, decode, prepare
from service.errors import InsufficientSpeech, TooLarge, TwofoldError
from service.inference import Engine, content_frames
from service.metrics import Metrics

T = TypeVar("T")
Frames = NDArray[np.float32]  # (frames, content_dim)
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Upload:
    """One recording as it was sent."""

    filename: str | None  # None for a raw body
    data: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording with the voice embeddings of its crops."""

    upload: Upload
    prepared: Prepared
    embeddings: NDArray[np.float32]  # (crops, dim), unit length


class AudioDecoder:
    """Decodes and finds speech in a few threads, off the event loop."""

    def __init__(self, limits: AudioLimits, threads: int, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._detector = SpeechDetector()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    async def prepare(self, uploads: Sequence[Upload]) -> list[Prepared]:
        """Every upload decoded, in order.

        Raises InvalidAudio or NoSpeech (with `file_index` when there are several files), and TooLarge, also
        when only all of them together are too long.
        """
        done: list[Prepared] = []
        total_s = 0.0
        for index, upload in enumerate(uploads):
            try:
                one = await self._run(upload.data)
            except TwofoldError as error:
                if len(uploads) > 1:
                    error.extra["file_index"] = index
                raise
            total_s += one.recording.duration_s
            if total_s > self._limits.max_seconds:
                raise TooLarge(
                    f"The files together are longer than {self._limits.max_seconds:g} s. Send fewer at once.",
                    max_seconds=self._limits.max_seconds,
                )
            self._metrics.audio_seconds.inc(one.recording.duration_s)
            self._metrics.speech_seconds.inc(one.crops.speech_s)
            done.append(one)
        return done

    async def decode(self, upload: Upload) -> Recording:
        """One upload, whatever is to be heard in it. Raises what `service.audio.decode` raises."""
        loop = asyncio.get_running_loop()
        recording = await loop.run_in_executor(self._pool, decode, upload.data, self._limits)
        self._metrics.audio_seconds.inc(recording.duration_s)
        return recording

    async def _run(self, data: bytes) -> Prepared:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, prepare, data, self._limits, self._detector)

    def close(self) -> None:
        """Waits for the recordings in work."""
        self._pool.shutdown()


class Pipeline:
    """Decoding and inference for one request. Work stops when its client leaves: raises ClientDisconnect."""

    def __init__(self, engine: Engine, decoder: AudioDecoder, receive: Receive) -> None:
        self.engine = engine
        self._decoder = decoder
        self._receive = receive

    @property
    def model(self) -> str:
        """`name/version` of the model that answers."""
        return self.engine.bundle.id

    async def hear(
        self, uploads: Sequence[Upload], *, required_s: float, together: bool = False
    ) -> list[Heard]:
        """Voice embeddings of every upload.

        `required_s` is the least net speech in seconds: of each file, or of all of them `together`.
        Raises InsufficientSpeech, and all that decoding and inference raise.
        """
        return await while_connected(self._hear(uploads, required_s, together), self._receive)

    async def content(self, uploads: Sequence[Upload], *, required_s: float) -> list[tuple[Prepared, Frames]]:
        """Content frames of every upload, silence included, so that frame i starts at i · frame_s.

        Raises what `hear` raises, and Conflict where the model has no content encoder.
        """
        self.engine.bundle.content_hop()  # refuses before anything is decoded
        return await while_connected(self._content(uploads, required_s), self._receive)

    async def _hear(self, uploads: Sequence[Upload], required_s: float, together: bool) -> list[Heard]:
        prepared = await self._decoder.prepare(uploads)
        _require_speech([p.crops.speech_s for p in prepared], required_s, together)
        crops = np.concatenate([p.crops.waveforms for p in prepared])  # (crops of all files, 16384)
        embeddings = await self.engine.embed(crops)
        ends = np.cumsum([len(p.crops.waveforms) for p in prepared])[:-1]
        parts = np.split(embeddings, ends)
        return [Heard(u, p, e) for u, p, e in zip(uploads, prepared, parts, strict=True)]

    async def _content(self, uploads: Sequence[Upload], required_s: float) -> list[tuple[Prepared, Frames]]:
        prepared = await self._decoder.prepare(uploads)
        _require_speech([p.crops.speech_s for p in prepared], required_s, together=False)
        return [(p, await content_frames(self.engine, p.recording.samples)) for p in prepared]


async def while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """What `work` returns; it is cancelled when the client leaves. Raises ClientDisconnect."""
    task = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_client_leaves(receive))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        left.cancel()


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _require_speech(seconds: Sequence[float], required_s: float, together: bool) -> None:
    for speech_s in [sum(seconds)] if together else seconds:
        if speech_s < required_s:
            raise InsufficientSpeech(speech_s=speech_s, required_s=required_s)
