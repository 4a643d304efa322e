"""C5: one server on one state folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from service.errors import FolderTaken
from service.stores.folder_lock import folder_lock


def test_c5_a_second_server_refuses_to_start_and_says_who_holds_the_folder(
    tiny_models: Path, tmp_path: Path
) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
    environment |= {"TWOFOLD_STATE_DIR": str(tmp_path), "TWOFOLD_MODELS_DIR": str(tiny_models)}
    with folder_lock(tmp_path):
        second = subprocess.run(
            [sys.executable, "-m", "service", "serve", "--port", "0"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 1
    assert f"process {os.getpid()} on {socket.gethostname()}" in second.stderr
    assert "Traceback" not in second.stderr


def test_c5_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from service.stores.folder_lock import folder_lock\n"
        "with folder_lock(Path(sys.argv[1])):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9
    with folder_lock(tmp_path), pytest.raises(FolderTaken), folder_lock(tmp_path):
        pass
