"""The verb `generate`: writes audio for a label to files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from service.client.answers import ClipAnswer
from service.verbs.files import write
from service.verbs.terminal import Json, Key, Service, Url, show


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verb to a command line."""

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
            answer = client.generate(label, seed=seed, n=n, style=style)
            files = [_written(clip, out, several=n > 1) for clip in answer.clips]
        made = {"model": answer.model, "label": answer.label, "language": answer.language, "files": files}
        show(made, as_json, render)


def render(answer: Any, console: Console) -> None:
    """Prints what was written."""
    for file in answer["files"]:
        console.print(f"{escape(file['path'])}: {escape(answer['label'])}, seed {file['seed']}")
    spoken = f", spoken language {answer['language']}" if answer["language"] else ""
    console.print(f"model {answer['model']}{spoken}")


def _written(clip: ClipAnswer, out: Path, *, several: bool) -> dict[str, object]:
    path = out.with_stem(f"{out.stem}-{clip.seed}") if several else out
    write(path, clip.wav)
    return {"path": str(path), "seed": clip.seed}
