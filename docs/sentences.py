"""How long the sentences of README and docs are: mean words a sentence, and the share over 25 words.

    python docs/sentences.py                  # the files as they are
    python docs/sentences.py --rev 1a21b7b    # as they were in a commit

Only prose is counted: paragraphs, list items, quotations. Code blocks, tables, headings, pictures and blocks
made by a command are left out. A list item ends a sentence. A piece of `code` counts as one word.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

LONG = 25  # words; a longer sentence is counted apart
PAGES = ("README.md", "CONTRIBUTING.md", "docs")

_LEFT_OUT = (
    re.compile(r"<!-- (.+?): made by a command.*?<!-- end of \1 -->", re.DOTALL),
    re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"^ *(\||#).*$", re.MULTILINE),
    re.compile(r"!\[[^\]]*\]\([^)]*\)"),
)
_ABBREVIATION = re.compile(r"\b(Figs?|Eqs?|Sect?|No|e\.g|i\.e|et al|cf|vs)\.(?=\s)")
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*>]|\d+\.)\s)")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]*_]*\s+(?=[\"'“‘(\[*_]*[A-Z0-9`])")


def sentences(markdown: str) -> list[str]:
    """The sentences of a page's prose, in order; `code` stands as one word."""
    for pattern in _LEFT_OUT:
        markdown = pattern.sub("\n\n", markdown)
    text = re.sub(r"`[^`]+`", "`code`", markdown)
    text = re.sub(r"\[[\w/-]+\.\w+\]\([^)]*\)", "`code`", text)  # the name of a file
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = _ABBREVIATION.sub(r"\1", text)
    blocks = (" ".join(block.split()) for block in _BLOCK.split(text))
    return [part for block in blocks for part in _SENTENCE_END.split(block) if words(part)]


def words(sentence: str) -> int:
    """How many words: what stands between spaces and holds a letter or a digit."""
    without_bullet = re.sub(r"^\s*\d+\.\s", "", sentence)
    return sum(any(character.isalnum() for character in word) for word in without_bullet.split())


def row(name: str, found: list[str]) -> str:
    """One line of the table."""
    counts = [words(sentence) for sentence in found]
    over = sum(count > LONG for count in counts)
    return f"| {name} | {len(counts)} | {sum(counts) / len(counts):.1f} | {100 * over / len(counts):.0f} |"


def pages(rev: str | None) -> dict[str, str]:
    """Text by path, of the files as they are or of a commit."""
    root = Path(__file__).parents[1]
    if rev is None:
        files = [root / page for page in PAGES if page.endswith(".md")] + sorted(
            (root / "docs").rglob("*.md")
        )
        return {str(file.relative_to(root)): file.read_text() for file in files if file.is_file()}

    def git(*arguments: str) -> str:
        return subprocess.check_output(["git", *arguments], cwd=root, text=True)

    listed = git("ls-tree", "-r", "--name-only", rev, "--", *PAGES).splitlines()
    return {path: git("show", f"{rev}:{path}") for path in listed if path.endswith(".md")}


def main() -> None:
    """Prints a Markdown table with a line a page, and one for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rev", help="a commit to read instead of the files as they are")
    parser.add_argument("--long", action="store_true", help=f"list those of over {LONG} words too")
    options = parser.parse_args()
    by_page = {path: sentences(text) for path, text in pages(options.rev).items()}
    by_page = {path: page for path, page in by_page.items() if page}
    print(f"| page | sentences | words a sentence | over {LONG} words, % |\n| --- | ---: | ---: | ---: |")
    for path, page in by_page.items():
        print(row(path, page))
    print(row("all", [sentence for page in by_page.values() for sentence in page]))
    if options.long:
        for path, page in by_page.items():
            print(*(f"{path}: {words(s)}: {s}" for s in page if words(s) > LONG), sep="\n")


if __name__ == "__main__":
    main()
