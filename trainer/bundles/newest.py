"""Which bundle a command takes when none is named."""

from __future__ import annotations

from pathlib import Path

from bundle.manifest import BundleError

MODELS = Path("models/autodecompose")


def newest_bundle(models: Path = MODELS) -> Path:
    """The bundle folder of the highest version.

    Raises:
        BundleError: there is no bundle in `models`.
    """
    bundles = [path.parent for path in models.glob("*/bundle.json")]
    if not bundles:
        raise BundleError(f"No bundle under {models}: give --bundle.")
    return max(bundles, key=lambda path: [int(part) for part in path.name.split(".") if part.isdigit()])
