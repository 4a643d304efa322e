"""The documentation: how its sentences are counted, and that README shows the figures of the results."""

from __future__ import annotations

from pathlib import Path

from docs.sentences import sentences, words

PAGE = """# A heading is no sentence. Nor is this.

One two `a long command --with options` [four five](there.md). See Fig. 3 for 1.5 more
words (five of them)!
- An item ends
- another, too: **it** counts. So does `this`.

| a table | is not prose. Not at all. |
|---|---|

```
Code. Is. Not.
```

<!-- benchmarks voice: made by a command, do not edit -->
Nor what a command wrote. Never.
<!-- end of benchmarks voice -->
![Nor a picture. At all.](a.png)
"""


def test_only_prose_is_counted_and_split_where_sentences_end() -> None:
    assert sentences(PAGE) == [
        "One two `code` four five.",
        "See Fig 3 for 1.5 more words (five of them)!",
        "- An item ends",
        "- another, too: **it** counts.",
        "So does `code`.",
    ]


def test_words_are_what_holds_a_letter_or_a_digit() -> None:
    assert words("1. F1 – 84.2 → 78.7 % of `code`.") == 5


def _rows(page: str) -> list[list[str]]:
    """The cells of every line of a page's tables, without bold."""
    lines = (Path(__file__).parents[1] / page).read_text().replace("**", "").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def test_the_readme_shows_the_figures_of_the_page_of_voices() -> None:
    named = {
        "Twofold": "voice",
        "no network": "no network",
        "untrained": "untrained",
        "Resemblyzer": "Resemblyzer",
    }
    measured = {(corpus, model): cells for corpus, model, *cells in _rows("docs/results/voice.md")}
    shown = 0
    for name, *cells in _rows("README.md"):
        for key in [model for label, model in named.items() if label in name]:
            for corpus, f1, eer in zip(
                ("librispeech", "speechocean762", "nemo"), cells[::2], cells[1::2], strict=True
            ):
                row = next(row for (c, model), row in measured.items() if c == corpus and model.endswith(key))
                assert (f1, eer) == (row[0].split(" ")[0], row[4].split(" ")[0]), (name, corpus)
                shown += 1
    assert shown == 12
