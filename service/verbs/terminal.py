"""What the verbs share: options, output and exit status."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from service.client import Client, ClientError, ServiceUnreachable
from service.client.answers import Answer
from service.settings import Settings
from service.verbs.wording import in_words_of_the_command

NO, TROUBLE = 1, 2
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))  # Unicode's: control, format, surrogate, separators
_JOINERS = "\u200c\u200d"  # are part of names and emoji
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # an address to listen on → an address to connect to

_file = typer.Argument(
    exists=True, dir_okay=False, readable=True, help="An audio file, or a video with sound."
)
AudioFiles = Annotated[list[Path], _file]
AudioFile = Annotated[Path, _file]
SpeakerId = Annotated[str, typer.Argument(metavar="ID", help="The speaker's id.")]
Url = Annotated[str | None, typer.Option(help="URL of the service [http://TWOFOLD_HOST:TWOFOLD_PORT].")]
Key = Annotated[str | None, typer.Option(help="API key [the first of TWOFOLD_API_KEYS].")]
Json = Annotated[bool, typer.Option("--json", help="Print the service's answer as JSON, for scripts.")]
Threshold = Annotated[float | None, typer.Option(help="Least score to accept.")]
TargetFpr = Annotated[float | None, typer.Option(help="Rate at which unknown voices may be accepted.")]
Collections = Annotated[
    list[str] | None,
    typer.Option("--collection", help="Keep to voices that are in this collection; repeatable."),
]
Joins = Annotated[
    list[str] | None,
    typer.Option("--collection", help="Collection that the voice is in from now on; repeatable."),
]
Consent = Annotated[str | None, typer.Option(help="What the person agreed to, to be stored.")]
RetainAudio = Annotated[bool, typer.Option(help="Keep the audio for later models.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse recordings that do not fit one voice.")]

#: `service(url, key)` opens a client; a ClientError of the block ends the command with its message.
Service = Callable[[str | None, str | None], AbstractContextManager[Client]]


def default_url(settings: Settings) -> str:
    """The URL of a service with these settings."""
    host = _WILDCARDS.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


@contextmanager
def trouble() -> Iterator[None]:
    """Prints a ClientError of the block and exits with status 2."""
    try:
        yield
    except ServiceUnreachable as error:
        fail(f"{error} Start one with `twofold serve`, or give its address with --url.")
    except ClientError as error:
        fail(in_words_of_the_command(str(error)))


def fail(message: str) -> None:
    """Prints an error and exits with status 2."""
    typer.echo(f"error: {printable(message)}", err=True)
    raise typer.Exit(TROUBLE) from None


def show(
    answer: Answer | Sequence[Answer] | Any, as_json: bool, render_it: Callable[[Any, Console], None]
) -> None:
    """Prints an answer: as JSON, or with `render_it`, which gets it as JSON's dicts and lists."""
    console = Console(soft_wrap=True)
    data = _data(answer)
    if as_json:
        console.print_json(data=data, ensure_ascii=True)
    else:
        render_it(printable(data), console)


def _data(answer: Any) -> Any:
    if isinstance(answer, Answer):
        return answer.model_dump(mode="json", exclude_unset=True)
    if isinstance(answer, list):
        return [_data(part) for part in answer]
    return answer


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
