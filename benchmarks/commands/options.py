"""Options that several verbs take."""

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[Path, typer.Option("--data", envvar="TWOFOLD_DATA", help="Folder of the corpora.")]
BundleOption = Annotated[
    Path | None, typer.Option(help="Bundle folder; by default the newest under models/autodecompose.")
]
