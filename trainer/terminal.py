"""What the command lines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

Say = Callable[[str], None]  # prints a line of progress


@contextmanager
def errors_said(console: Console, *kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds are the user's to mend: their message in red, and exit status 1."""
    try:
        yield
    except kinds as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
