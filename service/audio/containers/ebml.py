"""webm and Matroska: whether the file ends inside an element.

FFmpeg reads a file that was cut off without an error. A recording of a browser declares no length: its
elements have their own sizes.
"""

from __future__ import annotations

from service.errors import InvalidAudio

EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_ENTERED = (_SEGMENT, _CLUSTER)  # their children are walked
_MOST_ELEMENTS = 500_000  # a block of 2.5 ms each for 20 minutes


def check_ebml(data: bytes) -> None:
    """Walks the blocks of the file.

    Raises:
        InvalidAudio: the file ends inside an element, or has too many.
    """
    at = 0
    for _ in range(_MOST_ELEMENTS):
        if at >= len(data) or not data[at : at + 16].strip(b"\0"):
            return
        element, at = _number(data, at, keep_mark=True)
        size, at = _number(data, at, keep_mark=False)
        if element in _ENTERED:
            if size is not None and at + size > len(data):
                raise _cut()
            continue
        if size is None or element is None:
            return  # FFmpeg says what it makes of it
        at += size
        if at > len(data):
            raise _cut()
    raise InvalidAudio(f"The WEBM file has more than {_MOST_ELEMENTS} elements. Export it again.")


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
    """A number of variable length and what follows it; None: of unknown size, or malformed."""
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if at + length > len(data):
        raise _cut()
    if length > 8:
        return None, at + 1
    value = int.from_bytes(data[at : at + length], "big")
    if keep_mark:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return (None if value == (1 << 7 * length) - 1 else value), at + length


def _cut() -> InvalidAudio:
    return InvalidAudio("The WEBM file was cut off: it ends inside an element. Send the whole file.")
