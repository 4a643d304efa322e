"""Finished figures, kept as JSON: a command that was stopped does not make them twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def kept(
    path: Path, made_with: Mapping[str, Any], compute: Callable[[], Any], say: Callable[[str], None]
) -> Any:
    """What `path` holds under `figures`, computed where there is nothing yet, or something of another making.

    Args:
        made_with: what the figures depend on; stored beside them. Values of JSON, tuples too.
        compute: gives values of JSON.
    """
    made = json.loads(json.dumps(made_with))  # as it is read again: lists for tuples
    if path.is_file():
        stored = json.loads(path.read_text())
        figures = stored.pop("figures")
        if stored == made:
            return figures
    started = time.monotonic()
    text = json.dumps({**made, "figures": compute()}, indent=1)
    say(f"{path.stem}: done in {time.monotonic() - started:.0f} s")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text + "\n")
    partial.replace(path)
    return json.loads(text)["figures"]
