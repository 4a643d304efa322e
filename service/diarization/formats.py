"""Turns as RTTM and as WebVTT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """A stretch of speech with the label of its voice."""

    start_s: float
    end_s: float
    label: str


def rttm(turns: Sequence[Turn], recording: str = "recording") -> str:
    """A line a turn, as NIST's Rich Transcription 2009 plan describes it. Spaces become underscores."""
    return "".join(
        f"SPEAKER {_word(recording)} 1 {turn.start_s:.3f} {turn.end_s - turn.start_s:.3f} <NA> <NA> "
        f"{_word(turn.label)} <NA> <NA>\n"
        for turn in turns
    )


def webvtt(turns: Sequence[Turn]) -> str:
    """A cue a turn, in the voice of its label."""
    cues = [
        f"{_clock(turn.start_s)} --> {_clock(turn.end_s)}\n<v {_text(turn.label)}>{_text(turn.label)}</v>\n"
        for turn in turns
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _word(text: str) -> str:
    return re.sub(r"\s", "_", text.strip()) or "_"


def _text(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(escaped.split())


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
