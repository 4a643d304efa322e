"""Ogg: its pages, the streams that were joined, and how long its Opus packets are."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.errors import InvalidAudio

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FIRST_PAGE = 2  # flag
_MOST_EMPTY_PAGES = 1000
_PAGES_A_SECOND = 100  # encoders write 1 to 50
_OPUS_DECODED_HZ = 16_000
#: Longest pre-skip that is believed: encoders' delays are 6 to 80 ms.
_MAX_PRE_SKIP = 12_000


@dataclass(eq=False)
class OggLink:
    """One of the streams that a file holds one after the other."""

    data: bytes
    codec: str  # "opus", "vorbis", or "" for all else
    #: Samples at 48 kHz in its Opus packets, without the encoder's delay. None for other codecs.
    opus_samples: int | None = None


@dataclass(eq=False)
class _Page:
    start: int
    end: int
    body: int
    first: bool
    serial: bytes
    lacing: bytes = field(repr=False)


def ogg_links(data: bytes, max_seconds: float) -> list[OggLink]:
    """The streams of an Ogg file, each as a file of its own. Opus is marked for decoding at 16 kHz.

    One link may hold several streams at once, as a video does; its codec is then "".

    Raises:
        InvalidAudio: the file was cut inside a page, a page is damaged, or there are too many.
    """
    most = round(1000 + _PAGES_A_SECOND * max_seconds)
    pages: list[list[_Page]] = []
    for count, page in enumerate(_pages(data)):
        if count > most:
            raise InvalidAudio(
                f"The Ogg stream has more than {most} pages, too many for {max_seconds:g} s. Export it again."
            )
        if not pages or (page.first and not pages[-1][-1].first):
            pages.append([])
        pages[-1].append(page)
    return [_link(data, link) for link in pages]


def check_ogg(data: bytes) -> None:
    """Checks that every page is whole. libsndfile would drop damaged pages without an error.

    Raises:
        InvalidAudio: the stream was cut inside a page, or a page is damaged.
    """
    for _ in _pages(data):
        pass


def _pages(data: bytes) -> Iterator[_Page]:
    at = empty = 0
    while data[at : at + 4] == b"OggS":
        segments = data[at + 26] if at + 26 < len(data) else 256
        lacing = data[at + 27 : at + 27 + segments]
        body = at + 27 + segments
        end = body + sum(lacing)
        if len(lacing) < segments or end > len(data):
            raise InvalidAudio("The Ogg stream was cut off: it ends inside a page. Send the whole file.")
        if not _is_intact(data[at:end]):
            break
        empty += body == end
        if empty > _MOST_EMPTY_PAGES:
            raise InvalidAudio(
                f"The Ogg stream has more than {_MOST_EMPTY_PAGES} empty pages. Export it again."
            )
        yield _Page(at, end, body, bool(data[at + 5] & _FIRST_PAGE), data[at + 14 : at + 18], lacing)
        at = end
    if data[at:].strip(b"\0"):
        raise InvalidAudio("The Ogg stream is damaged: a page does not match its checksum. Export it again.")


def _is_intact(page: bytes) -> bool:
    """Whether an Ogg page matches its checksum."""
    return _checksum(page) == page[22:26]


def _checksum(page: bytes) -> bytes:
    """The CRC-32 of an Ogg page: zlib's polynomial, with reversed bits, not inverted."""
    body = (page[:22] + bytes(4) + page[26:]).translate(_REVERSED_BITS)
    crc = zlib.crc32(body, 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return crc.to_bytes(4, "big").translate(_REVERSED_BITS)


def _link(data: bytes, pages: list[_Page]) -> OggLink:
    link = data[pages[0].start : pages[-1].end]
    head = data[pages[0].body : pages[0].end]
    if len({page.serial for page in pages}) > 1:
        return OggLink(link, "")
    if head[:8] == b"OpusHead" and len(head) >= 19 and head[18] == 0:
        pre_skip = int.from_bytes(head[10:12], "little")
        samples = sum(map(opus_samples, _packets(data, pages)))
        return OggLink(_at_16_khz(link, pages[0]), "opus", samples - min(pre_skip, _MAX_PRE_SKIP))
    return OggLink(link, "vorbis" if head[:7] == b"\x01vorbis" else "")


def _packets(data: bytes, pages: list[_Page]) -> Iterator[bytes]:
    """The first two bytes of each packet behind the two headers."""
    packet, number = b"", 0
    for page in pages:
        at = page.body
        for length in page.lacing:
            if len(packet) < 2:
                packet += data[at : at + min(length, 2)]
            at += length
            if length < 255:
                if number >= 2:
                    yield packet
                packet, number = b"", number + 1


def opus_samples(packet: bytes) -> int:
    """Samples at 48 kHz in an Opus packet, of which two bytes are enough (RFC 6716, section 3.1)."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    return frame * frames


def _at_16_khz(link: bytes, first: _Page) -> bytes:
    """The link with another rate in its header, where decoders may look for the rate to decode at.

    The header tells what an encoder was given, and nothing of what is in the stream.
    """
    size = first.end - first.start
    at = first.body - first.start + 12
    page = link[:at] + _OPUS_DECODED_HZ.to_bytes(4, "little") + link[at + 4 : size]
    return page[:22] + _checksum(page) + page[26:] + link[size:]
