"""bundle.json, as far as it is the same for every kind of bundle."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

MANIFEST = "bundle.json"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Part of a URL and of a folder name: no separators, no leading dot.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]
JSON_OBJECT = TypeAdapter(dict[str, Any])


class BundleError(Exception):
    """A bundle that cannot be used; the message says which file and why."""


class BundleFile(BaseModel):
    """One file of a bundle, beside its manifest."""

    model_config = ConfigDict(frozen=True)

    path: Identifier
    sha256: Sha256
    bytes: int = Field(gt=0)


class StoredBundle(BaseModel):
    """What bundle.json has for every kind, and where it was read from.

    `load` is the way in; `read` leaves the ONNX files alone.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1, 2]  # 2: there may be an adaptation, which older releases would leave out
    name: Identifier
    version: Identifier
    kind: str
    parent: str | None = None
    created_at: AwareDatetime
    sample_rate_hz: Literal[16000]
    files: dict[str, BundleFile]
    metrics: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)

    path: Path = Field(exclude=True)
    sha256: Sha256 = Field(exclude=True)  # of bundle.json, so of everything: it holds the files' hashes

    @property
    def id(self) -> str:
        """`name/version`, as answers give it."""
        return f"{self.name}/{self.version}"

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in folder `path`. Raises BundleError."""
        manifest = path / MANIFEST
        try:
            raw = manifest.read_bytes()
            fields = JSON_OBJECT.validate_json(raw)
            return cls.model_validate(fields | {"path": path, "sha256": hashlib.sha256(raw).hexdigest()})
        except OSError as error:
            raise BundleError(
                f"{manifest} cannot be read: {error.strerror}. Give the folder that holds {MANIFEST}."
            ) from error
        except ValidationError as error:
            raise BundleError(f"{manifest} is not a bundle manifest: {error}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """The bundle in folder `path` with every file's sha256 checked. Raises BundleError."""
        bundle = cls.read(path)
        for name in bundle.files:
            bundle.open(name)
        return bundle

    def file(self, name: str) -> Path:
        """Where the file that the manifest calls `name` lies. Its hash is not checked."""
        return self.path / self.files[name].path

    def open(self, name: str) -> bytes:
        """The bytes of file `name`, which are the very bytes that were hashed. Raises BundleError."""
        entry = self.files[name]
        try:
            data = self.file(name).read_bytes()
        except OSError as error:
            raise BundleError(f"{entry.path} of {self.id} cannot be read: {error.strerror}") from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != entry.sha256:
            raise BundleError(
                f"{entry.path} of {self.id} is not the file its manifest names: sha256 is {digest}, "
                f"expected {entry.sha256}. "
                "It was damaged or changed; restore it or export the bundle again."
            )
        return data
