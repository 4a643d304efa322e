"""`python -m trainer data`: one command a corpus, each a few lines around `write_corpus`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording, WriteReport, write_folder
from trainer.terminal import errors_said

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Fetches or reads a public corpus and writes it as metadata.tsv and audio/SPEAKER/CLIP.opus.",
)
OutOption = Annotated[Path, typer.Option(help="Folder to write; clips that it already holds stay.")]
RepositoryOption = Annotated[Path, typer.Option("--root", help="Folder that holds the repository's files.")]
LosslessOption = Annotated[
    bool, typer.Option("--lossless", help="Write FLAC instead of Opus, into a folder of its own.")
]
MIN_S = 1.2  # of crowd recordings, which may be empty or cut off: a crop of 1.024 s has to fit


@app.callback()
def data() -> None:
    """Makes the corpus a subcommand (`data librispeech`), even if there were only one."""


@app.command()
def librispeech(
    root: Annotated[Path, typer.Option(help="Folder that holds LibriSpeech/, or is to hold it.")],
    out: OutOption,
    subset: Annotated[
        str, typer.Option(help="Which part: train-clean-100, test-other, …")
    ] = "train-clean-100",
    download: Annotated[
        bool, typer.Option("--download", help="Fetch it from openslr.org if it is not there.")
    ] = False,
) -> None:
    """LibriSpeech: read English. `train-*` becomes the split train, `dev-*` and `test-*` the split test.

    Stop it at any time: the same command goes on.

    Examples:

    `python -m trainer data librispeech --root ~/corpora --subset test-other --out data/librispeech`

    `python -m trainer data librispeech --root ~/corpora --download --out data/librispeech`
    """
    from trainer.corpora.librispeech import Subset, recordings

    if subset not in list(Subset):
        raise typer.BadParameter(f"'{subset}' is none of {', '.join(Subset)}.", param_hint="--subset")
    with errors_said(Console(stderr=True), DataError):
        utterances = recordings(root, Subset(subset), download=download)
    write_corpus(utterances, out)


@app.command()
def instruments(
    out: OutOption,
    low: Annotated[int, typer.Option(min=0, max=127, help="Lowest pitch, as a MIDI number.")] = 40,
    high: Annotated[int, typer.Option(min=0, max=127, help="Highest pitch.")] = 88,
    step: Annotated[int, typer.Option(min=1, help="Semitones from pitch to pitch.")] = 1,
    soundfont: Annotated[
        Path | None, typer.Option(help="General MIDI soundfont; Debian's FluidR3_GM.sf2 if none.")
    ] = None,
) -> None:
    """Guitar, string and mallet notes of one second, rendered with fluidsynth: a stand-in for NSynth.

    Every pitch comes at five velocities. Of the five instruments of a family one is the split test. Needs
    Debian's packages fluidsynth and fluid-soundfont-gm. Stop it at any time: the same command goes on.

    Examples:

    `python -m trainer data instruments --out data/instruments`

    `python -m trainer data instruments --out data/few --step 12`
    """
    from trainer.corpora.instruments import INSTRUMENTS, SOUNDFONT, VELOCITIES, write_instruments

    if high < low:
        raise typer.BadParameter(f"{high} is below --low {low}.", param_hint="--high")
    pitches = range(low, high + 1, step)
    console = Console(stderr=True)
    with errors_said(console, DataError), _progress(console) as progress:
        task = progress.add_task("rendering", total=len(INSTRUMENTS) * len(pitches) * len(VELOCITIES))
        report = write_instruments(
            out,
            pitches=pitches,
            soundfont=soundfont or SOUNDFONT,
            on_clip=lambda: progress.advance(task),
        )
    _print_report(report, out, console)


@app.command()
def nsynth(
    root: Annotated[Path, typer.Option(help="Folder that holds nsynth-train/, nsynth-test/ or both.")],
    out: OutOption,
    family: Annotated[
        list[str] | None, typer.Option(help="Repeatable; without it, guitar, string and mallet.")
    ] = None,
    source: Annotated[list[str] | None, typer.Option(help="Repeatable; without it, acoustic.")] = None,
) -> None:
    """NSynth: single notes of instruments. nsynth-train becomes the split train, nsynth-test the split test.

    Unpack the json/wav archives yourself. nsynth-valid is left out: it has the same instruments as
    nsynth-test. Stop it at any time: the same command goes on.

    Examples:

    `python -m trainer data nsynth --root ~/corpora --out data/nsynth`

    `python -m trainer data nsynth --root ~/corpora --family bass --source synthetic --out data/bass`
    """
    from trainer.corpora.nsynth import FAMILIES, PAPER_FAMILIES, SOURCES, recordings

    families, sources = family or PAPER_FAMILIES, source or ("acoustic",)
    for given, known, option in ((families, FAMILIES, "--family"), (sources, SOURCES, "--source")):
        for name in given:
            if name not in known:
                raise typer.BadParameter(f"'{name}' is none of {', '.join(known)}.", param_hint=option)
    with errors_said(Console(stderr=True), DataError):
        notes = recordings(root, families=families, sources=sources)
    write_corpus(notes, out)


@app.command()
def speechcommands(
    root: Annotated[Path, typer.Option(help="Folder that holds SpeechCommands/, or is to hold it.")],
    out: OutOption,
    digits: Annotated[bool, typer.Option("--digits", help="Only zero to nine: the dataset S09.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch version 0.02 from tensorflow.org if it is not there.")
    ] = False,
) -> None:
    """Speech Commands: one word a clip. The archive's testing_list.txt is the split test, the rest train.

    Stop it at any time: the same command goes on.

    Example: `python -m trainer data speechcommands --root ~/corpora --digits --out data/s09`
    """
    from trainer.corpora.speechcommands import recordings

    with errors_said(Console(stderr=True), DataError):
        words = recordings(root, digits=digits, download=download)
    write_corpus(words, out)


@app.command()
def syntone(
    out: OutOption,
    amplitudes: Annotated[int, typer.Option(min=2, help="Levels from 0 to 1.")] = 20,
    frequencies: Annotated[int, typer.Option(min=2, help="Levels from 440 to 8000 Hz.")] = 400,
) -> None:
    """SynTone: 4 × 20 × 400 synthetic tones of known timbre, amplitude and frequency, as FLAC.

    `reproduce syntone` makes the same clips in memory and does not need this folder.

    Examples:

    `python -m trainer data syntone --out data/syntone`

    `python -m trainer data syntone --out data/small --amplitudes 5 --frequencies 20`
    """
    from trainer.corpora.syntone import write_syntone
    from trainer.syntone.dataset import SynTone

    grid = SynTone(amplitudes, frequencies)
    console = Console(stderr=True)
    with _progress(console) as progress:
        task = progress.add_task("writing", total=len(grid))
        report = write_syntone(grid, out, on_clip=lambda: progress.advance(task))
    _print_report(report, out, console)


@app.command()
def voxceleb1(
    root: Annotated[Path, typer.Option(help="Folder that holds wav/ and vox1_meta.csv.")],
    out: OutOption,
) -> None:
    """VoxCeleb1: celebrities in interviews, with gender and nationality. Its Set dev becomes the split train.

    Its archives are given on request only: unpack both into one folder yourself. Stop it at any time: the
    same command goes on.

    Example: `python -m trainer data voxceleb1 --root ~/corpora/voxceleb1 --out data/voxceleb1`
    """
    from trainer.corpora.voxceleb1 import recordings

    with errors_said(Console(stderr=True), DataError):
        utterances = recordings(root)
    write_corpus(utterances, out)


@app.command()
def alphanumeric(root: RepositoryOption, out: OutOption, lossless: LosslessOption = False) -> None:
    """A made-up name, number and address of each of 70 students (Sakshee5/alphanumeric-audio-dataset, MIT).

    Example: `python -m trainer data alphanumeric --root ~/alphanumeric-audio-dataset --out data/alphanumeric`
    """
    from trainer.corpora.alphanumeric import recordings

    _read_and_write(recordings, root, out, lossless=lossless, min_s=MIN_S)


@app.command()
def commonvoice(
    root: RepositoryOption,
    out: OutOption,
    per_speaker: Annotated[int, typer.Option(min=1, help="At most so many clips of a speaker.")] = 400,
    lossless: LosslessOption = False,
) -> None:
    """Common Voice (CC0): a release, or a repository with some of its clips.

    Speakers of dev.tsv and test.tsv become the split test.

    Example: `python -m trainer data commonvoice --root ~/rsample-100-cv-corpus-6.1-2020-12-11 --out data/cv`
    """
    from trainer.corpora.commonvoice import recordings

    _read_and_write(partial(recordings, per_speaker=per_speaker), root, out, lossless=lossless, min_s=MIN_S)


@app.command()
def dspspeech20(root: RepositoryOption, out: OutOption, lossless: LosslessOption = False) -> None:
    """Words of 34 students, ten joined to a clip (zhongyuchen/DSPSpeech-20, MIT).

    Example: `python -m trainer data dspspeech20 --root ~/DSPSpeech-20 --out data/dspspeech20`
    """
    from trainer.corpora.dspspeech20 import recordings

    _read_and_write(recordings, root, out, lossless=lossless, min_s=MIN_S)


@app.command()
def picovoice(root: RepositoryOption, out: OutOption, lossless: LosslessOption = False) -> None:
    """Wake words and commands of more than 50 people (both benchmarks of Picovoice, Apache-2.0).

    Example: `python -m trainer data picovoice --root ~/picovoice --out data/picovoice`
    """
    from trainer.corpora.picovoice import recordings

    _read_and_write(recordings, root, out, lossless=lossless, min_s=MIN_S)


@app.command()
def precise(root: RepositoryOption, out: OutOption, lossless: LosslessOption = False) -> None:
    """Wake words given to the public domain (MycroftAI/Precise-Community-Data).

    Example: `python -m trainer data precise --root ~/Precise-Community-Data --out data/precise`
    """
    from trainer.corpora.precise import recordings

    _read_and_write(recordings, root, out, lossless=lossless, min_s=MIN_S)


@app.command()
def resemblyzer(root: RepositoryOption, out: OutOption, lossless: LosslessOption = False) -> None:
    """The excerpt of LibriSpeech (CC BY 4.0) in the repository resemble-ai/Resemblyzer.

    Example: `python -m trainer data resemblyzer --root ~/Resemblyzer --out data/resemblyzer`
    """
    from trainer.corpora.resemblyzer import recordings

    _read_and_write(recordings, root, out, lossless=lossless)


@app.command()
def speechocean762(root: RepositoryOption, out: OutOption, lossless: LosslessOption = False) -> None:
    """Mandarin speakers reading English (openslr.org/101, free for any use), half of them children.

    Example: `python -m trainer data speechocean762 --root ~/speechocean762 --out data/speechocean762`
    """
    from trainer.corpora.speechocean762 import recordings

    _read_and_write(recordings, root, out, lossless=lossless)


def _read_and_write(
    reader: Callable[[Path], list[CorpusRecording]],
    root: Path,
    out: Path,
    *,
    lossless: bool,
    min_s: float = 0.0,
) -> None:
    """Writes a corpus out of the files of a repository."""
    with errors_said(Console(stderr=True), DataError):
        recordings = reader(root)
    write_corpus(recordings, out, lossless=lossless, min_s=min_s)


def write_corpus(
    recordings: Sequence[CorpusRecording], out: Path, *, lossless: bool = False, min_s: float = 0.0
) -> None:
    """Writes a corpus behind a progress bar, then prints the skipped files and the counts."""
    console = Console(stderr=True)
    with _progress(console) as progress:
        task = progress.add_task("writing", total=len(recordings))
        report = write_folder(
            recordings, out, lossless=lossless, min_s=min_s, on_clip=lambda: progress.advance(task)
        )
    _print_report(report, out, console)


def _progress(console: Console) -> Progress:
    return Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console)


def _print_report(report: WriteReport, out: Path, console: Console) -> None:
    for line in report.skipped:
        console.print(f"[yellow]skipped[/yellow] {line}")
    console.print(
        f"{out}: {report.written} written, {report.existing} already there, {len(report.skipped)} skipped"
    )
