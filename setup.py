"""Puts the bundles of models/ into the package, so that a wheel serves from any folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = Path("models")
PATTERNS = ("*/*/bundle.json", "*/*/*.onnx", "*/*/*.npy", "*/*/*.safetensors")


class BuildWithModels(build_py):
    """`build_py`, and the models as service/models. An editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        packaged = Path(self.build_lib, "service", "models")
        shutil.rmtree(packaged, ignore_errors=True)  # of an earlier build, with older versions
        for file in (path for pattern in PATTERNS for path in sorted(MODELS.glob(pattern))):
            target = packaged / file.relative_to(MODELS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


setup(cmdclass={"build_py": BuildWithModels})
