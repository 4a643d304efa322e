"""Malformed and unusual uploads, made by code, with the answer that POST /embed owes each by default."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from bundle.arrays import Float32
from service.audio import AudioLimits
from tests.service.signals import RATE, encode, noise, silent_flac, speech, tone, undeclare_flac_length

ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)


@dataclass(frozen=True)
class OddInput:
    """One upload. `build` makes the bytes, and skips the test where it needs real speech and has none."""

    name: str
    build: Callable[[], bytes]
    status: int
    code: str | None  # of the problem document; None for 200
    filename: str = "audio.wav"
    content_type: str = "audio/wav"


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk, padded to an even length; `size` is the length it claims."""
    return name + struct.pack("<I", len(body) if size is None else size) + body + bytes(len(body) % 2)


def wav(
    samples: Float32,
    *,
    codec: int = 1,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    data_size: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A 16-bit WAV whose header may say anything, with chunks before and after the audio."""
    pcm = (samples * 32767).astype("<i2").tobytes()
    byte_rate = rate * channels * bits // 8 % 2**32
    form = struct.pack("<HHIIHH", codec, channels, rate, byte_rate, channels * bits // 8 % 2**16, bits)
    body = b"WAVE" + chunk(b"fmt ", form) + before + chunk(b"data", pcm, data_size) + after
    return chunk(b"RIFF", body)


def with_sample(value: float, subtype: str = "FLOAT", channels: int = 1) -> bytes:
    """A float WAV with one odd sample in its last channel."""
    samples = np.repeat(noise().astype(np.float64)[:, None], channels, axis=1)
    samples[1000, -1] = value
    return encode(samples, subtype=subtype)  # type: ignore[arg-type]


def damaged(data: bytes, zeros: int = 200) -> bytes:
    """`data` with its middle zeroed."""
    middle = len(data) // 2
    return data[:middle] + bytes(zeros) + data[middle + zeros :]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("audio.wav", encode(tone()))
    return file.getvalue()


def short_speech() -> bytes:
    """One syllable within silence: the loudest 0.3 s of a sentence."""
    voice = speech(8)
    loudest = int(np.argmax(np.convolve(voice**2, np.ones(3 * RATE // 10), "valid")))
    quiet = np.zeros(RATE, np.float32)
    return encode(np.concatenate([quiet, voice[loudest : loudest + 3 * RATE // 10], quiet]))


def _damaged() -> list[OddInput]:
    cases: dict[str, Callable[[], bytes]] = {
        "empty": lambda: b"",
        "wav_twelve_bytes": lambda: encode(tone())[:12],
        "wav_cut_in_format_chunk": lambda: encode(tone())[:24],
        "wav_cut_before_data": lambda: encode(tone())[:36],
        "wav_without_samples": lambda: encode(tone(0)),
        "wav_cut_in_half": lambda: half(encode(tone())),
        "wav_one_byte_short": lambda: encode(tone())[:-1],
        "wav_24_bit_cut": lambda: half(encode(tone(), subtype="PCM_24")),
        "wav_declares_too_much": lambda: wav(tone(), data_size=10**6),
        "wav_declares_too_little": lambda: wav(noise(), data_size=100),
        "wav_data_before_format": lambda: chunk(b"RIFF", b"WAVE" + chunk(b"data", bytes(64))),
        "wav_chunk_beyond_the_end": lambda: wav(tone(), before=b"LIST" + struct.pack("<I", 10**8)),
        "wav_0_channels": lambda: wav(tone(), channels=0),
        "wav_9_channels": lambda: encode(np.tile(tone()[:, None], (1, 9))),
        "wav_65535_channels": lambda: wav(tone(), channels=65535),
        "wav_0_hz": lambda: wav(tone(), rate=0),
        "wav_4_khz": lambda: encode(tone(rate=4000), 4000),
        "wav_7999_hz": lambda: encode(tone(), 7999),
        "wav_384_khz": lambda: encode(tone(rate=384_000), 384_000),
        "wav_4_ghz": lambda: wav(tone(), rate=2**32 - 1),
        "wav_0_bits": lambda: wav(tone(), bits=0),
        "wav_nan": lambda: with_sample(np.nan),
        "wav_all_nan": lambda: encode(np.full(RATE, np.nan, np.float32), subtype="FLOAT"),
        "wav_inf": lambda: with_sample(np.inf),
        "wav_minus_inf_double": lambda: with_sample(-np.inf, "DOUBLE"),
        "wav_nan_in_eighth_channel": lambda: with_sample(np.nan, channels=8),
        "wav_double_beyond_float": lambda: with_sample(1e300, "DOUBLE"),
        "flac_marker_only": lambda: b"fLaC",
        "flac_header_only": lambda: encode(noise(), container="FLAC")[:42],
        "flac_cut_in_half": lambda: half(encode(noise(), container="FLAC")),
        "flac_damaged": lambda: damaged(encode(noise(), container="FLAC")),
        "flac_declares_too_much": lambda: _flac_declaring(10 * RATE),
        "flac_unknown_length_cut": lambda: undeclare_flac_length(half(encode(noise(), container="FLAC"))),
        "flac_without_samples": lambda: encode(tone(0), container="FLAC"),
        "vorbis_cut_in_half": lambda: half(encode(noise(), container="OGG", subtype="VORBIS")),
        "vorbis_damaged": lambda: damaged(encode(noise(), container="OGG", subtype="VORBIS")),
        "opus_cut_in_half": lambda: half(encode(noise(), container="OGG", subtype="OPUS")),
        "opus_one_byte_short": lambda: encode(noise(), container="OGG", subtype="OPUS")[:-1],
        "opus_first_page_only": lambda: _ogg_first_page(),
        "opus_damaged": lambda: damaged(encode(noise(), container="OGG", subtype="OPUS")),
        "mp3_cut_in_half": lambda: half(encode(noise(), container="MP3")),
        "mp3_tag_only": lambda: ID3,
        "mp4": lambda: b"\x00\x00\x00\x20ftypM4A " + bytes(200),
        "webm": lambda: b"\x1a\x45\xdf\xa3" + bytes(200),
        "aac": lambda: b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(200),
        "avi": lambda: chunk(b"RIFF", b"AVI " + bytes(100)),
        "wav_of_mp3": lambda: wav(tone(), codec=0x55),
        "wav_unknown_codec": lambda: wav(tone(), codec=0x1234),
        "ogg_marker_only": lambda: b"OggS",
        "ogg_speex": lambda: b"OggS\x00\x02" + bytes(20) + b"\x01\x50Speex   " + bytes(100),
    }
    return [OddInput(name, build, 422, "invalid_audio") for name, build in cases.items()]


def _flac_declaring(frames: int) -> bytes:
    data = encode(noise(), container="FLAC")
    return data[:22] + struct.pack(">I", frames) + data[26:]


def _ogg_first_page() -> bytes:
    data = encode(noise(), container="OGG", subtype="OPUS")
    return data[: data.index(b"OggS", 4)]


def _unsupported() -> list[OddInput]:
    cases: dict[str, Callable[[], bytes]] = {
        "one_byte": lambda: b"\x00",
        "riff_marker_only": lambda: b"RIFF",
        "text": lambda: b"This is not a recording at all.\n" * 40,
        "text_utf16": lambda: ("Neither is this. " * 40).encode("utf-16"),
        "json": lambda: json.dumps({"audio": [0.0] * 100}).encode(),
        "html": lambda: b"<!doctype html><title>404</title>",
        "zip": zipped,
        "gzip": lambda: gzip.compress(encode(tone())),
        "png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(100),
        "jpeg": lambda: b"\xff\xd8\xff\xe0" + bytes(100),
        "pickle": lambda: b"\x80\x04\x95" + bytes(100),
        "raw_pcm": lambda: (tone() * 32767).astype("<i2").tobytes(),
        "zeros": lambda: bytes(10_000),
        "ones": lambda: b"\xff" * 10_000,
        "random": lambda: b"\x07" + np.random.default_rng(0).bytes(10_000),
        "wav_after_a_newline": lambda: b"\n" + encode(tone()),
    }
    return [OddInput(name, build, 415, "unsupported_media") for name, build in cases.items()]


def _too_large() -> list[OddInput]:
    cases: dict[str, Callable[[], bytes]] = {
        "too_many_bytes": lambda: wav(tone(0), after=chunk(b"LIST", bytes(AudioLimits().max_bytes))),
        "wav_30_minutes": lambda: wav(np.zeros(30 * 60 * RATE, np.float32)),
        "flac_3_hours": lambda: silent_flac(3),
        "flac_3_hours_undeclared": lambda: undeclare_flac_length(silent_flac(3)),
        "flac_declares_days": lambda: _flac_declaring(2**32 - 1),
        "opus_11_minutes": lambda: encode(np.zeros(660 * 8000, np.float32), 8000, "OGG", "OPUS"),
    }
    return [OddInput(name, build, 413, "too_large") for name, build in cases.items()]


def _speechless() -> list[OddInput]:
    clicks = np.zeros(3 * RATE, np.float32)
    clicks[:: RATE // 2] = 1.0
    cases: dict[str, Callable[[], bytes]] = {
        "silence": lambda: encode(np.zeros(5 * RATE, np.float32)),
        "silence_8_bit": lambda: encode(np.zeros(5 * RATE, np.float32), subtype="PCM_U8"),
        "constant": lambda: encode(np.full(3 * RATE, 0.5, np.float32)),
        "tone": lambda: encode(tone(5)),
        "tone_8_khz": lambda: encode(tone(5, 8000), 8000),
        "square_wave": lambda: encode(np.sign(tone(3))),
        "white_noise": lambda: encode(noise(5)),
        "clicks": lambda: encode(clicks),
        "mp3_of_one_frame": lambda: b"\xff\xfb\x90\x00" + bytes(5000),
        "one_sample": lambda: encode(tone(1)[:1]),
        "ten_milliseconds": lambda: encode(noise(0.01)),
        "one_crop_of_noise": lambda: encode(noise()[:16384]),
        "sample_of_1e30": lambda: with_sample(1e30),
    }
    return [OddInput(name, build, 422, "no_speech") for name, build in cases.items()]


def _usable() -> list[OddInput]:
    def subtype(name: str) -> Callable[[], bytes]:
        return lambda: encode(speech(), subtype=name)

    def rate(hz: int) -> Callable[[], bytes]:
        return lambda: encode(speech(rate=hz), hz)

    cases: dict[str, Callable[[], bytes]] = {
        **{
            f"wav_{name.lower()}": subtype(name) for name in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
        },
        **{f"wav_{name.lower()}": subtype(name) for name in ("ULAW", "ALAW")},
        **{f"wav_{hz}_hz": rate(hz) for hz in (8000, 11025, 22050, 44100, 48000, 96000, 192000)},
        "wav_extensible_24_bit": lambda: encode(speech(), container="WAVEX", subtype="PCM_24"),
        "wav_8_channels": lambda: encode(np.tile(speech()[:, None], (1, 8))),
        "wav_one_of_two_channels": lambda: encode(np.stack([speech(), 0 * speech()], axis=1)),
        "wav_from_a_pipe": lambda: wav(speech(), data_size=2**32 - 1),
        "wav_from_a_pipe_zero_length": lambda: wav(speech(), data_size=0),
        "wav_chunks_around": lambda: wav(
            speech(), before=chunk(b"LIST", b"INFOx"), after=chunk(b"LIST", b"INFOxyz")
        ),
        "wav_zeros_behind": lambda: encode(speech()) + bytes(512),
        "wav_beyond_one": lambda: encode(40 * speech(), subtype="FLOAT"),
        "wav_quiet": lambda: encode(0.01 * speech(), subtype="FLOAT"),
        "wav_offset": lambda: encode(0.5 * speech() + 0.3),
        "flac_unknown_length": lambda: undeclare_flac_length(encode(speech(), container="FLAC")),
        "flac_behind_id3": lambda: ID3 + encode(speech(), container="FLAC"),
        "vorbis": lambda: encode(speech(), container="OGG", subtype="VORBIS"),
        "opus": lambda: encode(speech(), container="OGG", subtype="OPUS"),
        "mp3_behind_id3": lambda: ID3 + encode(speech(), container="MP3"),
        "mp3_before_id3v1": lambda: encode(speech(), container="MP3") + b"TAG" + bytes(125),
        "aiff": lambda: encode(speech(), container="AIFF"),
        "aiff_behind_id3": lambda: ID3 + encode(speech(), container="AIFF"),
        "wav_ima_adpcm": lambda: encode(speech(), subtype="IMA_ADPCM"),
        "wav_before_a_line_end": lambda: encode(speech()) + b"\r\n",
    }
    return [
        *(OddInput(name, build, 200, None) for name, build in cases.items()),
        OddInput("mp3_named_wav", lambda: encode(speech(), container="MP3"), 200, None),
        OddInput("wav_named_mp3", lambda: encode(speech()), 200, None, "audio.mp3", "audio/mpeg"),
        OddInput(
            "flac_octet_stream",
            lambda: encode(speech(), container="FLAC"),
            200,
            None,
            "../../etc/passwd\u202e",
            "application/octet-stream",
        ),
    ]


ODD_INPUTS: list[OddInput] = [
    *_damaged(),
    *_unsupported(),
    *_too_large(),
    *_speechless(),
    OddInput("quarter_second_of_speech", short_speech, 422, "insufficient_speech"),
    *_usable(),
]
