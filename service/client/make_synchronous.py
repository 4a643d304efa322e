"""Makes service/client/synchronous.py of asynchronous.py: `python -m service.client.make_synchronous`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
_HEAD = '"""`Client`: every call of a running service.\n\nMade of asynchronous.py: change that, and run ' + (
    '`python -m service.client.make_synchronous`.\n"""'
)
_REPLACED = (
    (r'\A""".*?"""', _HEAD),
    (r"^import asyncio\nimport json\nimport os\n", "import json\nimport os\nimport time\n"),
    (r"\bAsyncIterator, Callable, Iterable\b", "Callable, Iterable, Iterator"),
    (r"\basync (def|with|for) ", r"\1 "),
    (r"\bawait ", ""),
    (r"\bAsync(Client|Iterator|BaseTransport)\b", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_lines)\b", r"\1"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"An asynchronous context manager", "A context manager"),
)


def synchronous(source: str) -> str:
    """The same client without asyncio."""
    for pattern, replacement in _REPLACED:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE | re.DOTALL)
    formatter = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--stdin-filename",
        str(FOLDER / "synchronous.py"),
        "-",
    ]
    return subprocess.run(formatter, input=source, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    (FOLDER / "synchronous.py").write_text(synchronous((FOLDER / "asynchronous.py").read_text()))
