"""The verbs `keys new`, `keys list` and `keys revoke`, which edit the file of TWOFOLD_KEYS_FILE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.keys import SCOPES, KeysFileError, Scope, new_key, read_keys, write_keys
from service.settings import Settings

_File = Annotated[Path | None, typer.Option("--file", help="File of keys [TWOFOLD_KEYS_FILE].")]


def register(app: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    """Adds the verbs to a command line. `load_settings` reads the TWOFOLD_* variables."""
    keys = typer.Typer(no_args_is_help=True, help="Makes, lists and revokes API keys.")
    app.add_typer(keys, name="keys")

    @contextmanager
    def keys_file(path: Path | None) -> Iterator[Path]:
        chosen = path or load_settings().keys_file
        try:
            if chosen is None:
                raise KeysFileError("Which file? Set TWOFOLD_KEYS_FILE, or give --file.")
            yield chosen
        except KeysFileError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from None

    @keys.command()
    def new(
        scope: Annotated[
            list[str] | None, typer.Option(help=f"One of {', '.join(SCOPES)}; repeatable [all].")
        ] = None,
        tenant: Annotated[
            str, typer.Option(help="Whose voices the key sees [the operator's]: a to z, digits and -.")
        ] = "",
        note: Annotated[str, typer.Option(help="Whose key it is, for the list.")] = "",
        file: _File = None,
    ) -> None:
        """Makes a key and prints it once. The file gets its hash."""
        scopes: list[Scope] = [known for known in SCOPES if scope is None or known in scope]
        if unknown := set(scope or ()) - set(SCOPES):
            raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose of {', '.join(SCOPES)}.")
        with keys_file(file) as path:
            try:
                text, key = new_key(scopes, tenant=tenant, note=note)
            except ValueError:
                raise typer.BadParameter("A tenant's name has 1 to 32 of a to z, digits and -.") from None
            write_keys(path, [*(read_keys(path) if path.exists() else ()), key])
        typer.echo(text)
        typer.echo(f"Key {key.key_id} is in {path}. It is shown only now.", err=True)

    @keys.command("list")
    def list_keys(file: _File = None) -> None:
        """Lists the keys, by the first digits of their hashes."""
        with keys_file(file) as path:
            table = Table("key", "tenant", "scopes", "note", "created")
            for key in read_keys(path):
                row = (
                    key.key_id,
                    key.tenant,
                    " ".join(key.scopes),
                    key.note,
                    f"{key.created_at:%Y-%m-%d %H:%M}",
                )
                table.add_row(*map(escape, row))
        Console(soft_wrap=True).print(table)

    @keys.command()
    def revoke(
        key: Annotated[str, typer.Argument(metavar="KEY", help="As `keys list` names it.")],
        file: _File = None,
    ) -> None:
        """Revokes a key. A running service refuses it from then on."""
        with keys_file(file) as path:
            known = read_keys(path)
            rest = [other for other in known if other.key_id != key]
            if len(rest) == len(known):
                raise KeysFileError(f"{path} has no key {key}. `python -m service keys list` lists all.")
            write_keys(path, rest)
        typer.echo(f"Key {key} is revoked.")
