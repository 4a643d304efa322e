"""Every format of docs/audio.md is read whole, or refused: issue's cases A5, A6, A8 to A11."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from service.audio import AudioLimits, decode
from service.audio.containers.kinds import CONTAINERS
from service.audio.containers.mpeg import whole_mp3
from service.audio.containers.ogg import _checksum, ogg_links
from service.audio.containers.sniff import sniff
from service.audio.decode import DecodedRecording
from service.audio.readers import FfmpegReader
from service.errors import InvalidAudio, TooLarge, TwofoldError, UnsupportedMedia
from tests.service.media import media
from tests.service.odd_inputs import wav
from tests.service.signals import RATE, encode, speech, tone

VOICE = speech(8)
SECOND = speech(5)

#: docs/audio.md's rows: container, and what makes a file of VOICE.
FORMATS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "WAV, IMA ADPCM": ("WAV", lambda: encode(VOICE, subtype="IMA_ADPCM")),
    "WAV, MS ADPCM": ("WAV", lambda: encode(VOICE, subtype="MS_ADPCM")),
    "WAV, GSM": ("WAV", lambda: encode(VOICE, subtype="GSM610")),
    "WAV, G.711": ("WAV", lambda: encode(VOICE, subtype="ALAW")),
    "WAV, G.726": ("WAV", lambda: media(VOICE, "wav", "g726", rate=8_000)),
    "RF64": ("RF64", lambda: encode(VOICE, container="RF64", subtype="PCM_24")),
    "W64": ("W64", lambda: encode(VOICE, container="W64")),
    "AIFF": ("AIFF", lambda: encode(VOICE, container="AIFF")),
    "CAF, PCM": ("CAF", lambda: encode(VOICE, container="CAF")),
    "CAF, ALAC": ("CAF", lambda: encode(VOICE, container="CAF", subtype="ALAC_16")),
    "AU": ("AU", lambda: encode(VOICE, container="AU", subtype="ULAW")),
    "M4A, AAC": ("MP4", lambda: media(VOICE, "ipod", "aac", rate=44_100)),
    "M4A, ALAC": ("MP4", lambda: media(VOICE, "ipod", "alac", rate=RATE)),
    "fragmented MP4": (
        "MP4",
        lambda: media(
            VOICE, "mp4", "aac", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        ),
    ),
    "3GP, AMR": ("MP4", lambda: media(VOICE, "3gp", "libopencore_amrnb", rate=8_000)),
    "MOV with pictures": ("MP4", lambda: media(VOICE, "mov", "aac", video=True)),
    "WebM, Opus": ("WEBM", lambda: media(VOICE, "webm", "libopus")),
    "live WebM, Opus": ("WEBM", lambda: media(VOICE, "webm", "libopus", options={"live": "1"})),
    "Matroska with pictures": ("WEBM", lambda: media(VOICE, "matroska", "ac3", video=True)),
    "AAC": ("AAC", lambda: media(VOICE, "adts", "aac", rate=RATE)),
    "AMR": ("AMR", lambda: media(VOICE, "amr", "libopencore_amrnb", rate=8_000)),
    "WMA": ("WMA", lambda: media(VOICE, "asf", "wmav2", rate=44_100)),
    "AVI": ("AVI", lambda: media(VOICE, "avi", "ac3", video=True)),
    "FLV": ("FLV", lambda: media(VOICE, "flv", "aac", rate=44_100)),
    "MPEG-TS": ("MPEG-TS", lambda: media(VOICE, "mpegts", "aac")),
    "MPEG-PS": ("MPEG-PS", lambda: media(VOICE, "mpeg", "mp2")),
    "WavPack": ("WavPack", lambda: media(VOICE, "wv", "wavpack", rate=RATE)),
    "MP2": ("MP3", lambda: media(VOICE, "mp2", "mp2")),
}
#: Codecs cut this much off the voice, or leave this much of their own frames.
ROUNDING_S = 0.09


Decode = Callable[[bytes], DecodedRecording]


@pytest.fixture
def read(ffmpeg: FfmpegReader) -> Decode:
    return lambda data: decode(data, AudioLimits(), ffmpeg)


def late_by(recording: DecodedRecording, original: np.ndarray) -> int:
    """Samples by which the recording comes after the original."""
    size = 1 << (len(original) + len(recording.samples)).bit_length()
    product = np.fft.rfft(recording.samples, size) * np.conj(np.fft.rfft(original, size))
    at = int(np.argmax(np.fft.irfft(product)))
    return at if at < size // 2 else at - size


@pytest.mark.parametrize("name", FORMATS)
def test_a8_reads_every_format_whole(name: str, read: Decode) -> None:
    container, make = FORMATS[name]
    data = make()
    assert sniff(data) == container
    recording = read(data)
    assert recording.duration_s == pytest.approx(8.0, abs=ROUNDING_S)
    assert abs(late_by(recording, VOICE)) <= ROUNDING_S * RATE


def test_every_container_is_tested() -> None:
    elsewhere = {"WAV", "FLAC", "OGG", "MP3"}  # test_decode.py
    assert {container for container, _ in FORMATS.values()} | elsewhere == set(CONTAINERS)


#: A stream of frames that ends between two of them is a shorter recording; nothing tells that more was meant.
ENDLESS = {"AAC", "AMR", "MPEG-TS", "MPEG-PS", "FLV", "MP2"}


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ENDLESS])
@pytest.mark.parametrize("share", [0.5, 0.93])
def test_a6_never_reads_half_a_file(name: str, share: float, read: Decode) -> None:
    data = FORMATS[name][1]()
    with pytest.raises(TwofoldError) as refusal:
        read(data[: int(share * len(data))])
    assert refusal.value.status == 422


def untagged_mp3() -> bytes:
    """An MP3 as a pipe leaves it: without the frame that declares their number."""
    data = media(VOICE, "mp3", "mp3", rate=44_100, options={"write_xing": "0", "id3v2_version": "0"})
    assert b"Xing" not in data[:200]
    assert b"Info" not in data[:200]
    return data


def test_a5_mp3_without_a_length_is_read_whole(read: Decode) -> None:
    # Quiet at first: by the bit rate of its first frames, the file would be much longer or shorter.
    assert read(untagged_mp3()).duration_s == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("container", ["MP3", "OPUS", "VORBIS"])
def test_a6_joined_files_are_read_to_the_end(container: str, read: Decode) -> None:
    how = {"container": "MP3"} if container == "MP3" else {"container": "OGG", "subtype": container}
    recording = read(encode(VOICE, **how) + encode(SECOND, **how))
    assert recording.duration_s == pytest.approx(13.0, abs=0.2)
    tail = recording.samples[-len(SECOND) :]
    assert np.sqrt((tail**2).mean()) == pytest.approx(np.sqrt((SECOND**2).mean()), rel=0.1)


def test_a6_joined_files_of_different_rates_are_refused_in_words(read: Decode) -> None:
    for container in ("MP3", "OGG"):
        parts = encode(VOICE, container=container), encode(tone(rate=32_000), 32_000, container=container)
        with pytest.raises(InvalidAudio, match="32000 Hz"):
            read(b"".join(parts))


def rewritten_opus(offset: int, value: bytes) -> bytes:
    """Ogg Opus of VOICE with other bytes in its header, and a right checksum."""
    data = encode(VOICE, container="OGG", subtype="OPUS")
    head = data.index(b"OpusHead") + offset
    end = data.index(b"OggS", 4)
    page = data[:head] + value + data[head + len(value) : end]
    return page[:22] + _checksum(page) + page[26:] + data[end:]


def test_a6_an_opus_header_that_lies_about_its_rate_changes_nothing(read: Decode) -> None:
    honest = read(encode(VOICE, container="OGG", subtype="OPUS"))
    lying = read(rewritten_opus(12, struct.pack("<I", 8_000)))
    np.testing.assert_array_equal(lying.samples, honest.samples)
    assert lying.source_rate_hz == 48_000


def test_a6_an_opus_header_that_hides_speech_is_refused(read: Decode) -> None:
    with pytest.raises(InvalidAudio, match="could be decoded"):
        read(rewritten_opus(10, struct.pack("<H", 65_535)))


def test_opus_packets_are_counted() -> None:
    (link,) = ogg_links(encode(VOICE, container="OGG", subtype="OPUS"), 600)
    assert link.opus_samples is not None
    assert link.opus_samples / 48_000 == pytest.approx(8.0, abs=0.07)


@pytest.mark.parametrize("tail", [b"\r\n", b"\n", b"TAG" + bytes(125), b"\0" * 1000], ids=repr)
def test_a9_a_wav_may_be_followed_by_what_tools_leave(tail: bytes, read: Decode) -> None:
    assert read(encode(VOICE) + tail).duration_s == 8.0


def test_a9_a_wav_with_more_sound_than_it_declares_is_refused(read: Decode) -> None:
    with pytest.raises(InvalidAudio, match="declares"):
        read(wav(VOICE, data_size=1000))


def test_a10_millions_of_empty_chunks_or_pages_are_refused_early(read: Decode) -> None:
    """No clock: that few are looked at is what makes it fast."""
    whole = encode(VOICE)
    with pytest.raises(InvalidAudio, match="1000 chunks"):
        read(whole[:36] + b"JUNK\0\0\0\0" * 1_000_000)
    ogg = encode(VOICE, container="OGG", subtype="OPUS")
    page = b"OggS\0\0" + bytes(8) + ogg[14:18] + bytes(8) + b"\0"
    with pytest.raises(InvalidAudio, match="empty pages"):
        read(ogg + (page[:22] + _checksum(page) + page[26:]) * 1_000_000)


@pytest.mark.parametrize("lost", [1, 100, 700])
def test_a11_an_mp3_may_begin_inside_a_frame(lost: int, read: Decode) -> None:
    assert read(untagged_mp3()[lost:]).duration_s == pytest.approx(8.0, abs=0.15)


def test_mp3_frames_are_counted_right() -> None:
    tagged = encode(VOICE, container="MP3")
    whole = whole_mp3(tagged, 600)
    assert whole is not None
    assert whole[0] is tagged, "a whole file is left as it is: its tag also says where the voice begins"
    assert whole[1] == pytest.approx(8.0, abs=0.1)


def test_an_hour_of_amr_is_refused_as_too_long(read: Decode) -> None:
    frame = media(VOICE, "amr", "libopencore_amrnb", rate=8_000)[6:]
    with pytest.raises(TooLarge, match="600 s"):
        read(b"#!AMR\n" + frame * 450)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
        (b"%PDF-1.7", "a PDF document"),
        (b'{"audio": []}', "JSON text"),
        (b"<!doctype html>", "HTML"),
        (b"RIFF\0\0\0\0ACON", "'ACON'"),
        (bytes(1000), "nothing but zeros"),
        (b"\x07\x01\x02\xff" * 9, "07 01 02 ff"),
        (b"good morning", "text"),
    ],
)
def test_a8_a_refusal_says_what_came(data: bytes, words: str, read: Decode) -> None:
    with pytest.raises(UnsupportedMedia, match=words):
        read(data)


@pytest.mark.parametrize("name", [name for name in FORMATS if CONTAINERS[FORMATS[name][0]].libsndfile == ()])
def test_damaged_files_are_refused_or_read(name: str, read: Decode) -> None:
    """Bytes overwritten anywhere: usable samples, or one of the errors that are promised."""
    data = FORMATS[name][1]()
    rng = np.random.default_rng(0)
    for _ in range(3):
        damaged = bytearray(data)
        for at in rng.integers(0, len(data), 5):
            damaged[at] = rng.integers(256)
        try:
            recording = read(bytes(damaged))
        except TwofoldError as error:
            assert error.status in (413, 415, 422)  # noqa: PT017 - decoding may also succeed
        else:
            assert np.abs(recording.samples).max() <= 1.0
