"""The verbs `export` and `import`: all voices as a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from service.client import ClientError
from service.client.archive import is_sealed, read_lines, sealed, unsealed, write_lines
from service.verbs import render
from service.verbs.terminal import Json, Key, Service, Url, show

PassphraseFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="File with the passphrase; without it you are asked."),
]


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verbs to a command line."""

    @app.command("export")
    def export_gallery(
        file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write.")],
        audio: Annotated[bool, typer.Option(help="With retained recordings, where there are any.")] = True,
        encrypt: Annotated[
            bool, typer.Option("--encrypt", help="Encrypt the file with a passphrase.")
        ] = False,
        passphrase_file: PassphraseFile = None,
        url: Url = None,
        key: Key = None,
    ) -> None:
        """Writes all voices to a file, for a backup or another service. It holds voiceprints: encrypt it."""
        with service(url, key) as client:
            lines: Iterator[str] = client.export_gallery(audio=audio)
            if encrypt or passphrase_file:
                lines = sealed(lines, _passphrase(passphrase_file, new=True))
            count = write_lines(file, lines)
        extra = 3 if encrypt or passphrase_file else 2  # a header and a last line, and one for the passphrase
        typer.echo(f"{file}: {count - extra} speakers")

    @app.command("import")
    def import_gallery(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `export` wrote.")],
        passphrase_file: PassphraseFile = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Enrols the voices of an exported file. Ids that are enrolled stay as they are."""
        with service(url, key) as client:
            lines = read_lines(file)
            first = next(lines, "")
            lines = chain([first], lines)
            if is_sealed(first):
                lines = unsealed(lines, _passphrase(passphrase_file, new=False))
            answer = client.import_gallery(lines)
        show(answer, as_json, render.imported)


def _passphrase(file: Path | None, *, new: bool) -> str:
    if file is None:
        phrase: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
        return phrase
    try:
        return file.read_text().rstrip("\n")
    except OSError as error:
        raise ClientError(f"{file} cannot be read: {error.strerror}.") from None
