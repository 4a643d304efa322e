"""The process that runs FFmpeg's demuxers and decoders, on bytes that anybody may have sent.

`ffmpeg.py` starts this file as a program. It imports PyAV alone, so that it starts in about 0.2 s and takes
about 40 MB. A file that makes FFmpeg crash, loop or fill the memory takes down this process, not the service.

A request on stdin is a header of `REQUEST` and the file's bytes. The answer on stdout is a series of
messages, each a header of `MESSAGE` and a body: one `format`, any number of `block`, then one `end` or
`error`.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.stream import Discard

REQUEST = struct.Struct("<24sQ")  # demuxer, length of the file
MESSAGE = struct.Struct("<cI")  # kind, length of the body
FORMAT, BLOCK, END, ERROR = b"f", b"b", b"e", b"x"

MEMORY_BYTES = 1 << 30  # of address space; PyAV alone maps 0.2 GB
#: Packets in a row that give no sound. Encoders' delays are a few; a bomb has millions.
MAX_BARREN_PACKETS = 1000
#: A gap of more than this in a stream's time is filled with silence: encoders leave out what is silent.
MAX_GAP_S = 0.06
SILENCE_S = 1.0  # of silence in one block
#: Demuxers whose files say how long they are. FFmpeg guesses it of others, from the bit rate.
DECLARES_LENGTH = frozenset(("mov", "matroska", "asf", "wav", "w64", "aiff", "caf", "au"))


class Refused(Exception):
    """The file cannot be used; the message says why."""


def main() -> None:
    """Answers requests until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    av.logging.set_level(None)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while header := requests.read(REQUEST.size):
        name, length = REQUEST.unpack(header)
        answer(requests.read(length), name.rstrip(b"\0").decode(), answers)


def answer(data: bytes, demuxer: str, out: BinaryIO) -> None:
    """Decodes one file, in the format of this module's docstring."""
    try:
        for kind, body in messages(data, demuxer):
            send(out, kind, body)
    except Refused as refusal:
        send(out, ERROR, str(refusal).encode())
    except MemoryError:
        send(out, ERROR, b"it needs too much memory")
    except (av.FFmpegError, EOFError, ValueError, OSError) as error:
        send(out, ERROR, str(getattr(error, "strerror", None) or error).lower().encode())


def send(out: BinaryIO, kind: bytes, body: bytes) -> None:
    """Writes one message."""
    out.write(MESSAGE.pack(kind, len(body)) + body)
    out.flush()


def messages(data: bytes, demuxer: str) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each message about a file."""
    with av.open(io.BytesIO(data), "r", format=demuxer, metadata_errors="replace") as container:
        if not container.streams.audio:
            raise Refused("it has no audio track")
        stream = container.streams.best("audio") or container.streams.audio[0]
        assert isinstance(stream, AudioStream)
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        declared = declared_s(container, stream) if demuxer in DECLARES_LENGTH else None
        packer = Packer()
        for frame in decoded(container, stream):
            if not packer.frames:
                head = {
                    "codec": stream.codec_context.codec.canonical_name,
                    "rate_hz": frame.sample_rate,
                    "channels": frame.layout.nb_channels,
                    "tracks": len(container.streams.audio),
                }
                yield FORMAT, json.dumps(head).encode()
            if demuxer == "matroska":  # its streams leave out silent packets, and say so by time alone
                yield from ((BLOCK, silence) for silence in packer.missing(frame))
            yield BLOCK, packer.packed(frame)
        yield END, json.dumps({"declared_s": declared}).encode()


def decoded(container: av.container.InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """The stream's frames. Raises Refused if a packet is damaged, or packets give no sound."""
    barren = 0
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise Refused("a packet is damaged or cut off")
        barren += 1
        for frame in packet.decode():
            if frame.samples:
                barren = 0
                yield frame
        if barren > MAX_BARREN_PACKETS:
            raise Refused(f"{barren} packets in a row hold no sound")


def declared_s(container: av.container.InputContainer, stream: AudioStream) -> float | None:
    """How long the file says its audio is, in seconds; None where it does not."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    others = len(container.streams) > len(container.streams.audio)  # a picture may outlast the sound
    return container.duration / av.time_base if container.duration and not others else None


class Packer:
    """Turns frames into packed float32 at the rate and in the channels of the first."""

    def __init__(self) -> None:
        self.frames = 0  # samples a channel, so far
        self._start_s = 0.0
        self._form: tuple[str, str, int] | None = None
        self._rate, self._layout = 0, ""
        self._resampler: AudioResampler | None = None

    def missing(self, frame: AudioFrame) -> Iterator[bytes]:
        """Silence where the time of `frame` is later than the sound so far."""
        if frame.time is None:
            return
        if not self.frames:
            self._start_s = frame.time
            return
        gap_s = frame.time - self._start_s - self.frames / self._rate
        if gap_s <= MAX_GAP_S:
            return
        channels = len(av.AudioLayout(self._layout).channels)
        left = round(gap_s * self._rate)
        while left > 0:
            count = min(left, round(SILENCE_S * self._rate))
            left -= count
            self.frames += count
            yield bytes(4 * count * channels)

    def packed(self, frame: AudioFrame) -> bytes:
        """The samples of `frame`, (n, channels) as bytes."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if not self.frames:
            self._rate, self._layout = frame.sample_rate, frame.layout.name
        elif (frame.layout.name, frame.sample_rate) != (self._layout, self._rate):
            raise Refused("its sample rate or channels change on the way")
        if form != self._form or self._resampler is None:
            self._form = form
            self._resampler = AudioResampler("flt", frame.layout, frame.sample_rate)
        frame.pts = None
        parts = []
        for packed in self._resampler.resample(frame):
            self.frames += packed.samples
            size = 4 * packed.samples * packed.layout.nb_channels
            parts.append(bytes(packed.planes[0])[:size])  # a plane is padded
        return b"".join(parts)


if __name__ == "__main__":
    main()
