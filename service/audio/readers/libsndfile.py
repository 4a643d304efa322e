"""Reads by libsndfile: what it reads well, and nothing else of the dozens of formats it knows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from io import BytesIO

import soundfile

from bundle.arrays import Float32
from service.audio.readers.source import Source
from service.errors import InvalidAudio

_BLOCK_SAMPLES = 65_536  # decoded at once at the source's rate, all channels together
_UNKNOWN_FRAMES = 2**62  # libsndfile gives 2^63 − 1 for a stream that does not say its length
_CODECS = {
    "PCM_S8": "pcm_s8",
    "PCM_U8": "pcm_u8",
    "PCM_16": "pcm_s16",
    "PCM_24": "pcm_s24",
    "PCM_32": "pcm_s32",
    "FLOAT": "pcm_f32",
    "DOUBLE": "pcm_f64",
    "ULAW": "pcm_mulaw",
    "ALAW": "pcm_alaw",
    "IMA_ADPCM": "adpcm_ima",
    "MS_ADPCM": "adpcm_ms",
    "GSM610": "gsm",
    "ALAC_16": "alac",
    "ALAC_20": "alac",
    "ALAC_24": "alac",
    "ALAC_32": "alac",
    "VORBIS": "vorbis",
    "OPUS": "opus",
    "MPEG_LAYER_III": "mp3",
}


class Unreadable(Exception):
    """libsndfile cannot read the file, or should not."""


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is untyped
    """A sound file read from start to end. soundfile would seek after each block; streamed FLAC cannot."""

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def open_libsndfile(data: bytes, formats: Sequence[str], name: str) -> Iterator[Source]:
    """The audio of a file.

    Args:
        formats: libsndfile's names, of which the file must be one.
        name: of the container, for errors.

    Raises:
        Unreadable: another format or codec, or damaged at its start.
        InvalidAudio: damaged further on, while blocks are read.
    """
    try:
        file = _ForwardOnly(BytesIO(data))
    except soundfile.SoundFileError as error:
        raise Unreadable(str(error)) from error
    with file:
        if file.format not in formats or file.subtype not in _CODECS:
            raise Unreadable(f"{file.format}, {file.subtype}")
        codec = "flac" if file.format == "FLAC" else _CODECS[file.subtype]
        declared = file.frames if file.frames < _UNKNOWN_FRAMES else None
        yield Source(codec, file.samplerate, file.channels, declared, _blocks(file, name))


def _blocks(file: _ForwardOnly, name: str) -> Iterator[Float32]:
    frames = max(_BLOCK_SAMPLES // file.channels, 1)
    try:
        while len(block := file.read(frames, dtype="float32", always_2d=True)):
            yield block
    except soundfile.SoundFileError as error:
        raise InvalidAudio(f"The {name} data is damaged and cannot be decoded. Export it again.") from error
