"""Finished figures, stored as JSON: a command that was stopped does not compute them twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainer.terminal import Say


def stored_figures(path: Path, made_with: Mapping[str, Any], compute: Callable[[], Any], say: Say) -> Any:
    """The figures in `path`; computed if there is no such file, or if it was made with other settings.

    Args:
        made_with: what the figures depend on; stored beside them. Values of JSON, tuples too.
        compute: gives values of JSON.
    """
    settings = json.loads(json.dumps(made_with))  # as it is read again: lists for tuples
    if path.is_file():
        stored = json.loads(path.read_text())
        figures = stored.pop("figures")
        if stored == settings:
            return figures
    started = time.monotonic()
    text = json.dumps({**settings, "figures": compute()}, indent=1)
    say(f"{path.stem}: done in {time.monotonic() - started:.0f} s")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text + "\n")
    partial.replace(path)
    return json.loads(text)["figures"]
