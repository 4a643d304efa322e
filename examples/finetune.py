"""Fine-tunes the model on every recording of `audio/`, without labels, and prints a line an event.

Usage, with a service and a worker running:
python examples/finetune.py [URL] [STEPS]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

AUDIO = Path(__file__).parent / "audio"


def events(client: httpx.Client, job_id: str) -> Iterator[Any]:
    """The job, again after every change, until it is over."""
    with client.stream("GET", f"/finetune/{job_id}/events", timeout=None) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))


def main(url: str, steps: int) -> None:
    files = [("audio", (path.name, path.read_bytes())) for path in sorted(AUDIO.glob("*/*.opus"))]
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post("/finetune", data={"steps": str(steps)}, files=files)
        if answer.is_error:
            sys.exit(answer.json()["detail"])
        for job in events(client, answer.json()["job_id"]):
            progress = f": step {job['step']} of {job['steps']}" if job["steps"] else ""
            print(f"{job['state']}{progress}", flush=True)
    if job["state"] != "succeeded":
        sys.exit(job["error"] or f"The job was {job['state']}.")
    print(job["report"]["reason"])
    print(f"To serve it: curl -X POST {url}/models/{job['version']}/activate")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0] if given else "http://127.0.0.1:8000", int(given[1]) if len(given) > 1 else 0)
