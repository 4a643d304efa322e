"""NSynth (Engel et al. 2017): single notes of four seconds, as the public json/wav archives unpack."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

# Folder to split. No instrument is in both. nsynth-valid is left out: it shares instruments with nsynth-test.
SPLITS = {"nsynth-train": "train", "nsynth-test": "test"}
FAMILIES = (
    "bass",
    "brass",
    "flute",
    "guitar",
    "keyboard",
    "mallet",
    "organ",
    "reed",
    "string",
    "synth_lead",
    "vocal",
)
PAPER_FAMILIES = ("guitar", "string", "mallet")  # GAAE, section IV-A, acoustic ones
SOURCES = ("acoustic", "electronic", "synthetic")


def recordings(root: Path, *, families: Sequence[str], sources: Sequence[str]) -> list[CorpusRecording]:
    """Every note of these families and sources. The instrument takes the place of the speaker.

    Labels: `family`, `source`, `pitch` (MIDI number), `velocity` (MIDI, 25 to 127).

    Args:
        root: the folder that holds `nsynth-train`, `nsynth-test` or both, each with `examples.json` and
            `audio/<note>.wav`.

    Raises:
        DataError: both are missing, an examples.json is not as published, or no note fits.
    """
    parts = [part for part in SPLITS if (root / part).is_dir()]
    if not parts:
        raise DataError(
            f"{root} holds none of {', '.join(SPLITS)}. Unpack nsynth-train.jsonwav.tar.gz there."
        )
    notes = []
    for part in parts:
        folder = root / part
        for name, note in _read_examples(folder / "examples.json").items():
            try:
                labels = {
                    "family": str(note["instrument_family_str"]),
                    "source": str(note["instrument_source_str"]),
                    "pitch": str(note["pitch"]),
                    "velocity": str(note["velocity"]),
                }
                instrument = str(note["instrument_str"])
            except (KeyError, TypeError) as error:
                raise DataError(
                    f"{folder / 'examples.json'}: note {name} is not as published ({error}). Get it again."
                ) from error
            if labels["family"] in families and labels["source"] in sources:
                source = folder / "audio" / f"{name}.wav"
                notes.append(CorpusRecording(source, name, instrument, SPLITS[part], labels))
    if not notes:
        raise DataError(
            f"{', '.join(parts)}: no note of {', '.join(families)} that is {' or '.join(sources)}."
        )
    return notes


def _read_examples(path: Path) -> dict[str, dict[str, Any]]:
    try:
        examples = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Unpack the json/wav archive.") from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}). Unpack the archive again.") from error
    if not isinstance(examples, dict):
        raise DataError(f"{path} is not as published: it has to be an object with one member a note.")
    return dict(sorted(examples.items()))
