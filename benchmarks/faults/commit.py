"""Which commit was measured."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """Its short name; with a plus sign where files differ from it."""
    return subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
