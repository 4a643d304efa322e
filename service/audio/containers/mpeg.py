"""MP3: its frames one by one, so that all of them are decoded.

Without a tag that declares the number of frames, libsndfile guesses it from the bit rate of the first, and
reads no further. Of files that were joined it reads the first. `whole_mp3` makes a file with a right tag.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from service.errors import InvalidAudio, TooLarge

_BIT_RATES = {  # kbit/s by index, of layer III
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_III = 1
_MAX_STRAY_BYTES = 4096  # between frames: what a stream that was cut and joined leaves
_SEARCHED_BYTES = 65_536
_FRAMES_OF_A_RUN = 4


@dataclass(frozen=True)
class _Frame:
    """A header of an MPEG audio frame of layer III."""

    rate_hz: int
    bytes: int
    samples: int
    side_info: int  # bytes of the header and side information, behind which a tag may stand


def id3_bytes(data: bytes) -> int:
    """Length of the ID3v2 tag that `data` begins with. Its size field uses 7 bits of each byte."""
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def is_frame_header(head: bytes) -> bool:
    """Whether `head` starts an MPEG audio frame of layer I to III (0 is AAC)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bitrate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3


def runs_of_frames(data: bytes) -> bool:
    """Whether several MP3 frames follow each other somewhere in `data`: a stream that begins in a frame."""
    return _next_run(data, 0) is not None


def whole_mp3(data: bytes, max_seconds: float) -> tuple[bytes, float] | None:
    """An MP3 whose tag declares all of its frames, and its seconds. None: it is of layer I or II.

    Files that were joined become one. A stream may begin, and end, inside a frame.

    Raises:
        InvalidAudio: there are no frames, fewer than a tag declares, damage between them, or several rates.
        TooLarge: longer than `max_seconds`.
    """
    frames = _Frames(max_seconds)
    at = 0
    while at < len(data):
        frame = _frame(data, at)
        if frame is not None and at + frame.bytes <= len(data):
            frames.add(data, at, frame)
            at += frame.bytes
        elif skipped := _tag_bytes(data, at):
            at += skipped
        elif frame is not None or not data[at:].strip(b"\0 \r\n"):
            break  # inside a frame, or in padding
        elif not frames.ranges and is_frame_header(data[at : at + 4]):
            return None
        else:
            following = _next_run(data, at + 1)
            if following is None:
                frames.stray += len(data) - at
                break
            frames.stray += following - at if frames.ranges else 0
            at = following
    frames.check()
    return (data, frames.seconds) if frames.tagged_alone else (frames.joined(data), frames.seconds)


class _Frames:
    """The frames of a file, counted."""

    def __init__(self, max_seconds: float) -> None:
        self.ranges: list[list[int]] = []  # [start, end] of frames in a row, without tags
        self.stray = 0  # bytes between frames
        self.tagged_alone = False  # the file begins with its only tag
        self._count = self._declared = self._tags = 0
        self._first: _Frame | None = None
        self._first_header = b""
        self._max_seconds = max_seconds

    @property
    def seconds(self) -> float:
        return self._count * self._first.samples / self._first.rate_hz if self._first else 0.0

    def add(self, data: bytes, at: int, frame: _Frame) -> None:
        """Counts one frame, which may be a tag."""
        declared = _declared_frames(data, at, frame)
        if declared is not None:
            self._tags += 1
            self._declared += declared
            self.tagged_alone = self._tags == 1 and self._count == 0
            return
        if self._first is None:
            self._first, self._first_header = frame, data[at : at + 4]
        if (frame.rate_hz, frame.samples) != (self._first.rate_hz, self._first.samples):
            raise InvalidAudio(
                f"The sample rate of the MP3 changes from {self._first.rate_hz} to {frame.rate_hz} Hz after "
                f"{self.seconds:.1f} s. Send its parts one by one."
            )
        self._count += 1
        if self.seconds > self._max_seconds:
            raise TooLarge(
                f"The recording is longer than {self._max_seconds:g} s. Split it.",
                max_seconds=self._max_seconds,
            )
        if self.ranges and self.ranges[-1][1] == at:
            self.ranges[-1][1] = at + frame.bytes
        else:
            self.ranges.append([at, at + frame.bytes])

    def check(self) -> None:
        """Raises InvalidAudio if something is missing."""
        if not self._count:
            raise InvalidAudio("The MP3 data is damaged and cannot be decoded. Export it again.")
        if self._count < self._declared:
            raise InvalidAudio(
                f"The file is cut off or damaged: its MP3 tag declares {self._declared} frames, but "
                f"{self._count} came. Send the whole file."
            )
        if self.stray > _MAX_STRAY_BYTES:
            raise InvalidAudio(
                f"The MP3 data is damaged: {self.stray} bytes between its frames are no sound. "
                "Export it again."
            )
        self.tagged_alone = self.tagged_alone and self._tags == 1 and not self.stray

    def joined(self, data: bytes) -> bytes:
        """All frames behind a tag that declares them."""
        assert self._first is not None
        header = bytearray(self._first_header)
        header[1] |= 1  # no checksum
        header[2] = header[2] & 0x0F | 0x90  # long enough for the tag
        tag = _frame(bytes(header), 0)
        assert tag is not None
        frame = bytes(header) + bytes(tag.side_info - 4) + b"Xing" + struct.pack(">2I", 1, self._count)
        parts = [data[start:end] for start, end in self.ranges]
        return b"".join([frame.ljust(tag.bytes, b"\0"), *parts])


def _frame(data: bytes, at: int) -> _Frame | None:
    """The header at `at`; None: there is none of layer III with a bit rate."""
    if not is_frame_header(data[at : at + 4]):
        return None
    version, layer = data[at + 1] >> 3 & 3, data[at + 1] >> 1 & 3
    bit_rate = _BIT_RATES[version == 3][data[at + 2] >> 4]
    if layer != _LAYER_III or not bit_rate:
        return None
    rate = _RATES_HZ[version][data[at + 2] >> 2 & 3]
    mono = data[at + 3] >> 6 == 3
    size = (144_000 if version == 3 else 72_000) * bit_rate // rate + (data[at + 2] >> 1 & 1)
    side_info = ((17 if mono else 32) if version == 3 else (9 if mono else 17)) + 4
    return _Frame(rate, size, 1152 if version == 3 else 576, side_info)


def _declared_frames(data: bytes, at: int, frame: _Frame) -> int | None:
    """The number of frames that a tag declares, 0 if it leaves that out; None: this frame is no tag."""
    tag = at + frame.side_info
    if data[tag : tag + 4] in (b"Xing", b"Info"):
        return int.from_bytes(data[tag + 8 : tag + 12], "big") if data[tag + 7] & 1 else 0
    if data[at + 36 : at + 40] == b"VBRI":
        return int.from_bytes(data[at + 50 : at + 54], "big")
    return None


def _tag_bytes(data: bytes, at: int) -> int:
    """Length of the ID3 or APE tag at `at`; 0: there is none."""
    if data[at : at + 3] == b"ID3":
        return id3_bytes(data[at : at + 10])
    if data[at : at + 3] == b"TAG":
        return 128
    if data[at : at + 8] == b"APETAGEX":
        return 32 + int.from_bytes(data[at + 12 : at + 16], "little")
    return 0


def _next_run(data: bytes, at: int) -> int | None:
    """Where the next few frames follow each other; None: nowhere in the next bytes."""
    end = min(len(data), at + _SEARCHED_BYTES)
    while (at := data.find(b"\xff", at, end)) >= 0:
        position, count = at, 0
        while count < _FRAMES_OF_A_RUN and (frame := _frame(data, position)) is not None:
            position += frame.bytes
            count += 1
        if count == _FRAMES_OF_A_RUN:
            return at
        at += 1
    return None
