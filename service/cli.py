"""`twofold`, or `python -m service`: the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from service import key_commands
from service.address import CannotListen, require_address
from service.errors import FolderTaken
from service.misspelt import MisspeltSetting, given_names, warnings
from service.packages import installed
from service.settings import Settings
from service.settings.page import markdown_page
from service.startup import explained, obstacles
from service.verbs import register

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Twofold: tells who speaks and what is said, without labels."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [TWOFOLD_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free port [TWOFOLD_PORT].")] = None,
    worker: Annotated[bool, typer.Option("--worker", help="Also run a worker process.")] = False,
) -> None:
    """Starts the service. Ctrl-C or SIGTERM ends it once open requests are answered."""
    _require_runtime()
    given = {"host": host, "port": port}
    settings = _settings({name: value for name, value in given.items() if value is not None})
    _check(settings)
    try:
        require_address(settings.host, settings.port)
        from service.server import run  # takes half a second to import: not for --help

        run(settings, worker=worker)
    except (FolderTaken, CannotListen) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def worker(parent: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Runs fine-tuning jobs, one at a time. Ctrl-C or SIGTERM puts the current job back into the queue."""
    _require_runtime()
    settings = _settings({})
    from service.jobs.worker import run_worker

    run_worker(settings, parent=parent)


@app.command()
def settings() -> None:
    """Prints every setting with its default and unit, as the page docs/settings.md."""
    typer.echo(markdown_page())


def _require_runtime() -> None:
    if not installed("onnxruntime"):
        from service.inference import RuntimeMissingError

        typer.echo(f"error: {RuntimeMissingError()}", err=True)
        raise typer.Exit(1)


def _settings(overrides: dict[str, Any]) -> Settings:
    try:
        for warning in warnings(given_names()):
            typer.echo(f"warning: {warning}", err=True)
        return Settings(**overrides)
    except MisspeltSetting as error:
        typer.echo(f"error: {error}", err=True)
    except ValidationError as error:
        for line in explained(error):
            typer.echo(f"error: {line}", err=True)
    raise typer.Exit(2)


def _check(settings: Settings) -> None:
    """Ends the process where the service would not start."""
    for line in obstacles(settings)[:1]:
        typer.echo(f"error: {line}", err=True)
        raise typer.Exit(2)


register(app, lambda: _settings({}))
key_commands.register(app, lambda: _settings({}))
