"""The way of every audio request: uploads → crops of speech → embeddings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from starlette.requests import ClientDisconnect

from bundle.arrays import Float32
from service.audio import PreparedRecording
from service.audio.decoder import AudioDecoder, EmbeddedRecording, Hold, Upload, hold_nothing
from service.diarization import Windows, cut_windows
from service.errors import InsufficientSpeech
from service.inference import Engine, content_frames, content_hop
from service.traces import stage

T = TypeVar("T")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


WINDOWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class EmbeddedWindows:
    """One recording with the voice embeddings of overlapping windows."""

    prepared: PreparedRecording
    windows: Windows
    embeddings: Float32  # (windows, dim), unit length


class Pipeline:
    """Decoding and inference for one request. If its client leaves, stops and raises ClientDisconnect.

    `hold` is told the bytes that decoded audio takes until the answer is sent, and `charge` its seconds.
    """

    def __init__(
        self,
        engine: Engine,
        decoder: AudioDecoder,
        receive: Receive,
        hold: Hold = hold_nothing,
        charge: Callable[[float], None] | None = None,
    ) -> None:
        self.engine = engine
        self._decoder = decoder
        self._receive = receive
        self._hold = hold
        self._charge = charge

    @property
    def model(self) -> str:
        """`name/version` of the model in use."""
        return self.engine.bundle.id

    async def embed(
        self, uploads: Sequence[Upload], *, required_s: float, together: bool = False
    ) -> list[EmbeddedRecording]:
        """Voice embeddings of every upload.

        `required_s` is the least net speech in seconds: of each file, or of all of them `together`.
        Raises InsufficientSpeech, and what decoding and inference raise.
        """
        return await while_connected(self._embed(uploads, required_s, together), self._receive)

    async def content(
        self, uploads: Sequence[Upload], *, required_s: float
    ) -> list[tuple[PreparedRecording, Float32]]:
        """Content frames of every upload. Silence is included: frame i starts at i · frame_s.

        Raises what `embed` raises, and Conflict if the model has no content encoder.
        """
        content_hop(self.engine.bundle)  # refuses before anything is decoded
        return await while_connected(self._content(uploads, required_s), self._receive)

    async def windows(self, upload: Upload, *, required_s: float) -> EmbeddedWindows:
        """Overlapping windows over the speech of one upload, with their voice embeddings.

        Raises what `embed` raises.
        """
        return await while_connected(self._windows(upload, required_s), self._receive)

    async def _windows(self, upload: Upload, required_s: float) -> EmbeddedWindows:
        (prepared,) = await self._prepare([upload])
        _require_speech([prepared.crops.speech_s], required_s, together=False)
        windows = cut_windows(prepared.regions)
        batches = windows.waveforms(prepared.samples, WINDOWS_AT_ONCE)
        # In parts: all windows of a long recording at once would take four times its memory.
        with stage("embed"):
            parts = [await self.engine.embed(batch) for batch in batches]
        embeddings = self.engine.without_line(np.concatenate(parts), narrow=prepared.audio.narrow)
        return EmbeddedWindows(prepared, windows, embeddings)

    async def _embed(
        self, uploads: Sequence[Upload], required_s: float, together: bool
    ) -> list[EmbeddedRecording]:
        prepared = await self._prepare(uploads)
        _require_speech([p.crops.speech_s for p in prepared], required_s, together)
        crops = np.concatenate([p.crops.waveforms for p in prepared])  # (crops of all files, 16384)
        with stage("embed"):
            embeddings = await self.engine.embed(crops)
        ends = np.cumsum([len(p.crops.waveforms) for p in prepared])[:-1]
        parts = np.split(embeddings, ends)
        return [
            EmbeddedRecording(upload, p, self.engine.without_line(part, narrow=p.audio.narrow))
            for upload, p, part in zip(uploads, prepared, parts, strict=True)
        ]

    async def _prepare(self, uploads: Sequence[Upload]) -> list[PreparedRecording]:
        with stage("decode"):
            prepared = await self._decoder.prepare(uploads, self._hold)
        if self._charge:
            self._charge(sum(recording.decoded.duration_s for recording in prepared))
        return prepared

    async def _content(
        self, uploads: Sequence[Upload], required_s: float
    ) -> list[tuple[PreparedRecording, Float32]]:
        prepared = await self._prepare(uploads)
        _require_speech([p.crops.speech_s for p in prepared], required_s, together=False)
        with stage("content"):
            return [(p, await content_frames(self.engine, p.samples)) for p in prepared]


async def while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """The result of `work`. Cancels it when the client leaves, and raises ClientDisconnect."""
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
