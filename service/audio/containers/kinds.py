"""Every container that is read, and by what. docs/audio.md shows this list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Container:
    """One file format."""

    name: str
    demuxer: str  # FFmpeg's name of it
    libsndfile: tuple[str, ...] = ()  # libsndfile's names of it; none: FFmpeg alone reads it


CONTAINERS = {
    container.name: container
    for container in (
        Container("WAV", "wav", ("WAV", "WAVEX")),
        Container("RF64", "wav", ("RF64",)),
        Container("W64", "w64", ("W64",)),
        Container("AIFF", "aiff", ("AIFF",)),
        Container("CAF", "caf", ("CAF",)),
        Container("AU", "au", ("AU",)),
        Container("FLAC", "flac", ("FLAC",)),
        Container("OGG", "ogg", ("OGG",)),
        Container("MP3", "mp3", ("MP3",)),
        Container("MP4", "mov"),
        Container("WEBM", "matroska"),
        Container("AAC", "aac"),
        Container("AMR", "amr"),
        Container("WMA", "asf"),
        Container("AVI", "avi"),
        Container("FLV", "flv"),
        Container("MPEG-TS", "mpegts"),
        Container("MPEG-PS", "mpeg"),
        Container("WavPack", "wv"),
    )
}

READABLE = (
    "Send WAV, FLAC, Ogg, Opus, MP3, M4A or AAC, WebM, AMR, WMA, AIFF, CAF, or a video with sound "
    "(docs/audio.md has the list)."
)
