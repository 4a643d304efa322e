"""Files that are made of chunks: WAV, RF64, W64, AIFF, CAF; and AU, which has one.

The length that the header declares is compared with the bytes that came: libsndfile takes less, or leaves the
rest, without an error.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from service.errors import InvalidAudio

W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_MOST_CHUNKS = 1000
#: Programs that write to a pipe declare this or more (ffmpeg 2^32 − 1, sox 2^31 − 4096).
_UNKNOWN_SIZE = 0x7FFF_0000
#: Bytes behind the audio that are no chunk: line ends and what tools leave. More may be sound.
_MAX_TAIL_BYTES = 256
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LIST", b"id3 ")


@dataclass(frozen=True)
class _Layout:
    """How a container's chunks are written."""

    start: int  # of the first chunk
    size: str  # struct format of a chunk's size
    format: bytes  # name of the chunk that says the codec
    data: bytes  # name of the chunk with the sound
    includes_header: bool = False  # the size counts the chunk's name and size
    align: int = 2


_LAYOUTS = {
    b"RIFF": _Layout(12, "<I", b"fmt ", b"data"),
    b"RIFX": _Layout(12, ">I", b"fmt ", b"data"),
    b"RF64": _Layout(12, "<I", b"fmt ", b"data"),
    b"BW64": _Layout(12, "<I", b"fmt ", b"data"),
    b"FORM": _Layout(12, ">I", b"COMM", b"SSND"),
    b"caff": _Layout(8, ">q", b"desc", b"data", align=1),
    b"riff": _Layout(40, "<Q", b"fmt " + _W64_TAIL, b"data" + _W64_TAIL, includes_header=True, align=8),
}


def check_chunks(data: bytes, name: str) -> bytes:
    """Compares the chunk sizes of a WAV, RF64, W64, AIFF or CAF file with its real length.

    Returns `data`. If a pipe left the size of a WAV's sound at 0, returns a copy that marks it unknown
    instead: libsndfile would read nothing.

    Args:
        name: of the container, for errors.

    Raises:
        InvalidAudio: a chunk is missing, cut short or wrong in size; or there are too many.
    """
    layout = _LAYOUTS[data[:4]]
    at, seen_format, long_size = layout.start, False, None
    for _ in range(_MOST_CHUNKS):
        header = _header(data, at, layout)
        if header is None:
            break
        chunk, size, body = header
        if chunk == layout.data:
            if not seen_format:
                raise InvalidAudio(f"The {name} file has no format chunk before its audio. Export it again.")
            if long_size is not None and size == 0xFFFF_FFFF:
                size = long_size
                return _checked(data, body, size, layout, name, open_end=False)
            return _checked(data, body, size, layout, name, open_end=layout.size != "<Q")
        if size < 0 or body + size > len(data):
            break
        seen_format = seen_format or chunk == layout.format
        if chunk == b"ds64":
            long_size = int.from_bytes(data[body + 8 : body + 16], "little")
        at = body + size + -size % layout.align
    else:
        raise InvalidAudio(f"The {name} file has more than {_MOST_CHUNKS} chunks. Export it again.")
    raise InvalidAudio(f"The {name} file was cut off: it ends before its audio begins. Send the whole file.")


def wav_codec(data: bytes) -> int | None:
    """The codec number in a WAV file's format chunk; None: there is none."""
    layout = _LAYOUTS[data[:4]]
    at = layout.start
    for _ in range(_MOST_CHUNKS):
        header = _header(data, at, layout)
        if header is None or header[1] < 0:
            return None
        chunk, size, body = header
        if chunk == layout.format:
            codec = int.from_bytes(data[body : body + 2], _order(layout))
            if codec == 0xFFFE:  # extensible: the codec is the start of a GUID
                codec = int.from_bytes(data[body + 24 : body + 26], _order(layout))
            return codec
        at = body + size + -size % layout.align
    return None


def check_au(data: bytes) -> None:
    """Compares the size that an AU file declares with its length.

    Raises:
        InvalidAudio: it was cut off.
    """
    body, size = struct.unpack_from(">II", data.ljust(12, b"\0"), 4)
    present = len(data) - body
    if present < 0 or (size < _UNKNOWN_SIZE and size > present):
        raise _cut("AU", size, max(present, 0))


def _order(layout: _Layout) -> Literal["little", "big"]:
    return "little" if layout.size[0] == "<" else "big"


def _header(data: bytes, at: int, layout: _Layout) -> tuple[bytes, int, int] | None:
    """Name, size and start of the body of the chunk at `at`; None: the file ends before."""
    form = struct.Struct(layout.size)
    body = at + len(layout.data) + form.size
    if body > len(data):
        return None
    (size,) = form.unpack_from(data, at + len(layout.data))
    if layout.includes_header:
        size -= len(layout.data) + form.size
    return data[at : at + len(layout.data)], size, body


def _checked(data: bytes, body: int, size: int, layout: _Layout, name: str, *, open_end: bool) -> bytes:
    present = len(data) - body
    if open_end and (size < 0 or size >= _UNKNOWN_SIZE):
        return data
    if size > present or size < 0:
        raise _cut(name, size, present)
    tail = data[body + size :]
    known_tail = len(tail) <= _MAX_TAIL_BYTES or tail.startswith(_TAGS)
    if known_tail and (size or not tail.strip(b"\0")):
        return data
    if _is_chunks(data, body + size + -size % layout.align, layout):
        return data
    if size == 0 and name == "WAV":
        return data[: body - 4] + struct.pack(layout.size, 0xFFFF_FFFF) + data[body:]
    raise InvalidAudio(
        f"The {name} header is wrong: it declares {size} bytes of audio, but {present} follow. "
        "Export the file again."
    )


def _cut(name: str, size: int, present: int) -> InvalidAudio:
    return InvalidAudio(
        f"The {name} file was cut off: its header declares {size} bytes of audio, but {present} came. "
        "Send the whole file."
    )


def _is_chunks(data: bytes, at: int, layout: _Layout) -> bool:
    """Whether chunks or padding follow the audio, not more audio."""
    for _ in range(_MOST_CHUNKS):
        name = data[at : at + 4]
        header = _header(data, at, layout)
        if header is None or not (name.isascii() and name.decode().isprintable()) or header[1] < 0:
            break
        at = header[2] + header[1] + -header[1] % layout.align
    return at <= len(data) + 1 and not data[at : at + 4096].strip(
        b"\0"
    )  # the last pad byte is often left out
