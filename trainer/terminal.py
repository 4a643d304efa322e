"""Errors of a command, printed for its user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

Say = Callable[[str], None]  # prints a line of progress


@contextmanager
def errors_said(console: Console, *kinds: type[Exception]) -> Iterator[None]:
    """Prints errors of these kinds in red and exits with status 1: the user can mend them."""
    try:
        yield
    except kinds as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
