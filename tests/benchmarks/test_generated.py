"""A running service is asked for clips, and a judge says what they are; the generator makes tones."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.generated import (
    name_clips,
    report,
    report_styles,
    request_clips,
    request_styled_clips,
    style_recordings,
)
from service.audio import encode_wav
from service.client import Client
from tests.service.conftest import (  # fixtures
    RunningService,
    StartService,
    WriteBundle,
    start_service,  # noqa: F401
    write_bundle,  # noqa: F401
)
from tests.service.generation.tiny_generator import BINS_A_LABEL, FIRST_BIN, LABELS, write_generator
from trainer.gaae.networks import SimpleClassifier
from trainer.gaae.settings import PRESETS
from trainer.gaae.spectrogram import NormalisedLogSpectrogram
from trainer.reproduce.gaae.judge import Judge
from trainer.training.checkpoint import save_checkpoint

SMALL = PRESETS["small"]


class LoudestBand(nn.Module):
    """(batch, 128, 64) → (batch, 3): how loud it is around the pitch of each label."""

    def forward(self, x: Tensor) -> Tensor:
        middles = [int(FIRST_BIN + BINS_A_LABEL * label) for label in range(len(LABELS))]
        return torch.stack([x[:, middle - 6 : middle + 7].mean(dim=(1, 2)) for middle in middles], dim=1)


def judge(*labels: str) -> Judge:
    return Judge(LoudestBand(), labels, NormalisedLogSpectrogram(SMALL.spectrogram))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def service(
    start_service: StartService,  # noqa: F811
    write_bundle: WriteBundle,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> RunningService:
    models = tmp_path_factory.mktemp("models")
    write_bundle(models, "0.1.0")
    write_generator(models, "0.1.0")
    return start_service(models)


def test_every_tone_is_recognised_and_more_than_one_call_is_made(service: RunningService) -> None:
    with Client(service.url) as client:
        clips = request_clips(client, per_label=18)
    assert {label: x.shape for label, x in clips.items()} == dict.fromkeys(LABELS, (18, 16000))
    assert name_clips(clips, judge(*LABELS)) == {label: Counter({label: 18}) for label in LABELS}
    low, middle, high = LABELS
    two = {label: x[:2] for label, x in clips.items()}
    swapped = name_clips(two, judge(middle, low, high))
    assert swapped == {low: Counter({middle: 2}), middle: Counter({low: 2}), high: Counter({high: 2})}


def test_styles_are_drawn_from_test_and_each_is_asked_with_every_label(
    service: RunningService, tmp_path: Path
) -> None:
    rows = ["path\tspeaker\tsplit"]
    for i in range(6):
        level = (0.01, 0.09)[i % 2]
        (tmp_path / f"{i}.wav").write_bytes(encode_wav(np.full(16_000, level, np.float32)))
        rows.append(f"{i}.wav\ts{i}\t{'train' if i < 3 else 'test'}")
    (tmp_path / "metadata.tsv").write_text("\n".join(rows) + "\n")
    drawn = style_recordings(tmp_path, 2)
    assert drawn == style_recordings(tmp_path, 2)
    assert {path.name for path in style_recordings(tmp_path, 9)} == {"3.wav", "4.wav", "5.wav"}
    with Client(service.url) as client:
        clips = request_styled_clips(client, drawn)
        plain = request_clips(client, per_label=1)
    assert {label: x.shape for label, x in clips.items()} == dict.fromkeys(LABELS, (2, 16000))
    assert not any(np.array_equal(clips[label][0], plain[label][0]) for label in LABELS)
    answers = {"drawn": name_clips(plain, judge(*LABELS)), "styled": name_clips(clips, judge(*LABELS))}
    assert "| styled | 6 | 6 | 100.0 |" in report_styles(answers)


def test_the_report_has_a_row_a_label_and_one_of_all() -> None:
    text = report({"one": Counter({"one": 3, "two": 1}), "two": Counter({"two": 2, "one": 1, "six": 1})})
    assert "| one | 4 | 3 | 75.0 | two 1 |" in text
    assert "| two | 4 | 2 | 50.0 | one 1, six 1 |" in text
    assert text.splitlines()[-1].startswith("| all | 8 | 5 | 62.5 |")


def test_the_command_asks_the_service_and_says_what_is_wrong(service: RunningService, tmp_path: Path) -> None:
    checkpoint, styles = tmp_path / "checkpoint.safetensors", tmp_path / "styles"
    styles.mkdir()
    (styles / "a.wav").write_bytes(encode_wav(np.full(16_000, 0.1, np.float32)))
    (styles / "metadata.tsv").write_text("path\tspeaker\tsplit\na.wav\ts\ttest\n")
    torch.manual_seed(0)
    for labels, code, message in ((LABELS, 0, "| all | 3 |"), (LABELS[:2], 1, "high tone too")):
        card = {"spectrogram": asdict(SMALL.spectrogram), "labels": labels}
        save_checkpoint(checkpoint, {"judge": SimpleClassifier(SMALL, len(labels))}, None, 1, card)
        page = tmp_path / f"card-{code}.md"
        command = ["generated", "--url", service.url, "--per-label", "1", "--judge", str(checkpoint)]
        command += ["--page", str(page), "--styles", str(styles)]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == code, result.output
        assert message in " ".join(result.output.split())
        assert page.exists() == page.with_suffix(".png").exists() == (code == 0)
    card_text = (tmp_path / "card-0.md").read_text()
    assert "| all | 3 |" in card_text
    assert "| styles | 3 |" in card_text
    nowhere = ["generated", "--url", "http://127.0.0.1:9", "--judge", str(checkpoint)]
    absent = ["generated", "--url", service.url, "--judge", str(tmp_path / "absent")]
    for command, message in ((nowhere, "No service answers"), (absent, "--only judges")):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split())
