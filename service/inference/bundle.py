"""The bundle: a trained model as ONNX files and a manifest with their sha256 (docs/architecture.md)."""

from __future__ import annotations

import hashlib
from itertools import pairwise
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
    field_validator,
    model_validator,
)

from service.errors import Conflict

MANIFEST = "bundle.json"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Part of a URL and of a folder name: no separators, no leading dot.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]


_OBJECT = TypeAdapter(dict[str, Any])


class BundleError(Exception):
    """A bundle that must not be served; the message says which file and why."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class BundleFile(_Part):
    """One ONNX file of a bundle, beside its manifest."""

    path: Identifier
    sha256: Sha256
    bytes: int = Field(gt=0)


class Calibration(_Part):
    """Logistic calibration: probability = 1 / (1 + exp(−(slope · score + intercept)))."""

    slope: float = Field(gt=0)
    intercept: float


class OperatingPoint(_Part):
    """The score above which a share `fpr` of other voices is accepted."""

    fpr: float = Field(gt=0, lt=1)
    threshold: float


class BySeconds(_Part):
    """Calibration and false-accept table of probes with so much speech."""

    seconds: float = Field(gt=0)
    calibration: Calibration
    false_accept: tuple[OperatingPoint, ...] = Field(min_length=1)


class Scoring(_Part):
    """How two voice embeddings become a score, and a score a probability."""

    score_type: Literal["centred_cosine"]
    mean: tuple[float, ...]  # (embedding_dim,)
    calibration: Calibration
    false_accept: tuple[OperatingPoint, ...] = Field(min_length=1)
    by_seconds: tuple[BySeconds, ...] = ()  # shortest first; (): the length makes no difference
    min_cohesion: float = -1.0  # an enrolment below it may hold more than one voice
    fitted_on: str

    @field_validator("by_seconds")
    @classmethod
    def _in_order(cls, entries: tuple[BySeconds, ...]) -> tuple[BySeconds, ...]:
        if any(a.seconds >= b.seconds for a, b in pairwise(entries)):
            raise ValueError("the seconds have to grow from entry to entry")
        return entries


class MapFromParent(_Part):
    """The linear map from the parent's voice embeddings to this model's."""

    parent: str  # "<name>/<version>"
    file: str  # its name among `files`: .npy, float32 (embedding_dim + 1, embedding_dim)
    error: float = Field(ge=0)


class StoredBundle(_Part):
    """What bundle.json has for every kind, and where it was read from.

    `load` is the way in; `read` leaves the ONNX files alone.
    """

    format: Literal[1]
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
            fields = _OBJECT.validate_json(raw)
            return cls.model_validate(fields | {"path": path, "sha256": hashlib.sha256(raw).hexdigest()})
        except OSError as error:
            raise BundleError(f"{manifest} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise BundleError(f"{manifest} is not a bundle manifest: {error}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """The bundle in folder `path` with every file's sha256 checked. Raises BundleError."""
        bundle = cls.read(path)
        for name in bundle.files:
            bundle.open(name)
        return bundle

    def open(self, name: str) -> bytes:
        """The bytes of file `name`, which are the very bytes that were hashed. Raises BundleError."""
        entry = self.files[name]
        file = self.path / entry.path
        try:
            data = file.read_bytes()
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


class Bundle(StoredBundle):
    """A voice model: it can serve every call but /generate."""

    crop_samples: Literal[16384]
    embedding_dim: int = Field(gt=0)
    frame_s: float | None = Field(default=None, gt=0)  # of content; None: there is no content encoder
    content_dim: int | None = Field(default=None, gt=0)
    scoring: Scoring
    map_from_parent: MapFromParent | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if "voice" not in self.files:
            raise ValueError("files lacks voice")
        if len({self.frame_s is None, self.content_dim is None, "content" not in self.files}) > 1:
            raise ValueError("frame_s, content_dim and the file content are given together, or none of them")
        if self.map_from_parent and self.map_from_parent.file not in self.files:
            raise ValueError(f"files lacks {self.map_from_parent.file}, the map from the parent")
        if len(self.scoring.mean) != self.embedding_dim:
            raise ValueError(f"scoring.mean has {len(self.scoring.mean)} values, not {self.embedding_dim}")
        return self

    def content_hop(self) -> int:
        """Samples from one content frame to the next. Raises Conflict: there is no content encoder."""
        if self.frame_s is None:
            raise Conflict(
                f"{self.id} has no content encoder: it knows voices only. Activate a version that has one "
                "(POST /models/{version}/activate), or set TWOFOLD_MODELS_DIR to a folder that holds one."
            )
        return round(self.frame_s * self.sample_rate_hz)


def manifest_kind(path: Path) -> str | None:
    """What the manifest in folder `path` gives as its kind; None where it cannot be read or gives none."""
    try:
        kind = _OBJECT.validate_json((path / MANIFEST).read_bytes()).get("kind")
    except (OSError, ValidationError):
        return None
    return kind if isinstance(kind, str) else None


def bundle_folders(folder: Path) -> list[Path]:
    """The bundles in a folder of models (NAME/VERSION), or of one model (VERSION), or that is one itself."""
    return [
        manifest.parent for depth in ("", "*/", "*/*/") for manifest in sorted(folder.glob(depth + MANIFEST))
    ]
