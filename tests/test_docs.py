"""The documentation: what it names exists, and how its sentences are counted."""

from __future__ import annotations

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
