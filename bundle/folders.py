"""Which bundles a folder holds, and of which kind they are."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from bundle.generator import GeneratorBundle
from bundle.manifest import JSON_OBJECT, MANIFEST
from bundle.voice import VoiceBundle


def manifest_kind(path: Path) -> str | None:
    """What the manifest in folder `path` gives as its kind; None where it cannot be read or gives none."""
    try:
        kind = JSON_OBJECT.validate_json((path / MANIFEST).read_bytes()).get("kind")
    except (OSError, ValidationError):
        return None
    return kind if isinstance(kind, str) else None


def bundle_folders(folder: Path) -> list[Path]:
    """The bundles in a folder of models (NAME/VERSION), or of one model (VERSION), or that is one itself."""
    return [
        manifest.parent for depth in ("", "*/", "*/*/") for manifest in sorted(folder.glob(depth + MANIFEST))
    ]


def read_bundle(path: Path) -> VoiceBundle | GeneratorBundle:
    """The manifest in folder `path`, of either kind. Raises BundleError."""
    return GeneratorBundle.read(path) if manifest_kind(path) == "gaae" else VoiceBundle.read(path)
