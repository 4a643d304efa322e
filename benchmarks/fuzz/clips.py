"""Short recordings of examples/ that the service can use, in many formats."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from bundle.arrays import Float32

_CLIP_S = 2.0
_SOUNDFILE = {  # name → format and subtype of libsndfile
    "wav": ("WAV", "PCM_16"),
    "wav-float": ("WAV", "FLOAT"),
    "wav-adpcm": ("WAV", "IMA_ADPCM"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
_FFMPEG = {  # name → format, codec and sampling rate of FFmpeg
    "m4a": ("ipod", "aac", 44_100),
    "mov": ("mov", "aac", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "matroska": ("matroska", "ac3", 48_000),
    "aac": ("adts", "aac", 16_000),
    "amr": ("amr", "libopencore_amrnb", 8_000),
    "wma": ("asf", "wmav2", 44_100),
    "flv": ("flv", "aac", 44_100),
    "mpeg-ts": ("mpegts", "aac", 48_000),
    "wavpack": ("wv", "wavpack", 16_000),
}


def clips(examples: Path, count: int = 6) -> list[bytes]:
    """The beginning of one recording of each reader, as Ogg Opus."""
    paths = [min(folder.glob("*.opus")) for folder in sorted((examples / "audio").iterdir())]
    return [_encoded(*_beginning(path), *_SOUNDFILE["opus"]) for path in paths[:count]]


def every_format(examples: Path) -> dict[str, bytes]:
    """One recording as a file of each format, by its name."""
    path = min((examples / "audio").glob("*/*.opus"))
    samples, rate = _beginning(path)
    files = {name: _encoded(samples, rate, *form) for name, form in _SOUNDFILE.items()}
    for name, (container, codec, wanted) in _FFMPEG.items():
        files[name] = _by_ffmpeg(soxr.resample(samples, rate, wanted), wanted, container, codec)
    return files


def _beginning(path: Path) -> tuple[Float32, int]:
    samples, rate = soundfile.read(path, dtype="float32")
    return np.asarray(samples[: round(_CLIP_S * rate)], np.float32), rate


def _encoded(samples: Float32, rate: int, container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def _by_ffmpeg(samples: Float32, rate: int, container: str, codec: str) -> bytes:
    file = io.BytesIO()
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2")
    frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    frame.sample_rate = rate
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        if codec == "wmav2":
            stream.bit_rate = 48_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()
