"""Joins recordings of `audio/` into the conversations of `conversations/`, each with a reference in RTTM.

The people never met: they read books alone, and their sentences are laid one after another.
Usage, from the repository's root: python examples/join_conversations.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).parent
RATE_HZ = 16_000


@dataclass(frozen=True)
class Turn:
    """A stretch of a recording without the silence around it."""

    clip: str  # <speaker>-<chapter>-<utterance>, as in metadata.tsv
    start_s: float
    end_s: float
    pause_s: float = 0.4  # before the turn; negative where it begins while the other still speaks

    @property
    def speaker(self) -> str:
        return self.clip.split("-")[0]

    def samples(self) -> np.ndarray:
        """Samples (n,) at 16 kHz."""
        audio, _ = soundfile.read(HERE / "audio" / self.speaker / f"{self.clip}.opus", dtype="float32")
        return np.asarray(audio[round(self.start_s * RATE_HZ) : round(self.end_s * RATE_HZ)])


# One long recording of each speaker is in neither: it is left for enrolment.
CONVERSATIONS = {
    "1998-3005": [
        Turn("3005-163389-0006", 0.60, 2.50, pause_s=0.5),
        Turn("1998-15444-0008", 0.45, 2.90),
        Turn("3005-163389-0006", 2.80, 9.80),
        Turn("1998-15444-0005", 0.42, 7.98),
        Turn("3005-163389-0002", 0.45, 3.35),
    ],
    "2414-367": [
        Turn("367-130732-0009", 0.14, 3.40, pause_s=0.5),
        Turn("2414-128291-0005", 0.45, 3.80),
        Turn("367-130732-0007", 0.36, 5.30),
        Turn("2414-128291-0006", 0.58, 3.18, pause_s=-0.5),
        Turn("367-130732-0007", 5.33, 9.66),
        Turn("2414-128291-0005", 4.15, 10.30),
    ],
}


def join(name: str, turns: list[Turn]) -> tuple[np.ndarray, str]:
    """Samples (n,) at 16 kHz, and their RTTM: a line a turn, with its start and duration in seconds."""
    audio = np.zeros(0, np.float32)
    lines = []
    for turn in turns:
        samples = turn.samples()
        start = len(audio) + round(turn.pause_s * RATE_HZ)
        longer = np.zeros(start + len(samples), np.float32)
        longer[: len(audio)] = audio
        longer[start:] += samples
        audio = longer
        times = f"{start / RATE_HZ:.3f} {len(samples) / RATE_HZ:.3f}"
        lines.append(f"SPEAKER {name} 1 {times} <NA> <NA> {turn.speaker} <NA> <NA>\n")
    return audio, "".join(lines)


def main() -> None:
    folder = HERE / "conversations"
    folder.mkdir(exist_ok=True)
    for name, turns in CONVERSATIONS.items():
        audio, rttm = join(name, turns)
        soundfile.write(
            folder / f"{name}.opus", audio, RATE_HZ, format="OGG", subtype="OPUS", compression_level=0.9
        )
        (folder / f"{name}.rttm").write_text(rttm, encoding="utf-8")


if __name__ == "__main__":
    main()
