"""Recordings through real codecs, by ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import numpy as np

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ

GAP_S = 0.5  # of silence between recordings that share a stream, so that no codec carries one into the next


class CodecError(Exception):
    """ffmpeg is missing, or cannot do what it was asked."""


@dataclass(frozen=True)
class Codec:
    """How ffmpeg encodes a stream of 16-bit samples."""

    options: tuple[str, ...]  # encoder, bit rate
    container: str
    rate_hz: int = SAMPLE_RATE_HZ  # that the encoder is given


CODECS = {
    "G.711 mu-law": Codec(("-c:a", "pcm_mulaw"), "wav", 8_000),
    "GSM": Codec(("-c:a", "libgsm_ms"), "wav", 8_000),
    "Speex 8 kHz": Codec(("-c:a", "libspeex", "-compression_level", "5"), "ogg", 8_000),
    "Opus 8 kbit/s": Codec(("-c:a", "libopus", "-b:a", "8k"), "ogg"),
    "Opus 16 kbit/s": Codec(("-c:a", "libopus", "-b:a", "16k"), "ogg"),
    "MP3 32 kbit/s": Codec(("-c:a", "libmp3lame", "-b:a", "32k"), "mp3"),
}


def through_codec(recordings: Sequence[Float32], codec: Codec) -> list[Float32]:
    """Recordings (samples,) at 16 kHz, encoded and decoded as one stream; each keeps its length.

    Raises:
        CodecError: ffmpeg is missing, or has not the encoder.
    """
    gap = np.zeros(round(GAP_S * SAMPLE_RATE_HZ), np.float32)
    stream = np.concatenate([gap, *(part for samples in recordings for part in (samples, gap))])
    pcm = (np.clip(stream, -1, 1) * 32767).astype("<i2").tobytes()
    raw = ("-f", "s16le", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ))
    with TemporaryDirectory() as folder:  # a pipe would lose the MP3 tag that says how late the sound begins
        encoded = f"{folder}/encoded.{codec.container}"
        _ffmpeg([*raw, "-i", "-", *codec.options, "-ar", str(codec.rate_hz), encoded], pcm)
        decoded = _ffmpeg(["-i", encoded, *raw, "-"])
    received: Float32 = np.frombuffer(decoded, "<i2").astype(np.float32) / np.float32(32768)
    received = np.asarray(np.pad(received, (0, max(stream.size - received.size, 0))), np.float32)
    starts = np.cumsum([gap.size, *(samples.size + gap.size for samples in recordings[:-1])])
    return [received[start : start + samples.size] for start, samples in zip(starts, recordings, strict=True)]


def _ffmpeg(arguments: Sequence[str], data: bytes = b"") -> bytes:
    if shutil.which("ffmpeg") is None:
        raise CodecError("Codecs need ffmpeg: install it (apt-get install ffmpeg), or leave them out.")
    done = subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", *arguments],
        input=data,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise CodecError(f"ffmpeg: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout
