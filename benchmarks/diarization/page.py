"""docs/diarization.md: error rates on made conversations, beside two floors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.diarization.conversations import make_conversations, read_people
from benchmarks.diarization.errors import METHODS, Said, error_rates, overlap_rates, said_of
from benchmarks.recordings.conditions import in_noise, read_noises
from service.audio import SpeechDetector
from trainer.bundles.runner import BundleRunner
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.scoring.embedding import Condition
from trainer.scoring.narrow import at_8_khz
from trainer.terminal import Say

CORPORA = ("librispeech", "speechocean762")
CONVERSATIONS = 5  # of each corpus, with 2, 3, 4, 5 and 6 people
SEED = 1
SNR_DB = 10
HEADER = (
    *("conversations", "method", "DER", "DER, collar 0.25 s", "JER", "JER, collar 0.25 s"),
    *("right name, % of time", "voices too many"),
)
OVERLAP_HEADER = (
    "conversations",
    "overlapped, % of speech",
    "marked",
    "precision",
    "recall",
    "F1",
    "F1, always",
)
COLUMNS = ("DER 0", "DER 0.25", "JER 0", "JER 0.25", "named")


def diarization_page(bundle: Path, data: Path, page: Path, split: str, say: Say) -> None:
    """Measures the pipeline of POST /diarize and writes the page's block.

    Raises:
        BundleError, DataError: the bundle or a corpus cannot be used.
    """
    model, detector = BundleRunner.load(bundle), SpeechDetector()
    noises = read_noises(data / "ambience", split)
    conditions: dict[str, Condition] = {
        "clean": lambda samples, _: samples,
        f"ambience at {SNR_DB} dB": in_noise(noises, SNR_DB),
        "8 kHz": at_8_khz,
    }
    rows, overlap_rows, seconds, spent = [], [], 0.0, 0.0
    for corpus in CORPORA:
        people = read_people(data / corpus, split, detector)
        if not people:
            say(f"{corpus}: nobody of {split} speaks for long enough")
            continue
        conversations = make_conversations(people, CONVERSATIONS, seed=SEED)
        for condition, change in conditions.items():
            by_method: dict[str, list[Said]] = {method: [] for method in METHODS}
            started = time.monotonic()
            for number, conversation in enumerate(conversations):
                arrived = conversation.under(change(conversation.samples, number))
                for method, said in said_of(arrived, people, model, detector).items():
                    by_method[method].append(said)
            spent += time.monotonic() - started
            seconds += sum(len(c.samples) for c in conversations) / 16_000
            say(f"{corpus}, {condition}: done")
            for method, results in by_method.items():
                rates = error_rates(results)
                cells = [f"{rates[column]:.1f}" for column in COLUMNS]
                rows.append([f"{corpus}, {condition}", method, *cells, f"{rates['count']:+.1f}"])
            overlap_rows.append(_overlap_row(f"{corpus}, {condition}", by_method[METHODS[0]]))
        latched = make_conversations(people, CONVERSATIONS, seed=SEED, latched=True)
        results = [said_of(conversation, people, model, detector)[METHODS[0]] for conversation in latched]
        overlap_rows.append(_overlap_row(f"{corpus}, clean, nobody pauses or interrupts", results))
    measured = (
        f"Measured on {datetime.now(UTC).date()} with `python -m benchmarks diarization`, with {model.id}"
    )
    head = (
        f"{measured}, on {machine()}. "
        f"{seconds / 60:.0f} minutes of conversation by {split} speakers took {spent:.0f} s."
    )
    write_block(page, "benchmarks diarization", f"{head}\n\n{table(HEADER, rows)}")
    overlaps = f"{measured}, on {split} speakers.\n\n{table(OVERLAP_HEADER, overlap_rows)}"
    write_block(page, "benchmarks diarization, overlap", overlaps)


def _overlap_row(conversations: str, said: Sequence[Said]) -> list[str]:
    share, marked, *quality = overlap_rates(said).values()
    return [
        conversations,
        *(f"{rate:.1f}" for rate in (share, marked)),
        *(f"{rate:.1f}" if share else "–" for rate in quality),
    ]
