"""A trained Barlow Twins → whitening, scoring and a bundle."""

from __future__ import annotations

from typing import Any


def export_barlow_twins(*_: Any, **__: Any) -> None:
    raise NotImplementedError
