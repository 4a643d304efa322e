"""The bundle of a voice model."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bundle.manifest import StoredBundle
from bundle.scoring import Scoring


class MapFromParent(BaseModel):
    """The linear map from the parent's voice embeddings to this model's."""

    model_config = ConfigDict(frozen=True)

    parent: str  # "<name>/<version>"
    file: str  # its name among `files`: .npy, float32 (embedding_dim + 1, embedding_dim)
    error: float = Field(ge=0)
    inverse_error: float | None = Field(default=None, ge=0)  # of the way back; None: not measured


class VoiceBundle(StoredBundle):
    """A voice model: it can serve every call but /generate."""

    crop_samples: Literal[16384]
    embedding_dim: int = Field(gt=0)
    frame_s: float | None = Field(default=None, gt=0)  # of content; None: there is no content encoder
    content_dim: int | None = Field(default=None, gt=0)
    scoring: Scoring
    map_from_parent: MapFromParent | None = None
    adaptation: str | None = None  # among `files`, .npy: `bundle.space_map.read_adaptation`

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if "voice" not in self.files:
            raise ValueError("files lacks voice")
        if len({self.frame_s is None, self.content_dim is None, "content" not in self.files}) > 1:
            raise ValueError("frame_s, content_dim and the file content are given together, or none of them")
        if self.map_from_parent and self.map_from_parent.file not in self.files:
            raise ValueError(f"files lacks {self.map_from_parent.file}, the map from the parent")
        if self.adaptation and (self.format < 2 or self.adaptation not in self.files):
            raise ValueError(f"an adaptation needs format 2, and the file {self.adaptation} among files")
        if len(self.scoring.mean) != self.embedding_dim:
            raise ValueError(f"scoring.mean has {len(self.scoring.mean)} values, not {self.embedding_dim}")
        narrow = self.scoring.narrow
        if narrow and len(narrow.shift) != self.embedding_dim:
            raise ValueError(f"scoring.narrow.shift has {len(narrow.shift)} values, not {self.embedding_dim}")
        return self
