from __future__ import annotations

import re
from pathlib import Path

import typer
from typer.core import TyperGroup

from benchmarks.cli import app as benchmarks
from trainer.reproduce.cli import app as reproduce

DOCS = Path(__file__).parents[3] / "docs"
BEGIN = re.compile(r"<!-- (?P<name>(?P<program>\w+) (?P<verb>[\w-]+)[^:>]*): made by a command")


def verbs(app: typer.Typer) -> set[str]:
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return set(command.commands)


def test_every_block_names_a_verb_that_is_there_and_has_an_end() -> None:
    known = {"benchmarks": verbs(benchmarks), "reproduce": verbs(reproduce)}
    blocks = 0
    for page in DOCS.rglob("*.md"):
        text = page.read_text()
        for block in BEGIN.finditer(text):
            blocks += 1
            assert block["verb"] in known[block["program"]], f"{page}: {block['name']}"
            assert text.count(f"<!-- end of {block['name']} -->") == 1, f"{page}: {block['name']}"
    assert blocks > 30
