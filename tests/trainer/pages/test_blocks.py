from __future__ import annotations

from pathlib import Path

from trainer.pages.blocks import table, write_block


def test_only_what_lies_between_the_markers_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    write_block(page, "figures", "one")
    page.write_text(f"# Title\n\n{page.read_text()}\nLast words.\n")
    write_block(page, "others", "beside")
    write_block(page, "figures", "two")
    text = page.read_text()
    assert text.startswith("# Title\n")
    assert "one" not in text
    assert text.index("two") < text.index("Last words.") < text.index("beside")
    write_block(page, "figures", "two")
    assert page.read_text() == text


def test_table_is_markdown() -> None:
    assert table(["a", "b"], [["x", "1"], ["y", "2"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n| y | 2 |"
