from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainer.cli import app

WriteTone = Callable[[Path, float, float, int], None]


def test_evaluate_writes_json_and_prints_a_table(
    tiny_bundle: Path, tmp_path: Path, write_tone: WriteTone
) -> None:
    for speaker in range(3):
        for clip in range(3):
            write_tone(
                tmp_path / "data" / f"s{speaker}" / f"{clip}.wav", 300 * 2**speaker, 5.3, speaker + clip
            )
    out = tmp_path / "out.json"
    result = CliRunner().invoke(
        app, ["evaluate", str(tiny_bundle), "--data", str(tmp_path / "data"), "--json", str(out), "--record"]
    )
    assert result.exit_code == 0, result.output
    assert "EER" in result.output
    figures = json.loads(out.read_text())
    assert {"model", "data", "speakers", "segments", "few_shot", "eer", "min_dcf", "cllr"} <= set(figures)
    assert {"f1", "std", "runs"} <= set(figures["few_shot"]["10"])
    card = json.loads((tiny_bundle / "bundle.json").read_text())["metrics"]["data/voice"]
    assert card["eer"] == figures["eer"]
    assert str(tmp_path) not in json.dumps(card)


def test_bad_input_is_said_plainly(tiny_bundle: Path, tmp_path: Path) -> None:
    for command in (
        ["evaluate", str(tmp_path), "--data", str(tmp_path)],
        ["evaluate", str(tiny_bundle), "--data", str(tmp_path / "absent")],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert str(tmp_path)[:20] in result.output
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "verb", [["evaluate"], ["pretrain"], ["export"], ["data"], ["data", "librispeech"], ["data", "voxceleb1"]]
)
def test_help_shows_examples(verb: list[str]) -> None:
    result = CliRunner().invoke(app, [*verb, "--help"])
    assert result.exit_code == 0
    if verb != ["data"]:
        assert f"python -m trainer {' '.join(verb)}" in result.output
