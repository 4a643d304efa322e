"""Whole installations from a wheel: how large they are, and whether they serve from another folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from trainer.pages.blocks import table, write_block

VERSIONS = ("3.11", "3.12", "3.13")
EXAMPLES = Path("examples/audio").resolve()
ENROLLED, PROBE = EXAMPLES / "3005/3005-163389-0003.opus", EXAMPLES / "3005/3005-163389-0006.opus"
_STARTED_WITHIN_S = 120.0
_MEGABYTE = 10**6


class InstallationFailed(Exception):
    """A step failed; the message has its output."""


def installation_page(pythons: Sequence[str], page: Path, say: Callable[[str], None]) -> None:
    """Installs for each Python into a fresh environment, and writes a table of sizes into `page`.

    Args:
        pythons: interpreters; one that cannot be started is left out, and named in the table.

    Raises:
        InstallationFailed: an installation, or a call of what was installed, failed.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = []
        wheel: Path | None = None
        for python in pythons:
            if not _starts(python):
                rows.append((Path(python).name, "not here", "", ""))
                continue
            if wheel is None:
                wheel = _wheel(python, folder)
            say(f"{python}: installing {wheel.name}")
            base, with_generate = _try(python, wheel, folder / "installed")
            rows.append(
                (Path(python).name, f"{base:.0f} MB", f"{with_generate:.0f} MB", "enrols, identifies")
            )
        if wheel is None:
            raise InstallationFailed(f"None of {', '.join(pythons)} can be started.")
        size = wheel.stat().st_size / _MEGABYTE
        header = ("interpreter", "`[cpu]`", "`[cpu,generate]`", "from another folder")
        note = (
            f"Sizes of site-packages without pip and bytecode, from `python -m benchmarks install`, "
            f"{datetime.now(UTC):%Y-%m-%d}. The wheel has {size:.0f} MB, nearly all of it models. "
            "numba and llvmlite were part of every installation before they became the extra `generate`."
        )
        write_block(page, "installation", f"{table(header, rows)}\n\n{note}")


def _starts(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", "pass"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _wheel(python: str, folder: Path) -> Path:
    _done([python, "-m", "venv", str(folder / "builder")])
    pip = str(folder / "builder" / "bin" / "pip")
    _done([pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."])
    (wheel,) = folder.glob("*.whl")
    return wheel


def _try(python: str, wheel: Path, folder: Path) -> tuple[float, float]:
    """Megabytes of the base with onnxruntime, and with the extra `generate` too; both have served."""
    _done([python, "-m", "venv", str(folder)])
    sizes = []
    for extras in ("cpu", "cpu,generate"):
        pip = str(folder / "bin" / "pip")
        _done([pip, "install", "--quiet", "--disable-pip-version-check", f"{wheel}[{extras}]"])
        (packages,) = folder.glob("lib/python*/site-packages")
        files = (path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc")
        sizes.append(
            sum(path.stat().st_size for path in files if path.relative_to(packages).parts[0] != "pip")
            / _MEGABYTE
        )
        elsewhere = folder / f"elsewhere-{len(sizes)}"
        elsewhere.mkdir()
        _serves(folder / "bin" / "twofold", elsewhere, generates="generate" in extras)
    shutil.rmtree(folder)
    return sizes[0], sizes[1]


def _serves(twofold: Path, folder: Path, *, generates: bool) -> None:
    """Starts the service in `folder`, enrols a reader, identifies the same reader, and makes a clip."""
    log = folder / "log.jsonl"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [twofold, "serve", "--port", "0"],
            cwd=folder,
            env=_clean(),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        url = next(
            (word for line in process.stdout or () for word in line.split() if "http://" in word), None
        )
        if url is None:
            raise InstallationFailed(f"The service did not start: {log.read_text()}")
        deadline = monotonic() + _STARTED_WITHIN_S
        call = [str(twofold), "enrol", "dan", str(ENROLLED), "--url", url]
        while subprocess.run(call, cwd=folder, env=_clean(), capture_output=True, check=False).returncode:
            if monotonic() > deadline:
                _done(call, folder)  # for its message
        _done([str(twofold), "identify", str(PROBE), "--url", url], folder)
        clip = [str(twofold), "generate", "seven", "--out", "seven.wav", "--url", url]
        made = subprocess.run(clip, cwd=folder, env=_clean(), capture_output=True, text=True, check=False)
        if generates == bool(made.returncode) or (not generates and "pip install numba" not in made.stderr):
            raise InstallationFailed(f"generate: {made.stdout}{made.stderr}")
    finally:
        process.terminate()
        process.wait()


def _clean() -> dict[str, str]:
    """The environment without settings, and without what would let another checkout be imported."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("TWOFOLD_", "PYTHON"))}


def _done(command: list[str], folder: Path | None = None) -> None:
    ended = subprocess.run(
        command, cwd=folder, env=_clean(), capture_output=True, text=True, check=False, timeout=900
    )
    if ended.returncode:
        raise InstallationFailed(f"{' '.join(command)}: {ended.stdout}{ended.stderr}")
