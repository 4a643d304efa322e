"""Draws docs/identify.png, the picture of the README, from the recordings of examples/.

Usage, with a service where nobody is enrolled (`make serve`): python docs/picture.py [URL]

Four of the six readers are enrolled, each with one recording. Then `/identify` is asked about all the others:
those of the four, and those of two readers whom nobody enrolled. Needs matplotlib (the `train` extra).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx
import matplotlib

matplotlib.use("Agg")  # draws into files, without a screen
from matplotlib import pyplot

AUDIO = Path(__file__).parents[1] / "examples" / "audio"
#: Names of the readers, by the number that LibriSpeech gives them; the first four are enrolled.
READERS = {"367": "Ann", "1998": "Bea", "2414": "Carl", "3005": "Dan", "533": "nobody", "2609": "nobody"}
ENROLLED = list(READERS)[:4]
COLOURS = dict(zip(ENROLLED, ("#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=True))


def longest(reader: str) -> Path:
    """The reader's largest file, to enrol from."""
    return max((AUDIO / reader).glob("*.opus"), key=lambda file: file.stat().st_size)


def answers(url: str) -> list[tuple[str, dict[str, Any]]]:
    """Reader and answer of /identify, for every recording that nobody was enrolled from."""

    def post(path: str, recording: Path, **form: str) -> dict[str, Any]:
        answer = client.post(path, files={"audio": recording.read_bytes()}, data=form)
        answer.raise_for_status()
        return dict(answer.json())

    with httpx.Client(base_url=url, timeout=60) as client:
        if client.get("/speakers").json()["speakers"]:
            sys.exit("Somebody is enrolled already: start a service with an empty TWOFOLD_STATE_DIR.")
        try:
            for reader in ENROLLED:
                post("/speakers", longest(reader), speaker_id=reader, name=READERS[reader])
            return [
                (reader, post("/identify", recording, top_k=str(len(ENROLLED))))
                for reader in READERS
                for recording in sorted((AUDIO / reader).glob("*.opus"))
                if reader not in ENROLLED or recording != longest(reader)
            ]
        finally:
            for reader in ENROLLED:
                client.delete(f"/speakers/{reader}")


def draw(rows: list[tuple[str, dict[str, Any]]], out: Path) -> None:
    """A row a recording: its score with each enrolled voice, and the threshold of the answer."""
    figure, axes = pyplot.subplots(figsize=(8, 4.2), dpi=110, layout="constrained")
    for y, (_, answer) in enumerate(rows):
        axes.plot([answer["threshold"]] * 2, [y - 0.42, y + 0.42], color="black", lw=1.6)
        for candidate in answer["candidates"]:
            axes.plot(candidate["score"], y, "o", color=COLOURS[candidate["speaker_id"]], ms=7)
    for reader, colour in COLOURS.items():
        axes.plot([], [], "o", color=colour, label=f"score with {READERS[reader]}")
    axes.plot([], [], color="black", lw=1.6, label="threshold for 1 % false accepts")
    says = [(answer["match"] or {"name": "nobody enrolled"})["name"] for _, answer in rows]
    speaks = [
        READERS[reader] if reader in ENROLLED else f"reader {reader}, not enrolled" for reader, _ in rows
    ]
    axes.set_yticks(range(len(rows)), speaks)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_ylabel("who speaks")
    axes.set_xlabel("score (centred cosine)")
    right = axes.twinx()
    right.set_yticks(range(len(rows)), says)
    right.set_ylim(axes.get_ylim())
    right.set_ylabel("what the service answers")
    axes.grid(axis="y", lw=0.3)
    figure.legend(loc="outside upper center", ncols=5, fontsize="small", frameon=False, handletextpad=0.2)
    figure.savefig(out, metadata={"Software": None})
    pyplot.close(figure)


if __name__ == "__main__":
    draw(
        answers(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"),
        Path(__file__).parent / "identify.png",
    )
