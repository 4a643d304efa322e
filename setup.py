"""Puts models/ and the recordings of examples/ into the package, so that a wheel serves from any folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = {
    "models": ("*/*/bundle.json", "*/*/*.onnx", "*/*/*.npy", "*/*/*.safetensors"),
    "examples": ("README.md", "*/*.opus", "*/*/*.opus"),
}


class BuildWithFolders(build_py):
    """`build_py`, and both as folders of `service`. An editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name, patterns in FOLDERS.items():
            packaged = Path(self.build_lib, "service", name)
            shutil.rmtree(packaged, ignore_errors=True)  # of an earlier build, with older versions
            for file in (path for pattern in patterns for path in sorted(Path(name).glob(pattern))):
                target = packaged / file.relative_to(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


setup(cmdclass={"build_py": BuildWithFolders})
