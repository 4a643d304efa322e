"""Where it is kept which version serves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from bundle.manifest import BundleError
from bundle.voice import VoiceBundle
from service.errors import StoreUnavailable
from service.stores.disk import disk_full, is_full


class ActiveModel(Protocol):
    """The model that was activated last. Both calls block."""

    def read(self) -> str | None:
        """Its name/version, or the bare version where an earlier release wrote it; None before a switch.

        Raises BundleError when damaged, StoreUnavailable out of reach.
        """
        ...

    def write(self, bundle: VoiceBundle) -> None:
        """Durable when it returns; all or nothing. Raises StoreUnavailable."""
        ...


class ActiveModelFile:
    """`ActiveModel` of a service that runs alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        if not self._path.exists():
            return None
        try:
            stored = json.loads(self._path.read_text())
            version = str(stored["version"])
            return f"{stored['name']}/{version}" if "name" in stored else version
        except (ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"{self._path.name} is damaged: activate a version, or delete it for the default."
            ) from error

    def write(self, bundle: VoiceBundle) -> None:
        temporary = self._path.with_suffix(".tmp")
        try:
            self._write(bundle, temporary)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            if is_full(error):
                raise disk_full() from error
            raise StoreUnavailable(
                f"The choice of the model cannot be stored ({error.strerror}). Nothing was changed."
            ) from error

    def _write(self, bundle: VoiceBundle, temporary: Path) -> None:
        # Also through a power cut: temporary file, fsync, rename, fsync of the folder.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w") as file:
            json.dump({"name": bundle.name, "version": bundle.version}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
