"""What a training hears: folders of speech, noise and rooms, and which speakers it leaves for choosing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from torch import Tensor

from bundle.audio import CROP_SAMPLES
from trainer.audio.chain import room_spectra
from trainer.audio.folders import Clip, read_audio, read_clips, read_noise


@dataclass(frozen=True)
class Material:
    """Folders as `trainer.audio.folders.read_folder` reads them. Noise and rooms are of the same split."""

    data: tuple[Path, ...]
    split: str | None = None
    noise: tuple[Path, ...] = ()
    rooms: Path | None = None
    aside: float = 0.0  # share of the speakers that training leaves out; see `set_aside`

    def speech(self) -> list[Clip]:
        """The clips to train on, one folder after the other.

        Raises:
            DataError: a folder cannot be read.
        """
        clips = read_clips(self.data, self.split)
        return [clip for clip in clips if not set_aside(clip, self.aside)]

    def noise_clips(self) -> list[Clip]:
        """Noise of the same split as the speech, where it has splits: test noise is kept for testing."""
        return [clip for folder in self.noise for clip in read_noise(folder, self.split)]

    def room_clips(self) -> list[Clip]:
        """Impulse responses of the same split."""
        return [] if self.rooms is None else read_noise(self.rooms, self.split)

    def room_spectra(self) -> Tensor | None:
        """(rooms, 8193) spectra of the rooms' responses, for `trainer.audio.chain`."""
        if self.rooms is None:
            return None
        return room_spectra([read_audio(clip.path) for clip in self.room_clips()], CROP_SAMPLES)

    def to_card(self) -> dict[str, Any]:
        """`paths` are this machine's, for going on; they do not go into a bundle."""
        folders = {"data": self.data, "noise": self.noise, "rooms": [self.rooms] if self.rooms else []}
        return {
            **{name: [folder.resolve().name for folder in of] for name, of in folders.items()},
            "split": self.split,
            "aside": self.aside,
            "paths": {name: [str(folder.resolve()) for folder in of] for name, of in folders.items()},
        }

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Self:
        """The material of a run.json, where it was."""
        paths = card["paths"]
        if isinstance(paths, list):  # an older card, which knew one folder of noise and no rooms
            paths = {"data": paths, "noise": _listed(card.get("noise_path")), "rooms": []}
        folders = {name: [Path(path) for path in of] for name, of in paths.items()}
        return cls._of(folders, card["split"], card)

    @classmethod
    def of_card(cls, card: dict[str, Any], data: Path) -> Self:
        """What a bundle's card names, as folders of `data`; the train split."""
        names = {"data": card["data"], "noise": _listed(card["noise"]), "rooms": card.get("rooms", [])}
        folders = {name: [data / folder for folder in dict.fromkeys(of)] for name, of in names.items()}
        return cls._of(folders, "train", card)

    @classmethod
    def _of(cls, folders: dict[str, list[Path]], split: str | None, card: dict[str, Any]) -> Self:
        rooms = folders["rooms"][0] if folders["rooms"] else None
        aside = card.get("aside", 0.0)
        return cls(tuple(folders["data"]), split, tuple(folders["noise"]), rooms, aside)


def _listed(value: str | list[str] | None) -> list[str]:
    """Older cards name one folder of noise, or none."""
    return value if isinstance(value, list) else [value] if value else []


def set_aside(clip: Clip, share: float) -> bool:
    """Whether a clip's speaker is among the share that is kept for choosing: by the hash of corpus and name.

    So it does not depend on what else is read. Who is not known is never set aside.
    """
    if not clip.speaker:
        return False
    digest = hashlib.sha256(f"{clip.corpus}/{clip.speaker}".encode()).digest()
    return int.from_bytes(digest[:4]) < share * 2**32
