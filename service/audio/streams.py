"""Sound that comes in messages: PCM or Opus packets → 16 kHz mono float32, as it arrives."""

from __future__ import annotations

from typing import Literal, Protocol

import av
import numpy as np
import soxr

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.errors import InvalidAudio

StreamCodec = Literal["pcm16", "opus"]
_OPUS_RATE_HZ = 48_000
_FULL_SCALE = 32_767 / 32_768


class PacketDecoder(Protocol):
    """Decodes the messages of one stream."""

    rate_hz: int

    def decode(self, message: bytes) -> Float32:
        """Samples (n,) at `rate_hz`, within [-1, 1]. Raises InvalidAudio."""


class Pcm16Decoder:
    """Signed 16-bit samples, little-endian, mono."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def decode(self, message: bytes) -> Float32:
        """Samples (n,). Raises InvalidAudio for half a sample."""
        if len(message) % 2:
            raise InvalidAudio(
                f"A message of {len(message)} bytes is not made of 16-bit samples: send whole samples."
            )
        return np.frombuffer(message, "<i2").astype(np.float32) / np.float32(32_768)


class OpusDecoder:
    """One Opus packet (RFC 6716) a message. libopus decodes it, as it does for Ogg files."""

    def __init__(self) -> None:
        self.rate_hz = _OPUS_RATE_HZ
        context = av.CodecContext.create("libopus", "r")
        assert isinstance(context, av.AudioCodecContext)
        self._context = context
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=_OPUS_RATE_HZ)

    def decode(self, message: bytes) -> Float32:
        """Samples (n,). Raises InvalidAudio for what is no packet."""
        try:
            frames = self._context.decode(av.Packet(message))
            parts = [part.to_ndarray()[0] for frame in frames for part in self._resampler.resample(frame)]
        except av.FFmpegError:
            raise InvalidAudio(
                "A message is no Opus packet. Send one packet a message, without Ogg or WebM around it."
            ) from None
        return np.concatenate(parts) if parts else np.empty(0, np.float32)


class SampleStream:
    """The samples of one stream at 16 kHz, in blocks of one size."""

    def __init__(self, codec: StreamCodec, rate_hz: int, *, block: int) -> None:
        """`rate_hz` is of PCM; Opus always has 48 kHz. `block` is a number of samples at 16 kHz."""
        self._decoder: PacketDecoder = OpusDecoder() if codec == "opus" else Pcm16Decoder(rate_hz)
        self._block = block
        self._waiting = np.empty(0, np.float32)
        self._samples = self._clipped = 0
        self.seconds = 0.0  # that came, by their number at the source's rate
        self._resampler = (
            soxr.ResampleStream(self._decoder.rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
            if self._decoder.rate_hz != SAMPLE_RATE_HZ
            else None
        )

    def take(self, message: bytes) -> list[Float32]:
        """The whole blocks (block,) that a message completes. Raises InvalidAudio."""
        samples = self._decoder.decode(message)
        self.seconds += len(samples) / self._decoder.rate_hz
        self._samples += len(samples)
        self._clipped += int(np.count_nonzero(np.abs(samples) >= _FULL_SCALE))
        if self._resampler:
            samples = self._resampler.resample_chunk(samples)
        waiting = np.concatenate([self._waiting, samples])
        whole = len(waiting) // self._block * self._block
        self._waiting = waiting[whole:]
        return list(waiting[:whole].reshape(-1, self._block))

    def finish(self) -> list[Float32]:
        """The last blocks: what was not whole, filled up with silence."""
        tail = [self._waiting]
        if self._resampler:
            tail.append(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        rest = np.concatenate(tail)
        self._waiting = rest[:0]
        blocks = -(-len(rest) // self._block)
        return list(np.pad(rest, (0, blocks * self._block - len(rest))).reshape(-1, self._block))

    def clipped(self) -> float:
        """Share of the samples since the last call that stand at full scale."""
        share = self._clipped / self._samples if self._samples else 0.0
        self._samples = self._clipped = 0
        return share
