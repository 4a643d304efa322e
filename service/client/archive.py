"""The file of an exported gallery, which a passphrase may encrypt.

Encrypted, the first line says how scrypt makes the key of the passphrase. Each other line is one of the
gallery under AES-256-GCM. Its number is the nonce, and the first line is authenticated with it. No line can
be changed, moved or taken from another file. The last line shows that none was cut off.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from service.client.errors import ClientError

FORMAT = "twofold-gallery-encrypted"
NDJSON = "application/x-ndjson"
_PART_CHARACTERS, _PART_SPEAKERS = 2**24, 500  # of one body
SHORTEST = 8  # characters of a passphrase
_COST = {"n": 2**16, "r": 8, "p": 1}  # 64 MiB and a fifth of a second
_DEAREST = 2**20  # more memory than this, a file may not ask for
_KEY_BYTES = 32


def sealed(lines: Iterable[str], passphrase: str) -> Iterator[str]:
    """The lines, encrypted. Raises ClientError for a short passphrase."""
    if len(passphrase) < SHORTEST:
        raise ClientError(f"The passphrase has to have at least {SHORTEST} characters.")
    salt = os.urandom(16)
    head = json.dumps({"format": FORMAT, "version": 1, "salt": base64.b64encode(salt).decode(), **_COST})
    cipher = _cipher(passphrase, salt, **_COST)
    yield head
    for number, line in enumerate(lines, start=1):
        yield base64.b64encode(cipher.encrypt(_nonce(number), line.encode(), head.encode())).decode()


def unsealed(lines: Iterable[str], passphrase: str) -> Iterator[str]:
    """The lines of `sealed` again. Raises ClientError for another passphrase, or a file that was changed."""
    from cryptography.exceptions import InvalidTag

    numbered = enumerate(lines)
    _, head = next(numbered)
    try:
        fields = json.loads(head)
        cost = {name: int(fields[name]) for name in _COST}
        salt = base64.b64decode(fields["salt"])
    except (ValueError, KeyError, TypeError) as error:
        raise ClientError("The first line of the file is damaged.") from error
    if fields.get("version") != 1 or cost["n"] * cost["r"] * cost["p"] > _DEAREST:
        raise ClientError("The file was written by a newer Twofold, or is damaged.")
    cipher = _cipher(passphrase, salt, **cost)
    for number, line in numbered:
        try:
            yield cipher.decrypt(_nonce(number), base64.b64decode(line), head.encode()).decode()
        except (InvalidTag, ValueError):
            why = "The passphrase is another one, or the file" if number == 1 else "The file"
            raise ClientError(f"{why} was changed after it was written.") from None


def parts_of(lines: Iterable[str]) -> Iterator[str]:
    """The lines as bodies that the service takes: each a gallery of its own. Raises ClientError."""
    rest = iter(lines)
    header = next(rest, "")
    part: list[str] = []
    size = 0
    line = ""
    for line in rest:
        if line.startswith('{"end":'):
            break
        if part and (size + len(line) > _PART_CHARACTERS or len(part) == _PART_SPEAKERS):
            yield _part(header, part)
            part, size = [], 0
        part.append(line)
        size += len(line)
    if not line.startswith('{"end":'):
        raise ClientError(
            "The file was cut off: its last line is missing. Speakers before that are imported."
        )
    yield _part(header, part)


def _part(header: str, speakers: list[str]) -> str:
    return "\n".join([header, *speakers, json.dumps({"end": len(speakers), "left_out": []}), ""])


def is_sealed(first_line: str) -> bool:
    """Whether a passphrase is needed."""
    return FORMAT in first_line


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Writes a file that only its owner can read, whole or not at all. Returns the number of lines.

    Raises ClientError.
    """
    partial = path.with_name(f"{path.name}.partial")
    count = 0
    try:
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            for line in lines:
                file.write(line + "\n")
                count += 1
        partial.replace(path)
    except OSError as error:
        raise ClientError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
    return count


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a file. Raises ClientError."""
    try:
        with path.open() as file:
            for line in file:
                yield line.rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"{path} cannot be read: {error}.") from None


def _cipher(passphrase: str, salt: bytes, *, n: int, r: int, p: int) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # not every client encrypts
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return AESGCM(Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=r, p=p).derive(passphrase.encode()))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
