"""mp4, m4a, mov and 3gp: whether the file ends inside a box.

FFmpeg reads a file whose index comes first and whose sound was cut off.
"""

from __future__ import annotations

from service.errors import InvalidAudio

_MOST_BOXES = 100_000  # a fragmented file has two a fragment


def check_boxes(data: bytes) -> None:
    """Walks the boxes of the file.

    Raises:
        InvalidAudio: the file ends inside a box, or has too many.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= len(data) or not data[at : at + 8].strip(b"\0"):
            return
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        elif size == 0:
            return  # to the end of the file
        if size < 8 or at + size > len(data):
            raise InvalidAudio("The MP4 file was cut off: it ends inside a box. Send the whole file.")
        at += size
    raise InvalidAudio(f"The MP4 file has more than {_MOST_BOXES} boxes. Export it again.")
