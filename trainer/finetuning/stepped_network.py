"""What training steps made of a network. It needs no torch: a job without steps names it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.bundles.files import WriteFile
from trainer.finetuning.report import Change
from trainer.scoring.embedding import CropEncoder


@dataclass(frozen=True)
class SteppedNetwork:
    """Without steps: nothing, and the network stays the parent's."""

    encode: CropEncoder | None = None  # (crops, 16384) → unit embeddings (crops, dim), before the adaptation
    files: Mapping[str, WriteFile] = field(default_factory=dict)
    losses: Mapping[str, Change | None] = field(default_factory=dict)  # on recordings that were left out
    settings: dict[str, Any] = field(default_factory=dict)
