"""What a file is, by its first bytes. File names and content types are ignored: they are often wrong."""

from __future__ import annotations

from service.audio.containers.ebml import EBML
from service.audio.containers.kinds import READABLE
from service.audio.containers.mpeg import id3_bytes, is_frame_header, runs_of_frames
from service.audio.containers.riff import W64_RIFF
from service.errors import UnsupportedMedia

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_BOXES = (b"ftyp", b"moov", b"moof", b"styp", b"mdat", b"wide", b"free", b"skip", b"pnot")
_STARTS = {
    b"FLV": "FLV",
    b".snd": "AU",
    b"#!AMR": "AMR",
    b"caff\x00\x01": "CAF",
    b"OggS": "OGG",
    b"fLaC": "FLAC",
    b"wvpk": "WavPack",
    b"\x00\x00\x01\xba": "MPEG-PS",
    W64_RIFF: "W64",
    _ASF: "WMA",
    EBML: "WEBM",
}
# What people send by mistake.
_STRANGERS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"MThd": "MIDI: notes, not sound",
    b"#EXTM3U": "a playlist, not the recording itself",
    b"[playlist]": "a playlist, not the recording itself",
    b".RMF": "RealMedia, which is not read",
    b"MAC ": "Monkey's Audio, which is not read",
    b"\x93NUMPY": "a numpy array",
    b"version https://git-lfs": "a Git LFS pointer, not the recording itself",
}


def sniff(data: bytes) -> str:
    """The container that `data` is: a key of `kinds.CONTAINERS`.

    Raises:
        UnsupportedMedia: none of them; the message says what came.
    """
    container = _container(data)
    if container is None:
        raise UnsupportedMedia(f"The data is {what_came(data)}. {READABLE}")
    return container


def looks_like_audio(data: bytes) -> bool:
    """Whether `data` is in a container that is read."""
    return _container(data) is not None


def _container(data: bytes) -> str | None:
    riff, form = data[:4], data[8:12]
    if riff in (b"RIFF", b"RIFX") and form == b"WAVE":
        return "WAV"
    if riff in (b"RF64", b"BW64") and form == b"WAVE":
        return "RF64"
    if riff == b"RIFF" and form == b"AVI ":
        return "AVI"
    if riff == b"FORM" and form in (b"AIFF", b"AIFC"):
        return "AIFF"
    for start, name in _STARTS.items():
        if data.startswith(start):
            return name
    if data[4:8] in _BOXES:
        return "MP4"
    if data[:3] == b"ID3":
        return _container(data[id3_bytes(data) :]) or "MP3"
    if data[:1] == b"\x47" and data[188:189] == b"\x47" and data[376:377] in (b"\x47", b""):
        return "MPEG-TS"
    if len(data) > 6 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:  # ADTS: layer 0
        return "AAC"
    if is_frame_header(data[:4]) or runs_of_frames(data):
        return "MP3"
    return None


def what_came(data: bytes) -> str:
    """In words, for an error: "a PNG image"."""
    for start, words in _STRANGERS.items():
        if data.startswith(start):
            return words
    head = data[:512].lstrip()
    if data[:4] == b"RIFF":
        return f"a RIFF file of type {_shown(data[8:12])}, which holds no recording"
    if head[:1] == b"<":
        return "HTML or XML text, perhaps an error page that was saved as a recording"
    if head[:1] in (b"{", b"["):
        return "JSON text"
    if not data[:1024].strip(b"\0"):
        return "nothing but zeros"
    try:
        data[:512].decode()
    except UnicodeDecodeError as error:
        if error.start < 500:  # not a character that the 512th byte cuts
            return f"in no audio format that this service knows: it begins with {_shown(data[:12])}"
    return (
        "text"
        if data[:512].decode(errors="ignore").isprintable() or b"\n" in data[:512]
        else (f"in no audio format that this service knows: it begins with {_shown(data[:12])}")
    )


def _shown(data: bytes) -> str:
    return repr(data.decode("ascii")) if data.isascii() and data.decode().isprintable() else data.hex(" ")
