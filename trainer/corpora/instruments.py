"""Guitar, strings and mallet notes rendered from a General MIDI soundfont, as a stand-in for NSynth.

As in NSynth, every pitch comes at five velocities, and an instrument is in one split only. A note lasts one
second, with the key held throughout.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording, WriteReport, write_folder
from trainer.corpora.midi import write_notes

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
PACKAGES = "apt-get install fluidsynth fluid-soundfont-gm"
VELOCITIES = (25, 50, 75, 100, 127)  # NSynth's
PITCHES = range(40, 89)  # E2 to E6 for every instrument, so that pitch says nothing about the family
_RENDER_HZ = 48_000  # resampled afterwards: fluidsynth itself aliases at 16 kHz
_CLIP_S, _SPACING_S = 1.0, 1.5
_SILENT = 1e-3  # of full scale


@dataclass(frozen=True)
class Instrument:
    """One preset of the soundfont."""

    family: str
    program: int  # General MIDI, counted from 0
    name: str
    split: str

    @property
    def id(self) -> str:
        """`guitar_024`: what the folder format calls a speaker."""
        return f"{self.family}_{self.program:03d}"


INSTRUMENTS = (
    Instrument("guitar", 24, "nylon", "train"),
    Instrument("guitar", 25, "steel", "test"),
    Instrument("guitar", 26, "jazz", "train"),
    Instrument("guitar", 27, "clean", "train"),
    Instrument("guitar", 28, "muted", "train"),
    Instrument("string", 40, "violin", "train"),
    Instrument("string", 41, "viola", "test"),
    Instrument("string", 42, "cello", "train"),
    Instrument("string", 44, "tremolo", "train"),
    Instrument("string", 48, "ensemble", "train"),
    Instrument("mallet", 8, "celesta", "train"),
    Instrument("mallet", 9, "glockenspiel", "train"),
    Instrument("mallet", 11, "vibraphone", "train"),
    Instrument("mallet", 12, "marimba", "test"),
    Instrument("mallet", 13, "xylophone", "train"),
)


def write_instruments(
    out: Path,
    *,
    pitches: Sequence[int] = PITCHES,
    velocities: Sequence[int] = VELOCITIES,
    instruments: Sequence[Instrument] = INSTRUMENTS,
    soundfont: Path = SOUNDFONT,
    on_clip: Callable[[], None] | None = None,
) -> WriteReport:
    """Renders every note and adds it to the folder `out`. An instrument whose clips are all there is skipped.

    Labels: `family` (guitar, string, mallet), `preset`, `pitch`, `velocity`. Notes that a preset does not
    have are named in the report.

    Raises:
        DataError: fluidsynth or the soundfont is missing, or rendering fails.
    """
    fluidsynth = shutil.which("fluidsynth")
    if fluidsynth is None:
        raise DataError(f"The program fluidsynth is not installed: {PACKAGES}")
    if not soundfont.is_file():
        raise DataError(
            f"{soundfont} is not there: {PACKAGES}, or give --soundfont a General MIDI soundfont."
        )
    notes = [(pitch, velocity) for pitch in pitches for velocity in velocities]
    absent: list[str] = []

    def recordings(folder: Path) -> Iterator[CorpusRecording]:
        for instrument in instruments:
            sources = [folder / f"{pitch:03d}-{velocity:03d}.wav" for pitch, velocity in notes]
            clips = [out / "audio" / instrument.id / f"{source.stem}.opus" for source in sources]
            if not all(clip.is_file() for clip in clips):
                _render(fluidsynth, soundfont, instrument, notes, sources)
            for (pitch, velocity), source, clip in zip(notes, sources, clips, strict=True):
                if not (source.is_file() or clip.is_file()):
                    absent.append(f"{instrument.id} has no sound at pitch {pitch}, velocity {velocity}")
                    if on_clip:
                        on_clip()
                    continue
                labels = {
                    "family": instrument.family,
                    "preset": instrument.name,
                    "pitch": str(pitch),
                    "velocity": str(velocity),
                }
                yield CorpusRecording(source, source.stem, instrument.id, instrument.split, labels)
                source.unlink(missing_ok=True)

    with TemporaryDirectory() as folder:
        report = write_folder(recordings(Path(folder)), out, on_clip=on_clip)
    return WriteReport(report.written, report.existing, report.skipped + absent)


def _render(
    fluidsynth: str,
    soundfont: Path,
    instrument: Instrument,
    notes: Sequence[tuple[int, int]],
    targets: Sequence[Path],
) -> None:
    """Writes one file a note that sounds. All are rendered in one go: loading the soundfont takes longest."""
    folder = targets[0].parent
    score, audio = folder / "notes.mid", folder / "all.wav"
    write_notes(score, notes, program=instrument.program, held_s=_CLIP_S, spacing_s=_SPACING_S)
    # No reverb and no chorus: they are effects of the player, not of the instrument.
    command = [fluidsynth, "-n", "-i", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(_RENDER_HZ)]
    done = subprocess.run(
        [*command, "-T", "wav", "-F", str(audio), str(soundfont), str(score)],
        capture_output=True,
        text=True,
        check=False,
    )
    last = ((len(notes) - 1) * _SPACING_S + _CLIP_S) * _RENDER_HZ
    if done.returncode or not audio.is_file() or soundfile.info(audio).frames < last:
        raise DataError(
            f"fluidsynth could not render {instrument.id}: {(done.stderr or done.stdout).strip()}"
        )
    for index, target in enumerate(targets):
        start = round(index * _SPACING_S * _RENDER_HZ)
        samples, _ = soundfile.read(audio, start=start, frames=round(_CLIP_S * _RENDER_HZ), dtype="float32")
        if abs(samples).max() > _SILENT:
            soundfile.write(target, samples, _RENDER_HZ, subtype="FLOAT")
    audio.unlink()
