"""The folder of a bundle: its files, and the manifest with their hashes. No torch in here."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bundle.manifest import MANIFEST

WriteFile = Callable[[Path], None]


def write_folder(folder: Path, manifest: dict[str, Any], files: Mapping[str, WriteFile]) -> None:
    """Writes a bundle folder, whole or not at all.

    Args:
        folder: `models/<name>/<version>`; must not exist, since versions are immutable.
        manifest: bundle.json without `files`.
        files: what writes each file, by its name.

    Raises:
        FileExistsError: the version is there already, or somebody else wrote it meanwhile.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists; a version is never written twice: choose another.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=partial_prefix(folder)) as temporary:
        partial = Path(temporary) / folder.name
        partial.mkdir()
        entries = {}
        for name, write in files.items():
            path = partial / name
            write(path)
            entries[path.stem] = _entry(path)
        (partial / MANIFEST).write_text(json.dumps({**manifest, "files": entries}, indent=1) + "\n")
        try:
            partial.rename(folder)
        except OSError as error:
            if folder.exists():
                raise FileExistsError(f"{folder} was written by somebody else meanwhile.") from error
            raise


def partial_prefix(folder: Path) -> str:
    """How the folders of a version that is being written begin, beside where it will lie."""
    return f".export-{folder.name}-"


def link_file(source: Path, path: Path) -> None:
    """The same file once more, without its bytes where the disk allows that. No file of a version changes."""
    try:
        os.link(source, path)
    except OSError:  # another disk, or another user's file
        shutil.copyfile(source, path)


def _entry(path: Path) -> dict[str, str | int]:
    content = path.read_bytes()
    return {"path": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
