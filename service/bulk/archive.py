"""Zip, tar and tar.gz files of recordings: read in memory, one recording at a time, and never unpacked.

The limits hold before anything is read: for the list of files, for all files together and for each.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from service.audio.containers import what_came
from service.errors import BadRequest, InvalidAudio, TooLarge, UnsupportedMedia

MOST_RECORDINGS = 2000
_MOST_MEMBERS = 10_000  # with folders, texts and hidden files
_GZIP, _ZIPS = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_ZIP_END, _ZIP_END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65535
_ZIP64_LOCATOR, _ZIP64_LOCATOR_BYTES = b"PK\x06\x07", 20
_MOST_LISTING = 2**22  # bytes of a zip's list of files: the list is in memory before it can be counted
_MOST_HEADER = 2**16  # bytes of what a tar says of one file beside its header; a longest path has 4096
_LONG_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a limit
_NO_AUDIO = frozenset((".csv", ".json", ".lab", ".md", ".rttm", ".tsv", ".txt"))


@dataclass(frozen=True, eq=False)
class _Member:
    """A file in an archive."""

    path: str
    size: int  # unpacked
    plain: bool  # no link and no device
    read: Callable[[], bytes]


@dataclass(frozen=True, eq=False)
class Archive:
    """Recordings of several people."""

    people: Mapping[str, Sequence[str]]  # speaker id → paths of recordings, both in the order of the archive
    size: int  # bytes that it takes in memory
    _members: Mapping[str, _Member]

    def read(self, path: str) -> bytes:
        """The bytes of a recording. Blocks. Raises InvalidAudio where they are damaged or encrypted."""
        try:
            return self._members[path].read()
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, tarfile.TarError, zlib.error) as error:
            raise InvalidAudio(f"It cannot be unpacked: {error}. Pack the archive again.") from None


def open_archive(data: bytes, *, max_bytes: int) -> Archive:
    """The recordings of an archive: `ann/1.wav` and `ann/2.wav` are of ann, and so is `ann.wav`. Blocks.

    Hidden files, tables and texts are left out. `max_bytes` bounds all files together, unpacked.

    Raises:
        UnsupportedMedia: it is no archive.
        BadRequest: it is damaged, has no recordings or only one person's, or names a path outside of it.
        TooLarge: it has too many files, or they are too large.
    """
    if data.startswith(_GZIP):
        data = _inflated(data, max_bytes)
    zipped = data.startswith(_ZIPS)
    if not zipped and data[257:262] != b"ustar":
        raise UnsupportedMedia(
            f"The body is {what_came(data) if data else 'empty'}. Send a zip, a tar or a tar.gz that has a "
            "folder of recordings for each person, or a file for each."
        )
    members: dict[str, _Member] = {}
    people: dict[str, list[str]] = {}
    try:
        total = 0
        for count, member in enumerate(_zipped(data) if zipped else _tarred(data), 1):
            total += member.size
            if count > _MOST_MEMBERS or total > max_bytes:
                raise TooLarge(
                    f"The archive has more than {_MOST_MEMBERS} files, or more than {max_bytes} bytes when "
                    "it is unpacked. Send it in parts."
                )
            speaker_id = _speaker_of(member)
            if speaker_id is not None:
                members[member.path] = member
                people.setdefault(speaker_id, []).append(member.path)
    except (OSError, EOFError, RecursionError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise BadRequest(f"The archive is damaged: {error}. Pack it again.") from None
    if len(members) > MOST_RECORDINGS:
        raise TooLarge(f"The archive has more than {MOST_RECORDINGS} recordings. Send it in parts.")
    if not people:
        raise BadRequest(
            "The archive has no recordings. It needs a folder for each person, or a file for each."
        )
    if len(people) == 1 and len(members) > 1:
        (folder,) = people
        raise BadRequest(
            f"All recordings lie in the folder {folder!r}, as if they were of one person. Archive what is "
            "inside of it, not the folder itself. One person is enrolled with POST /speakers."
        )
    return Archive(people, len(data), members)


def _speaker_of(member: _Member) -> str | None:
    """Whose recording it is; None for what is none. Raises BadRequest for what no archive should have."""
    path = PurePosixPath(member.path.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts[:1] and path.parts[0][1:2] == ":"):
        raise BadRequest(
            f"The archive names {member.path[:200]!r}, which lies outside of it. Nothing was done. Archive "
            "the folder from inside, with paths such as ann/1.wav."
        )
    if not member.plain:
        raise BadRequest(
            f"In the archive, {member.path[:200]!r} is a link or a device. Nothing was done. Archive the "
            "recordings themselves."
        )
    if any(part.startswith(".") for part in path.parts) or path.suffix.lower() in _NO_AUDIO:
        return None
    return path.parts[0] if len(path.parts) > 1 else path.stem


def _zipped(data: bytes) -> Iterator[_Member]:
    _require_short_listing(data)
    archive = zipfile.ZipFile(io.BytesIO(data))
    for info in archive.infolist():
        if not info.is_dir():
            link = stat.S_ISLNK(info.external_attr >> 16)
            yield _Member(info.filename, info.file_size, not link, partial(_unzipped, archive, info))


def _require_short_listing(data: bytes) -> None:
    """Refuses a list of millions of files before it is read. Finds the end of the file as zipfile does.

    Raises TooLarge or BadRequest.
    """
    end = len(data) - _ZIP_END_BYTES
    if data[end : end + 4] != _ZIP_END or data[-2:] != b"\0\0":
        end = data.rfind(_ZIP_END, max(0, end - _LONGEST_COMMENT))
    if end < 0:
        raise BadRequest("The archive is damaged: its end is missing. Pack it again.")
    locator = max(0, end - _ZIP64_LOCATOR_BYTES)
    listing = int.from_bytes(data[end + 12 : end + 16], "little")
    if listing > _MOST_LISTING or data[locator : locator + 4] == _ZIP64_LOCATOR:
        raise TooLarge(f"The archive has more than {_MOST_MEMBERS} files. Send it in parts.")


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise OSError("it is encrypted")
    if info.compress_type not in _METHODS:
        raise OSError("it is compressed in an uncommon way")
    with archive.open(info) as file:  # reads no more than the size that was counted
        return file.read()


def _tarred(data: bytes) -> Iterator[_Member]:
    archive = tarfile.open(fileobj=io.BytesIO(data), mode="r:", tarinfo=_TarHeader)  # noqa: SIM115  read from later
    while (info := archive.next()) is not None:
        if not info.isdir():
            plain = info.isreg() and not info.issparse()
            yield _Member(info.name, info.size, plain, partial(_untarred, archive, info))
    if data[archive.offset : archive.offset + tarfile.BLOCKSIZE] != bytes(tarfile.BLOCKSIZE):
        raise BadRequest("The archive is damaged: its end is missing. Pack it again.")


class _TarHeader(tarfile.TarInfo):
    """Refuses what would take tarfile long to read, or lead it round in a circle."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:  # the hook for subclasses
        if self.size < 0 or (self.type in _LONG_HEADERS and self.size > _MOST_HEADER):
            raise ValueError("a header has an impossible size")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return member


def _untarred(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    assert file is not None  # a plain file
    with file:
        return file.read()


def _inflated(data: bytes, max_bytes: int) -> bytes:
    """What is inside of gzip. Raises TooLarge as soon as it is more than `max_bytes`."""
    inflator = zlib.decompressobj(wbits=31)
    try:
        inflated = inflator.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise BadRequest(f"The archive is damaged: {error}. Pack it again.") from None
    if len(inflated) > max_bytes:
        raise TooLarge(f"The archive has more than {max_bytes} bytes when it is unpacked. Send it in parts.")
    if not inflator.eof:
        raise BadRequest("The archive is damaged: its end is missing. Pack it again.")
    return inflated
