"""Which packages are here, and what cannot be done without the others."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import service
from service.doctor.findings import Finding, note, well, wrong
from service.packages import installed

_OPTIONAL = {  # package → what is missing without it, the extra that has it
    "numba": ("POST /generate, and fast search among more than 50,000 voices", "generate"),
    "torch": ("fine-tuning with training steps. Adaptation works", "train"),
    "sounddevice": ("`twofold listen --mic`", "mic"),
    "opentelemetry.exporter": ("traces", "traces"),
}


def installation() -> Iterator[Finding]:
    """The program itself, onnxruntime, and packages that not everybody needs."""
    yield well(
        "program",
        f"twofold {service.__version__} in {Path(service.__file__).parent}, "
        f"Python {platform.python_version()}.",
    )
    if installed("onnxruntime"):
        yield well("onnxruntime", "Installed: models can run.")
    else:
        from service.inference import RuntimeMissingError

        yield wrong("onnxruntime", str(RuntimeMissingError()))
    for package, (missing, extra) in _OPTIONAL.items():
        if installed(package):
            yield well(package, "Installed.")
        else:
            yield note(package, f"Not installed, so without {missing}. `pip install 'twofold[{extra}]'`.")
