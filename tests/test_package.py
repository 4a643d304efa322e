"""What an installation holds, and that another folder finds it. `python -m benchmarks install` tries it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a wheel is made of."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder), "build_py"]
    subprocess.run(
        [*command, "--build-lib", str(folder / "lib")], cwd=ROOT, check=True, capture_output=True, timeout=120
    )
    return folder / "lib"


def test_e6_the_models_are_inside(built: Path) -> None:
    shipped = [file for file in ROOT.glob("models/*/*/*") if file.is_file()]
    assert {file.relative_to(ROOT / "models") for file in shipped} == {
        file.relative_to(built / "service" / "models") for file in built.glob("service/models/*/*/*")
    }
    assert any(file.name == "bundle.json" for file in shipped)


def test_the_page_and_its_examples_are_inside(built: Path) -> None:
    for inside, there, pattern in (
        ("service/page/static", "service/page/static", "*.*"),
        ("service/examples", "examples", "*.opus"),
    ):
        files = {file.relative_to(ROOT / there) for file in (ROOT / there).rglob(pattern)}
        assert files
        assert files == {file.relative_to(built / inside) for file in (built / inside).rglob(pattern)}


def test_e6_another_folder_finds_them(built: Path, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(built)!r})\n"
        "from service.__main__ import main\n"
        "from service.settings import Settings\n"
        "print(Settings().models_dir)\n"
        "sys.argv = ['twofold', 'serve', '--help']\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    folder, *help_lines = done.stdout.splitlines()
    assert folder == str(built / "service" / "models")
    assert "twofold serve" in "".join(help_lines)


def test_e6_the_console_command_is_the_command_line() -> None:
    assert PROJECT["scripts"] == {"twofold": "service.__main__:main"}


def test_e6_make_takes_the_pythons_that_the_package_takes() -> None:
    (chosen,) = re.findall(r"foreach version,([\d. ]+),", (ROOT / "Makefile").read_text())
    least, first_refused = re.findall(r"3\.(\d+)", PROJECT["requires-python"])
    assert chosen.split() == [f"3.{minor}" for minor in range(int(least), int(first_refused))]


def test_the_base_installation_is_small() -> None:
    names = {re.split(r"[^\w-]", line)[0] for line in PROJECT["dependencies"]}
    assert not names & {"llvmlite", "matplotlib", "numba", "onnxruntime", "scipy", "sklearn", "torch"}
