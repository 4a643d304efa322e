"""Tables inside hand-written pages: what lies between two markers is the command's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, the first column left, the others right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def write_block(page: Path, name: str, text: str) -> None:
    """Puts `text` between the markers of `name`; at the page's end if it has none."""
    begin, end = f"<!-- {name}: made by a command, do not edit -->", f"<!-- end of {name} -->"
    block = f"{begin}\n\n{text.strip()}\n\n{end}"
    old = page.read_text() if page.is_file() else ""
    head, begun, rest = old.partition(begin)
    _, ended, tail = rest.partition(end)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(head + block + tail if begun and ended else f"{old.rstrip()}\n\n{block}\n".lstrip())
