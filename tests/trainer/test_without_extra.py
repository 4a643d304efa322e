"""The command lines after `make serve`, which installs neither torch nor scikit-learn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundle.voice import VoiceBundle
from trainer.bundles.newest import newest_bundle

SITE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
EXTRA = {
    "matplotlib",
    "onnx",
    "onnxscript",
    "pocketsphinx",
    "safetensors",
    "scipy",
    "sklearn",
    "torch",
    "torchaudio",
}
EVERY_HELP = """
import click, typer
from typer.testing import CliRunner
from {package}.cli import app

def walk(command, words):
    print(*words)
    for name, child in getattr(command, "commands", {{}}).items():
        yield from walk(child, [*words, name])
    yield words

for words in walk(typer.main.get_command(app), []):
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0 and "Usage" in result.output, (words, result.output, result.exception)
"""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which the packages of the extra `train` cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(SITE.format(packages=EXTRA))
    paths = [str(tmp_path), str(Path(__file__).parents[2])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("package", ["trainer", "benchmarks"])
def test_every_verb_has_its_help(package: str, bare: dict[str, str]) -> None:
    ended = run(bare, "-c", EVERY_HELP.format(package=package))
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) > 5  # verbs


@pytest.mark.parametrize("package", ["trainer", "benchmarks"])
def test_the_help_of_the_program_is_shown(package: str, bare: dict[str, str]) -> None:
    ended = run(bare, "-m", package, "--help")
    assert ended.returncode == 0, ended.stderr
    assert f"python -m {package}" in ended.stdout


def test_a_bundle_is_adapted(bare: dict[str, str], tmp_path: Path, examples: Path) -> None:
    out = tmp_path / "autodecompose" / "next"
    arguments = ["finetune", str(newest_bundle()), str(examples), "--out", str(out)]
    ended = run(bare, "-m", "trainer", *arguments)
    assert ended.returncode == 0, ended.stderr
    assert VoiceBundle.load(out).adaptation == "adaptation"
    with_steps = run(bare, "-m", "trainer", *arguments[:-1], str(out.with_name("other")), "--steps", "1")
    assert with_steps.returncode == 1
    assert "0 steps" in with_steps.stderr.replace("\n", " ")


def test_a_verb_that_needs_more_says_what_to_install(bare: dict[str, str], tmp_path: Path) -> None:
    ended = run(bare, "-m", "trainer", "pretrain", "--data", str(tmp_path), "--out", str(tmp_path / "run"))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "is not installed" in line
    assert "pip install --editable '.[cpu,train]'" in line
