"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One sentence or two about one thing."""

    subject: str
    verdict: Literal["well", "note", "wrong"]  # a note is worth knowing, and nothing has to be done
    text: str


def well(subject: str, text: str) -> Finding:
    """All is as it should be."""
    return Finding(subject, "well", text)


def note(subject: str, text: str) -> Finding:
    """Worth knowing."""
    return Finding(subject, "note", text)


def wrong(subject: str, text: str) -> Finding:
    """Has to be mended. The text says how."""
    return Finding(subject, "wrong", text)
