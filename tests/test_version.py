"""The version has one place, and the changelog keeps up with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from service import __version__
from service.app import create_app
from service.settings import Settings

ROOT = Path(__file__).parents[1]


def test_package_app_and_changelog_have_one_version(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "service.__version__"}
    assert create_app(Settings(state_dir=tmp_path)).openapi()["info"]["version"] == __version__
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    assert released[0] == __version__, "the newest version of CHANGELOG.md is not service.__version__"
