"""Fine-tunes the model on every recording of `audio/`, without labels, and prints a line an event.

Usage, with a service and a worker running:
python examples/finetune.py [URL] [STEPS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from service.client import Client, ClientError, JobAnswer

AUDIO = Path(__file__).parent / "audio"


def show(job: JobAnswer) -> None:
    progress = f": step {job.step} of {job.steps}" if job.steps else ""
    print(f"{job.state}{progress}", flush=True)


def main(url: str, steps: int) -> None:
    with Client(url) as client:
        started = client.finetune(*sorted(AUDIO.glob("*/*.opus")), steps=steps)
        job = client.wait(started.job_id, progress=show)
    if job.state != "succeeded" or job.report is None:
        sys.exit(job.error or f"The job was {job.state}.")
    print(job.report["reason"])
    print(f"To serve it: curl -X POST {url}/models/{job.version}/activate")


if __name__ == "__main__":
    given = sys.argv[1:]
    try:
        main(given[0] if given else "http://127.0.0.1:8000", int(given[1]) if len(given) > 1 else 0)
    except ClientError as error:
        sys.exit(str(error))
