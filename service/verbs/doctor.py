"""The verb `doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from service.verbs import render
from service.verbs.terminal import NO, Json, show


def register(app: typer.Typer) -> None:
    """Adds the verb to a command line."""

    @app.command()
    def doctor(as_json: Json = False) -> None:
        """Tells what is missing here, what would be read, and whether the store is sound. Changes nothing.

        Exit status 1 if something is wrong.
        """
        from service.doctor import examine  # imports the stores: not for --help
        from service.logs import configure_logging

        configure_logging("error")  # to stderr
        findings = list(examine())
        show([asdict(finding) for finding in findings], as_json, render.findings)
        if any(finding.verdict == "wrong" for finding in findings):
            raise typer.Exit(NO)
