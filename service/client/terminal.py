"""What the verbs share: options, output and exit status."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from service.client.http import ClientError

NO, TROUBLE = 1, 2
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # Unicode's: control, format, surrogate, separators
_JOINERS = "\u200c\u200d"  # are part of names and emoji

_file = typer.Argument(exists=True, dir_okay=False, readable=True, help="WAV, FLAC, Ogg or MP3.")
AudioFiles = Annotated[list[Path], _file]
AudioFile = Annotated[Path, _file]
SpeakerId = Annotated[str, typer.Argument(metavar="ID", help="The speaker's id.")]
Url = Annotated[str | None, typer.Option(help="URL of the service [http://TWOFOLD_HOST:TWOFOLD_PORT].")]
Key = Annotated[str | None, typer.Option(help="API key [the first of TWOFOLD_API_KEYS].")]
Json = Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON, for scripts.")]
Threshold = Annotated[float | None, typer.Option(help="Least score to accept.")]
TargetFpr = Annotated[float | None, typer.Option(help="Rate at which unknown voices may be accepted.")]


@contextmanager
def trouble() -> Iterator[None]:
    """Prints a ClientError of the block and exits with status 2."""
    try:
        yield
    except ClientError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        raise typer.Exit(TROUBLE) from None


def show(answer: Any, as_json: bool, render_it: Callable[[Any, Console], None]) -> None:
    """Prints an answer: as JSON, or with `render_it`."""
    console = Console(soft_wrap=True)
    if as_json:
        console.print_json(data=answer, ensure_ascii=True)
    else:
        render_it(printable(answer), console)


def printable(answer: Any) -> Any:
    """An answer whose texts a terminal only shows. A name could hold sequences that command it."""
    if isinstance(answer, str):
        return "".join(map(_shown, answer))
    if isinstance(answer, dict):
        return {name: printable(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [printable(value) for value in answer]
    return answer


def _shown(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN and character not in _JOINERS:
        return character.encode("unicode_escape").decode()
    return character
