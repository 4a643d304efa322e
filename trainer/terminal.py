"""Errors of a command, printed for its user."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

OURS = ("benchmarks", "bundle", "service", "trainer")
Say = Callable[[str], None]  # prints a line of progress


@contextmanager
def errors_said(console: Console, *kinds: type[Exception]) -> Iterator[None]:
    """Prints errors of these kinds in red and exits with status 1: the user can mend them."""
    try:
        yield
    except kinds as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error


def run(app: typer.Typer, program: str) -> None:
    """Runs a command line. Where a package is missing, it says how to install it."""
    try:
        app(prog_name=program)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OURS:
            raise
        sys.exit(f"{package} is not installed. This command needs it: pip install --editable '.[cpu,train]'")
