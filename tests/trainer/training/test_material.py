from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.audio.folders import Clip
from trainer.training.material import Material, set_aside


def folder(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    """A corpus of (file, speaker, split)."""
    path.mkdir()
    for name, _, _ in rows:
        soundfile.write(path / name, 0.1 * np.ones(1600), 16_000)
    lines = ["path\tspeaker\tsplit", *("\t".join(row) for row in rows)]
    (path / "metadata.tsv").write_text("\n".join(lines) + "\n")
    return path


def test_a_speaker_is_set_aside_as_a_whole_and_always_the_same_ones() -> None:
    def clip(number: int) -> Clip:
        return Clip(Path("x.wav"), f"s{number}", corpus="c")

    aside = [number for number in range(2000) if set_aside(clip(number), 0.1)]
    assert 150 < len(aside) < 250
    assert set(aside) < {number for number in range(2000) if set_aside(clip(number), 0.2)}
    assert not any(set_aside(clip(number), 0.0) for number in range(2000))
    assert not set_aside(Clip(Path("x.wav"), "", corpus="c"), 0.9)


def test_the_card_brings_back_the_same_material_and_names_no_path_in_a_bundle(tmp_path: Path) -> None:
    speech = folder(tmp_path / "speech", [("a.wav", "a", "train"), ("b.wav", "b", "test")])
    noise = folder(tmp_path / "noise", [("n.wav", "", "train"), ("t.wav", "", "test")])
    rooms = folder(tmp_path / "rooms", [("r.wav", "", "train"), ("t.wav", "", "test")])
    material = Material((speech,), "train", (noise,), rooms, 0.0)
    again = Material.from_card(json.loads(json.dumps(material.to_card())))
    for found in (material, again):
        assert [clip.path.name for clip in found.speech()] == ["a.wav"]
        assert [clip.path.name for clip in found.noise_clips()] == ["n.wav"]
        assert [clip.path.name for clip in found.room_clips()] == ["r.wav"]
    spectra = again.room_spectra()
    assert spectra is not None
    assert spectra.shape == (1, 8193)
    shown = {key: value for key, value in material.to_card().items() if key != "paths"}
    assert str(tmp_path) not in json.dumps(shown)


def test_cards_of_before_rooms_are_still_read(tmp_path: Path) -> None:
    card = {
        "paths": [str(tmp_path)],
        "noise_path": str(tmp_path / "noise"),
        "split": "train",
        "noise": "noise",
    }
    assert Material.from_card(card) == Material((tmp_path,), "train", (tmp_path / "noise",))


def test_noise_without_splits_counts_as_train(tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "n.wav", np.ones(160) * 0.1, 16_000)
    assert len(Material((), "train", (tmp_path / "noise",)).noise_clips()) == 1


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_rooms_are_optional(share: float) -> None:
    assert Material((), aside=share).room_spectra() is None
