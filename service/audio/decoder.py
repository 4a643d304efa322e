"""Uploaded recordings, and the threads that decode them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bundle.arrays import Float32
from service.audio.decode import DecodedRecording, decode
from service.audio.limits import AudioLimits
from service.audio.prepare import PreparedRecording, prepare
from service.audio.readers import FfmpegReader
from service.audio.vad import SpeechDetector
from service.errors import TooLarge, TwofoldError
from service.metrics import Metrics

#: Told the bytes that decoded audio takes. May raise, to refuse them.
Hold = Callable[[int], None]


def hold_nothing(_: int) -> None:
    """Counts nothing: for work outside of a request."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded recording."""

    filename: str | None  # None for a raw body
    data: bytes
    pieces: tuple[tuple[float, float], ...] = ()  # start_s, end_s of what is used; (): all of it


@dataclass(frozen=True, slots=True)
class EmbeddedRecording:
    """One recording with the voice embeddings of its crops."""

    upload: Upload
    prepared: PreparedRecording
    embeddings: Float32  # (crops, dim), unit length


class AudioDecoder:
    """Decodes audio and finds speech in a few threads, off the event loop."""

    def __init__(self, limits: AudioLimits, threads: int, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._detector = SpeechDetector()
        self._ffmpeg = FfmpegReader()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    async def prepare(self, uploads: Sequence[Upload], hold: Hold = hold_nothing) -> list[PreparedRecording]:
        """Decodes every upload and cuts its speech into crops, in order.

        `hold` is told the bytes of each decoded recording, and may refuse them.

        Raises what `service.audio.prepare` raises, with `file_index` if there are several files. Raises
        TooLarge, too, if the files together are too long.
        """
        recordings: list[PreparedRecording] = []
        total_s = 0.0
        for index, upload in enumerate(uploads):
            try:
                recording = await self._run(upload)
            except TwofoldError as error:
                if len(uploads) > 1:
                    error.extra["file_index"] = index
                raise
            total_s += recording.decoded.duration_s
            if total_s > self._limits.max_seconds:
                raise TooLarge(
                    f"The files together are longer than {self._limits.max_seconds:g} s. Send fewer files.",
                    max_seconds=self._limits.max_seconds,
                )
            self._metrics.audio_seconds.inc(recording.decoded.duration_s)
            self._metrics.speech_seconds.inc(recording.crops.speech_s)
            hold(
                recording.decoded.samples.nbytes + recording.samples.nbytes + recording.crops.waveforms.nbytes
            )
            recordings.append(recording)
        return recordings

    async def decode(self, upload: Upload) -> DecodedRecording:
        """Decodes one upload; it need not hold speech. Raises what `service.audio.decode` raises."""
        loop = asyncio.get_running_loop()
        recording = await loop.run_in_executor(self._pool, decode, upload.data, self._limits, self._ffmpeg)
        self._metrics.audio_seconds.inc(recording.duration_s)
        return recording

    async def _run(self, upload: Upload) -> PreparedRecording:
        loop = asyncio.get_running_loop()
        work = partial(prepare, upload.data, self._limits, self._detector, self._ffmpeg, pieces=upload.pieces)
        return await loop.run_in_executor(self._pool, work)

    def close(self) -> None:
        """Waits for the recordings being decoded, then ends the threads and FFmpeg's processes."""
        self._pool.shutdown()
        self._ffmpeg.close()
