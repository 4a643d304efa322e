"""Reads a model bundle (docs/architecture.md, "The bundle") and runs its ONNX files. No torch in here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError, field_validator

Floats = NDArray[np.float32]

BATCH = 64  # crops in one ONNX call: larger ones are no faster and need more memory


class BundleError(Exception):
    """A bundle that cannot be used; the message says which file is wrong and what was expected."""


class BundleFile(BaseModel):
    path: str
    sha256: str
    bytes: int


class Calibration(BaseModel):
    """`slope * score + intercept` is the natural-log likelihood ratio of one voice against two."""

    slope: float
    intercept: float


class FalseAccept(BaseModel):
    fpr: float
    threshold: float


class BySeconds(BaseModel):
    """What holds for probes of so many seconds of speech."""

    seconds: float = Field(gt=0)
    calibration: Calibration
    false_accept: list[FalseAccept] = Field(min_length=1)


class Scoring(BaseModel):
    score_type: Literal["centred_cosine"]
    mean: list[float]
    calibration: Calibration
    false_accept: list[FalseAccept]
    by_seconds: list[BySeconds] = []  # shortest first; []: the length makes no difference
    fitted_on: str

    @field_validator("by_seconds")
    @classmethod
    def _in_order(cls, entries: list[BySeconds]) -> list[BySeconds]:
        if any(a.seconds >= b.seconds for a, b in pairwise(entries)):
            raise ValueError("the seconds have to grow from entry to entry")
        return entries

    def calibration_at(self, seconds: float | None) -> Calibration:
        """Of a probe with so much speech; None, or a bundle without `by_seconds`: of whole recordings."""
        if seconds is None or not self.by_seconds:
            return self.calibration
        fits = [entry.calibration for entry in self.by_seconds]
        return Calibration(
            slope=self._at(seconds, [fit.slope for fit in fits]),
            intercept=self._at(seconds, [fit.intercept for fit in fits]),
        )

    def threshold(self, target_fpr: float, *, voices: int = 1, seconds: float | None = None) -> float:
        """Least score to accept, so that an unknown voice passes for any of `voices` at rate `target_fpr`.

        docs/architecture.md, "From crops to a score", 5 and 6. `seconds` as for `calibration_at`.
        """
        trial_fpr = float(-np.expm1(np.log1p(-target_fpr) / voices))
        if seconds is None or not self.by_seconds:
            return _interpolated(self.false_accept, trial_fpr)
        return self._at(seconds, [_interpolated(entry.false_accept, trial_fpr) for entry in self.by_seconds])

    def _at(self, seconds: float, values: list[float]) -> float:
        """Linear in log(seconds), clamped."""
        return float(np.interp(np.log(seconds), np.log([entry.seconds for entry in self.by_seconds]), values))


def _interpolated(table: list[FalseAccept], trial_fpr: float) -> float:
    """Linear in log(fpr), clamped."""
    rates, thresholds = zip(*sorted((point.fpr, point.threshold) for point in table), strict=True)
    return float(np.interp(np.log(trial_fpr), np.log(rates), thresholds))


class Manifest(BaseModel):
    """bundle.json, as far as the trainer needs it."""

    format: Literal[1]
    name: str
    version: str
    sample_rate_hz: Literal[16000]
    crop_samples: Literal[16384]
    embedding_dim: int
    content_dim: int | None = None  # None: without a content encoder
    files: Mapping[str, BundleFile]
    scoring: Scoring


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked against their hashes; sessions open on first use."""

    directory: Path
    manifest: Manifest
    threads: int = 0

    @classmethod
    def load(cls, directory: Path, *, threads: int = 0) -> Bundle:
        """Reads and checks a bundle folder.

        Args:
            threads: onnxruntime threads inside one operator; 0 lets onnxruntime take one per core.

        Raises:
            BundleError: bundle.json is missing or not of this format, or a file is missing or differs from
                its hash.
        """
        description = directory / "bundle.json"
        try:
            manifest = Manifest.model_validate_json(description.read_bytes())
        except OSError as error:
            raise BundleError(
                f"{description} cannot be read: give the folder that holds bundle.json."
            ) from error
        except ValidationError as error:
            raise BundleError(f"{description} is not a bundle description of format 1: {error}") from error
        for name, file in manifest.files.items():
            _check(directory, name, file)
        if len(manifest.scoring.mean) != manifest.embedding_dim:
            raise BundleError(
                f"{description}: scoring.mean has {len(manifest.scoring.mean)} numbers, "
                f"embedding_dim is {manifest.embedding_dim}."
            )
        return cls(directory, manifest, threads)

    @property
    def id(self) -> str:
        """`<name>/<version>`, as the service answers it."""
        return f"{self.manifest.name}/{self.manifest.version}"

    def embed(self, waveforms: Floats) -> Floats:
        """Voice embeddings of crops: (crops, 16384) → (crops, embedding_dim), each of unit length."""
        return self._run(self._voice, "embedding", waveforms)

    def content(self, waveforms: Floats) -> Floats:
        """Content frames of crops: (crops, 16384) → (crops, 64, content_dim).

        Raises:
            BundleError: the bundle has no content encoder.
        """
        return self._run(self._content, "frames", waveforms)

    @cached_property
    def _voice(self) -> onnxruntime.InferenceSession:
        return self._open("voice")

    @cached_property
    def _content(self) -> onnxruntime.InferenceSession:
        return self._open("content")

    def _open(self, name: str) -> onnxruntime.InferenceSession:
        if name not in self.manifest.files:
            raise BundleError(
                f"{self.id} has no {name} encoder, only {', '.join(sorted(self.manifest.files))}: "
                "choose another bundle, or another encoder."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        path = self.directory / self.manifest.files[name].path
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def _run(self, session: onnxruntime.InferenceSession, output: str, waveforms: Floats) -> Floats:
        batches = np.split(waveforms, range(BATCH, len(waveforms), BATCH))
        return np.concatenate([session.run([output], {"waveform": batch})[0] for batch in batches])


def _check(directory: Path, name: str, file: BundleFile) -> None:
    path = directory / file.path
    if path.parent.resolve() != directory.resolve():
        raise BundleError(f"{name}: '{file.path}' does not lie in the bundle's own folder.")
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read, but bundle.json lists it.") from error
    if digest != file.sha256:
        raise BundleError(
            f"{path} has sha256 {digest}, bundle.json says {file.sha256}: export the bundle again."
        )


def record_metrics(directory: Path, figures: dict[str, Any]) -> None:
    """Writes what `evaluate` found into bundle.json, under `metrics`: the part of the card that is measured.

    Corpora go by their folder's name: a card names no path of the machine it was measured on.
    """
    path = directory / "bundle.json"
    manifest = json.loads(path.read_text())
    corpus = Path(figures["data"]).resolve().name
    key = "/".join(part for part in (corpus, figures["split"], figures["encoder"]) if part)
    kept = ("seed", "speakers", "utterances", "segments", "few_shot", "eer", "min_dcf", "cllr")
    manifest["metrics"][key] = {name: figures[name] for name in kept} | {
        "date": datetime.now(UTC).strftime("%Y-%m-%d")
    }
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    partial.replace(path)
