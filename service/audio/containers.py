"""Recognises audio containers by content and checks the lengths they declare.

libsndfile reads dozens of formats, and reads some truncated files without an error. It therefore gets only
the formats that the API promises, after their declared lengths were compared with the bytes.
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal

from service.errors import InvalidAudio, UnsupportedMedia

Container = Literal["WAV", "FLAC", "OGG", "MP3"]

_WAV_CODECS = {1: "PCM", 3: "float", 6: "A-law", 7: "mu-law", 0xFFFE: "extensible"}
_UNKNOWN_SIZE = (
    0x7FFF_0000  # programs that write WAV to a pipe put this or more (ffmpeg 2^32 − 1, sox 2^31 − 4096)
)
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_READABLE = "Send WAV (PCM, float, A-law or mu-law), FLAC, Ogg (Vorbis or Opus) or MP3."


def sniff(data: bytes) -> Container:
    """Which container `data` is. File names and content types are ignored: they are often wrong.

    Raises:
        UnsupportedMedia: it is none of the four, or an Ogg stream of another codec.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "WAV"
    if data[:4] == b"OggS":
        if b"OpusHead" in data[:128] or b"\x01vorbis" in data[:128]:
            return "OGG"
        raise UnsupportedMedia(f"The Ogg stream is neither Vorbis nor Opus. {_READABLE}")
    tagged = data[:3] == b"ID3"
    body = data[_id3_bytes(data) :][:4] if tagged else data[:4]
    if body == b"fLaC":
        return "FLAC"
    if tagged or _is_mpeg_header(body):
        return "MP3"
    raise UnsupportedMedia(f"The data is not in an audio format that this service reads. {_READABLE}")


def _id3_bytes(data: bytes) -> int:
    """Length of the ID3v2 tag before MP3 and some FLAC files. Its size field uses 7 bits of each byte."""
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _is_mpeg_header(head: bytes) -> bool:
    """Whether `head` starts an MPEG audio frame of layer II or III (layer 0 is AAC; I is obsolete)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bitrate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer in (1, 2) and bitrate != 15 and rate != 3


def check_wav(data: bytes) -> bytes:
    """Compares the chunk sizes of a WAV file with its real length.

    Returns `data`. If a pipe left the data size at 0, returns a copy that marks it unknown instead:
    libsndfile would read nothing.

    Raises:
        InvalidAudio: a chunk is missing or cut short, or more audio follows than the header declares.
        UnsupportedMedia: the codec is none of PCM, float, A-law, mu-law.
    """
    at, seen_format = 12, False
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = at + 8
        if name == b"data":
            if not seen_format:
                raise InvalidAudio("The WAV file has no format chunk before its audio. Export it again.")
            return _check_wav_audio(data, body, size)
        if body + size > len(data):
            break
        if name == b"fmt ":
            seen_format = True
            codec = int.from_bytes(data[body : body + 2], "little")
            if codec not in _WAV_CODECS:
                raise UnsupportedMedia(f"WAV codec 0x{codec:04x} is not supported. {_READABLE}")
        at = body + size + size % 2
    raise InvalidAudio("The WAV file was cut off: it ends before its audio begins. Send the whole file.")


def _check_wav_audio(data: bytes, body: int, size: int) -> bytes:
    present = len(data) - body
    if size >= _UNKNOWN_SIZE:
        return data
    if size > present:
        raise InvalidAudio(
            f"The WAV file was cut off: its header declares {size} bytes of audio, but {present} came. "
            "Send the whole file."
        )
    if _is_chunks(data, body + size + size % 2):
        return data
    if size == 0:
        return data[: body - 4] + struct.pack("<I", 0xFFFF_FFFF) + data[body:]
    raise InvalidAudio(
        f"The WAV header is wrong: it declares {size} bytes of audio, but {present} follow. "
        "Export the file again."
    )


def _is_chunks(data: bytes, at: int) -> bool:
    """Whether RIFF chunks or padding follow the audio, not more audio."""
    while at + 8 <= len(data) and data[at : at + 4].isascii() and data[at : at + 4].decode().isprintable():
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        at += at % 2
    return at <= len(data) + 1 and not data[at:].strip(b"\0")  # the last pad byte is often left out


def check_ogg(data: bytes) -> None:
    """Checks that every Ogg page is whole. libsndfile would drop damaged pages without an error.

    Raises:
        InvalidAudio: the stream was cut inside a page, or a page is damaged.
    """
    at = 0
    while data[at : at + 4] == b"OggS":
        segments = data[at + 26] if at + 26 < len(data) else 256
        sizes = data[at + 27 : at + 27 + segments]
        end = at + 27 + segments + sum(sizes)
        if len(sizes) < segments or end > len(data):
            raise InvalidAudio("The Ogg stream was cut off: it ends inside a page. Send the whole file.")
        if not _is_intact(data[at:end]):
            break
        at = end
    if data[at:].strip(b"\0"):
        raise InvalidAudio("The Ogg stream is damaged: a page does not match its checksum. Export it again.")


def _is_intact(page: bytes) -> bool:
    """Whether an Ogg page matches its CRC-32: zlib's polynomial, with reversed bits, not inverted."""
    body = (page[:22] + bytes(4) + page[26:]).translate(_REVERSED_BITS)
    return zlib.crc32(body, 0xFFFF_FFFF) ^ 0xFFFF_FFFF == int.from_bytes(
        page[22:26].translate(_REVERSED_BITS), "big"
    )


def has_length_tag(data: bytes) -> bool:
    """Whether an MP3 declares its number of frames.

    Without this tag libsndfile guesses the number from the bit rate, and reads no further.
    """
    start = _id3_bytes(data) if data[:3] == b"ID3" else 0
    head = data[start : start + 256]
    return b"Xing" in head or b"Info" in head
