"""The verb `generate`: writes audio for a label to files."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from service.client.http import ClientError, ServiceClient
from service.client.terminal import Json, Key, Url, show, trouble

Service = Callable[[str | None, str | None], AbstractContextManager[ServiceClient]]


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verb to a command line. `service(url, key)` opens a client."""

    @app.command()
    def generate(
        label: Annotated[str, typer.Argument(help="What to generate: one of the model's labels.")],
        out: Annotated[
            Path,
            typer.Option(dir_okay=False, help="WAV file to write. With --n, names also get the seed."),
        ],
        seed: Annotated[int | None, typer.Option(help="The same seed gives the same file.")] = None,
        n: Annotated[int, typer.Option("--n", help="Number of clips, with this seed and the next ones.")] = 1,
        style: Annotated[
            Path | None,
            typer.Option(
                exists=True, dir_okay=False, readable=True, help="Recording that the clip resembles."
            ),
        ] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Generates a second of audio for a label."""
        with service(url, key) as client:
            answer = client.send(
                "/generate", [style] if style else [], file_field="style", label=label, seed=seed, n=n
            )
        with trouble():
            files = [_written(clip, out, several=n > 1) for clip in answer["clips"]]
        show({"model": answer["model"], "label": answer["label"], "files": files}, as_json, render)


def render(answer: Any, console: Console) -> None:
    """Prints what was written."""
    for file in answer["files"]:
        console.print(f"{escape(file['path'])}: {escape(answer['label'])}, seed {file['seed']}")
    console.print(f"model {answer['model']}")


def _written(clip: Any, out: Path, *, several: bool) -> dict[str, object]:
    path = out.with_stem(f"{out.stem}-{clip['seed']}") if several else out
    try:
        _write(path.resolve(), base64.b64decode(clip["audio"]))
    except OSError as error:
        raise ClientError(f"{path} cannot be written: {error.strerror}.") from error
    return {"path": str(path), "seed": clip["seed"]}


def _write(path: Path, data: bytes) -> None:
    """Writes all of a file or nothing. Pipes and devices are written directly: they must not be replaced."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
