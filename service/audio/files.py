"""From the bytes of a file to what reads it, after its structure was checked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from bundle.arrays import Float32
from service.audio.containers import CONTAINERS, Container, sniff
from service.audio.containers.ebml import check_ebml
from service.audio.containers.isomedia import check_boxes
from service.audio.containers.mpeg import id3_bytes, whole_mp3
from service.audio.containers.ogg import ogg_links
from service.audio.containers.riff import check_au, check_chunks, wav_codec
from service.audio.limits import AudioLimits
from service.audio.readers import FfmpegReader, Source, Unreadable, open_libsndfile
from service.errors import InvalidAudio

#: WAV codecs for libsndfile: PCM, MS ADPCM, float, A-law, mu-law, IMA ADPCM, GSM.
_LIBSNDFILE_WAV = frozenset((0x1, 0x2, 0x3, 0x6, 0x7, 0x11, 0x31))

#: Without these, FFmpeg would only say in other words that the file is damaged.
_LIBSNDFILE_ALONE = frozenset(("FLAC", "OGG", "MP3"))
_MOST_LINKS = 100  # streams of one Ogg file
_TOLERANCE_S = 0.25  # that decoders may leave out: encoders' delays


@contextlib.contextmanager
def open_file(data: bytes, limits: AudioLimits, ffmpeg: FfmpegReader) -> Iterator[list[Source]]:
    """The audio of a file: one source, or those that were joined one after the other.

    Raises:
        UnsupportedMedia: in no format that is read.
        InvalidAudio: damaged, cut off, or with a header that does not fit its bytes.
        TooLarge: an MP3 of more seconds than allowed.
    """
    name = sniff(data)
    container = CONTAINERS[name]
    if data[:3] == b"ID3" and name != "MP3":
        data = data[id3_bytes(data) :]
    formats, least_s = container.libsndfile, [0.0]
    parts = [data]
    match name:
        case "WAV" | "RF64" | "W64" | "AIFF" | "CAF":
            parts = [check_chunks(data, name)]
            if name == "WAV" and wav_codec(data) not in _LIBSNDFILE_WAV:
                formats = ()
        case "AU":
            check_au(data)
        case "MP4":
            check_boxes(data)
        case "WEBM":
            check_ebml(data)
        case "MP3":
            whole = whole_mp3(data, limits.max_seconds)
            formats = formats if whole else ()
            if whole:
                parts, least_s = [whole[0]], [whole[1]]
        case "OGG":
            links = ogg_links(data, limits.max_seconds)
            if len(links) > _MOST_LINKS:
                raise InvalidAudio(f"The Ogg file is of {len(links)} parts. Send them one by one.")
            if all(link.codec for link in links):
                parts = [link.data for link in links]
                least_s = [(link.opus_samples or 0) / 48_000 for link in links]
            else:
                formats = ()
    with contextlib.ExitStack() as opened:
        sources = []
        for part, seconds in zip(parts, least_s, strict=True):
            source = _opened(opened, part, formats, container, ffmpeg)
            sources.append(replace(source, blocks=_whole(source, seconds, name)))
        first = sources[0]
        for source in sources[1:]:
            if (source.rate_hz, source.channels) != (first.rate_hz, first.channels):
                raise InvalidAudio(
                    f"The {name} file is of several parts, of {first.rate_hz} Hz in {first.channels} "
                    f"channels and {source.rate_hz} Hz in {source.channels}. Send the parts one by one."
                )
        yield sources


def _opened(
    opened: contextlib.ExitStack,
    data: bytes,
    formats: tuple[str, ...],
    container: Container,
    ffmpeg: FfmpegReader,
) -> Source:
    if formats:
        try:
            return opened.enter_context(open_libsndfile(data, formats, container.name))
        except Unreadable as error:
            if container.name in _LIBSNDFILE_ALONE:
                raise InvalidAudio(
                    f"The {container.name} data is damaged and cannot be decoded. Export it again."
                ) from error
    return opened.enter_context(ffmpeg.open(data, container.demuxer, container.name))


def _whole(source: Source, least_s: float, name: str) -> Iterator[Float32]:
    """The blocks of `source`. Raises InvalidAudio behind the last if there were too few."""
    frames = 0
    for block in source.blocks:
        frames += len(block)
        yield block
    seconds = frames / source.rate_hz
    declared_s = max((source.declared or 0) / source.rate_hz, least_s - _TOLERANCE_S)
    if seconds < declared_s:
        raise InvalidAudio(
            f"The file is cut off or damaged: by its {name} header and packets it has {declared_s:.2f} s, "
            f"but only {seconds:.2f} s could be decoded. Send the whole file."
        )
