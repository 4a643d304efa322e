"""What archives are read as, and which ones are refused before they cost anything."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping

import pytest

from service.bulk import open_archive
from service.errors import BadRequest, InvalidAudio, TooLarge, TwofoldError, UnsupportedMedia

MAX_BYTES = 2**20
FILES = {
    "./ann/1.wav": b"one",
    "ann/more/2.wav": b"two",
    "bob.wav": b"three",
    "ann/notes.txt": b"",
    ".x": b"",
}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    with zipfile.ZipFile(out := io.BytesIO(), "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    with tarfile.open(fileobj=(out := io.BytesIO()), mode="w") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gzipped(files: Mapping[str, bytes]) -> bytes:
    return gzip.compress(tarred(files))


def link(kind: bytes) -> bytes:
    with tarfile.open(fileobj=(out := io.BytesIO()), mode="w") as archive:
        info = tarfile.TarInfo("ann/1.wav")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return out.getvalue()


def zip_link() -> bytes:
    info = zipfile.ZipInfo("ann/1.wav")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(out := io.BytesIO(), "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


@pytest.mark.parametrize("pack", [zipped, tarred, gzipped])
def test_recordings_are_of_the_first_folder_or_of_the_file(
    pack: Callable[[Mapping[str, bytes]], bytes],
) -> None:
    archive = open_archive(pack(FILES), max_bytes=MAX_BYTES)
    assert {who: [p.removeprefix("./") for p in paths] for who, paths in archive.people.items()} == {
        "ann": ["ann/1.wav", "ann/more/2.wav"],
        "bob": ["bob.wav"],
    }
    assert [archive.read(path) for path in (*archive.people["ann"], *archive.people["bob"])] == [
        *(b"one", b"two", b"three")
    ]


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    "path", ["../ann.wav", "/etc/ann.wav", "ann/../../b.wav", "C:\\ann.wav", "..\\b.wav"]
)
def test_a_path_outside_is_refused(pack: Callable[[Mapping[str, bytes]], bytes], path: str) -> None:
    with pytest.raises(BadRequest, match="outside"):
        open_archive(pack({"bob.wav": b"", path: b""}), max_bytes=MAX_BYTES)


@pytest.mark.parametrize(
    "data",
    [link(tarfile.SYMTYPE), link(tarfile.LNKTYPE), link(tarfile.FIFOTYPE), zip_link()],
    ids=["symbolic", "hard", "pipe", "in zip"],
)
def test_a_link_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="a link or a device"):
        open_archive(data, max_bytes=MAX_BYTES)


def many(pack: Callable[[Mapping[str, bytes]], bytes], count: int) -> bytes:
    return pack({f"{number}.wav": b"" for number in range(count)})


@pytest.mark.parametrize(
    "data",
    [
        zipped({"ann.wav": bytes(2**21), "bob.wav": b""}),  # 2 kB
        gzipped({"ann.wav": bytes(2**21), "bob.wav": b""}),
        gzip.compress(bytes(2**26)),
        many(zipped, 2001),
    ],
    ids=["zip", "tar.gz", "zeros", "recordings"],
)
def test_a_bomb_is_refused(data: bytes) -> None:
    with pytest.raises(TooLarge):
        open_archive(data, max_bytes=MAX_BYTES)


def test_headers_of_a_tar_that_lead_nowhere_are_refused() -> None:
    def header(kind: bytes, size: int) -> bytes:
        info = tarfile.TarInfo("ann.wav")
        info.type, info.size = kind, max(size, 0)
        block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        if size < 0:
            block[124:136] = b"\xff" * 10 + (2**16 + size).to_bytes(2, "big")  # base 256
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
        return bytes(block)

    record = b"11 a=bcdef\n" * 46 + b"6 a=b\n"
    chain = (header(tarfile.XHDTYPE, 512) + record.ljust(512, b"\n")[:512]) * 3000
    long = header(tarfile.XHDTYPE, 2**20) + bytes(2**20)
    back = header(tarfile.REGTYPE, 0) + header(tarfile.REGTYPE, -1024)
    for data, said in ((chain, "recursion"), (long, "impossible size"), (back, "impossible size")):
        with pytest.raises(BadRequest, match=said):
            open_archive(data + bytes(1024), max_bytes=2**24)


def test_a_list_of_millions_of_files_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZipFile", None)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 2**24, 0, 0)
    with pytest.raises(TooLarge):
        open_archive(b"PK\x03\x04" + bytes(2**16) + end, max_bytes=MAX_BYTES)
    short = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 100, 0, 0)
    with pytest.raises(TooLarge):  # the other place that may say how long the list is
        open_archive(b"PK\x03\x04" + b"PK\x06\x07" + bytes(16) + short, max_bytes=MAX_BYTES)


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"", UnsupportedMedia, "empty"),
        (b"RIFF....WAVE", UnsupportedMedia, "zip, a tar or a tar.gz"),
        (zipped({}), BadRequest, "no recordings"),
        (zipped({"people/ann.wav": b"", "people/bob.wav": b""}), BadRequest, "the folder 'people'"),
        (zipped(FILES)[:-30], BadRequest, "end is missing"),
        (tarred(FILES)[:1024], BadRequest, "end is missing"),
        (tarred(FILES)[:2560], BadRequest, "unexpected end"),
        (gzipped(FILES)[:-9], BadRequest, "end is missing"),
    ],
    ids=[
        "nothing",
        "wav",
        "no file",
        "a folder too many",
        "half zip",
        "half tar",
        "cut in a file",
        "half gzip",
    ],
)
def test_what_is_wrong_is_said(data: bytes, kind: type[TwofoldError], said: str) -> None:
    with pytest.raises(kind, match=said):
        open_archive(data, max_bytes=MAX_BYTES)


def test_a_recording_that_cannot_be_unpacked_does_not_take_the_others_with_it() -> None:
    data = bytearray(zipped({"ann.wav": b"one", "bob.wav": b"two"}, zipfile.ZIP_STORED))
    data[data.index(b"one")] ^= 1
    archive = open_archive(bytes(data), max_bytes=MAX_BYTES)
    with pytest.raises(InvalidAudio, match="cannot be unpacked"):
        archive.read("ann.wav")
    assert archive.read("bob.wav") == b"two"
    bzip2 = open_archive(zipped({"ann.wav": b"1", "bob.wav": b""}, zipfile.ZIP_BZIP2), max_bytes=MAX_BYTES)
    with pytest.raises(InvalidAudio, match="uncommon"):  # it would unpack without a limit
        bzip2.read("ann.wav")
