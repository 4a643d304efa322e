"""C16: what a terminal gets to see."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from service.verbs import render
from service.verbs.terminal import printable, show

TITLE = "a\x1b]0;X\x07"
NAMES = [TITLE, "\x9b31m", "a\rb", "a\nb", "\u202eevil", "\u2028", "\x7f", "a\x08"]


def shown(name: str) -> str:
    """The list of speakers as a terminal gets it."""
    listed = [
        {
            "speaker_id": "ann",
            "name": name,
            "collections": [],
            "speech_s": 1.0,
            "utterances": 1,
            "stale": False,
            "quality": {"ok": True},
            "model": "autodecompose/1",
        }
    ]
    out = io.StringIO()
    render.speakers(printable(listed), Console(file=out, width=200))
    return out.getvalue()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_c16_control_characters_are_shown_not_sent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(name)
    for control in set(name) - set("ab;X0]31mevil\n"):
        assert control not in text
    assert "\\" in text
    show({"name": name}, True, lambda *_: None)
    sent = capsys.readouterr().out
    assert json.loads(sent) == {"name": name}  # scripts get it unchanged
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(sent)


def test_c16_other_names_stay_readable() -> None:
    for name in ("Zoë", "李雷", "नेहा", "👩‍🔬", "م‌ن", "C:\\new"):
        assert name in shown(name)
