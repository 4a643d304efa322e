"""`python -m benchmarks`."""

from benchmarks.cli import app
from trainer.terminal import run

run(app, "python -m benchmarks")
