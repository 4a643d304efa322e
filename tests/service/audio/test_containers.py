"""Bytes that come from anywhere never bring the checks down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audio import AudioLimits, decode
from service.audio.containers import check_ogg, sniff
from service.audio.readers import FfmpegReader
from service.errors import InvalidAudio, TwofoldError
from tests.service.signals import encode, noise

FILES = {
    "WAV": encode(noise(0.2)),
    "FLAC": encode(noise(0.2), container="FLAC"),
    "OGG": encode(noise(0.2), container="OGG", subtype="VORBIS"),
    "MP3": encode(noise(0.2), container="MP3"),
}
STARTS = [
    b"",
    b"RIFF\xff\xff\xff\xffWAVE",
    b"RIFF\x00\x00\x00\x00WAVEfmt ",
    b"fLaC",
    b"OggS",
    b"ID3",
    b"\xff\xfb\x90",
]


@pytest.mark.parametrize("container", FILES)
def test_sniffs_by_content(container: str) -> None:
    assert sniff(FILES[container]) == container


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300))
def test_any_bytes_are_refused_cleanly(ffmpeg: FfmpegReader, start: bytes, rest: bytes) -> None:
    try:
        recording = decode(start + rest, AudioLimits(), ffmpeg)
    except TwofoldError as error:
        assert error.status in (413, 415, 422)  # noqa: PT017 - decoding may also succeed
    else:
        assert abs(recording.samples).max() <= 1.0


@pytest.mark.parametrize("container", FILES)
@given(data=st.data())
def test_any_damage_is_refused_cleanly(ffmpeg: FfmpegReader, container: str, data: st.DataObject) -> None:
    """Any bytes overwritten and any tail lost: still either usable samples or one of the errors promised."""
    file = bytearray(FILES[container])
    at = data.draw(st.integers(0, len(file) - 1))
    patch = data.draw(st.binary(max_size=8))
    file[at : at + len(patch)] = patch
    end = data.draw(st.integers(0, len(file)))
    try:
        recording = decode(bytes(file[:end]), AudioLimits(), ffmpeg)
    except TwofoldError as error:
        assert error.status in (413, 415, 422)  # noqa: PT017 - decoding may also succeed
    else:
        assert abs(recording.samples).max() <= 1.0


@given(st.integers(0, len(FILES["OGG"]) - 1), st.integers(1, 255))
def test_every_flipped_byte_of_an_ogg_file_is_noticed(at: int, flip: int) -> None:
    file = bytearray(FILES["OGG"])
    file[at] ^= flip
    with pytest.raises(InvalidAudio):
        check_ogg(bytes(file))


@given(st.integers(44, len(FILES["WAV"]) - 1))
def test_every_cut_wav_is_noticed(end: int) -> None:
    with pytest.raises(InvalidAudio, match="cut off"):
        decode(FILES["WAV"][:end], AudioLimits())
