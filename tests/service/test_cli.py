"""The command line that needs no running service."""

from __future__ import annotations

import os
import subprocess
import sys

from service.settings.page import markdown_page


def test_settings_prints_the_table() -> None:
    command = [sys.executable, "-m", "service", "settings"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == markdown_page()


def test_help_needs_neither_settings_nor_the_web_stack() -> None:
    program = (
        "import sys, service.cli; from typer.testing import CliRunner;"
        "result = CliRunner().invoke(service.cli.app, ['serve', '--help']);"
        "assert result.exit_code == 0 and 'TWOFOLD_PORT' in result.output, result.output;"
        "assert not {'fastapi', 'uvicorn', 'onnxruntime'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"TWOFOLD_PORT": "?"}, check=True)
