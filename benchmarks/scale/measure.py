"""One process on one filled store: what a start, a search and a write cost there. Prints JSON.

`page` runs it as a process of its own, so that its memory is that of one store.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.scale.questions import TOP_K, Answers, Questions
from benchmarks.scale.voices import TENANT, recording
from bundle.arrays import Float32
from bundle.voice import VoiceBundle
from service.speakers import SpeakerDirectory, SqliteGallery, VoiceIndex
from service.stores.threads import StoreThreads
from service.tenants import OPERATOR, Tenant

TARGET_FPR = 0.01
_SPEECH_S = 8.0  # of each probe
_SEARCHES = 100
_SIDE_BY_SIDE_S = 3.0


@dataclass(frozen=True)
class Figures:
    """What was measured on one store. Milliseconds are p50 and p99; memory is in MiB."""

    voices: int
    ready_s: float  # from opening the store to the first answer
    ready_cpu_s: float  # of processor time in it: what a machine that does nothing else needs
    resident_mib: float
    peak_mib: float
    search_ms: tuple[float, float]
    search_cpu_ms: float  # processor time of a search, of all its threads
    tenant_search_ms: tuple[float, float]  # among the tenant's tenth of the voices
    searches_per_s: float  # one after the other
    pairs_per_s: float  # searches a second by two callers
    pair_search_ms: tuple[float, float]
    recall: float  # of the top 5 above the threshold
    tenant_recall: float
    enrol_ms: tuple[float, float]  # durable and searchable
    erase_ms: tuple[float, float]  # not searchable, and gone from every file
    traces: int  # files that hold bytes of an erased voice
    reading_search_ms: tuple[float, float]  # while all voices are read anew, as for another model
    reading_s: float

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Figures:
        """From an object of JSON, where pairs are lists."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
        return cls(**values)


def measured(folder: Path, bundle: VoiceBundle) -> Figures:
    """All figures of a filled store with its questions. Enrols voices and erases them again."""
    questions = Questions.load(folder)
    with closing(SqliteGallery(folder / "speakers.sqlite")) as gallery, closing(StoreThreads()) as threads:
        return asyncio.run(_measured(gallery, threads, folder, bundle, questions))


async def _measured(
    gallery: SqliteGallery, threads: StoreThreads, folder: Path, bundle: VoiceBundle, questions: Questions
) -> Figures:
    probes = questions.probes
    begin, cpu = perf_counter(), process_time()
    directory = SpeakerDirectory(gallery, threads)
    index = await directory.index(bundle)
    index.search(probes[0], TOP_K)
    ready_s, ready_cpu_s = perf_counter() - begin, process_time() - cpu
    resident_mib = _memory_mib("VmRSS")
    peak_mib = _memory_mib("VmHWM")
    searched = sum(index.counts(tenant.name)[0] for tenant in (OPERATOR, TENANT))

    cpu = process_time()
    search = _timed(probes, lambda probe: index.search(probe, TOP_K))
    search_cpu_ms = 1000 * (process_time() - cpu) / len(search)
    tenant = _timed(probes, lambda probe: index.search(probe, TOP_K, TENANT.name))
    alone_per_s, _ = _side_by_side(index, probes, 1)
    pairs_per_s, pair_times = _side_by_side(index, probes, 2)
    enrol, erase, traces = await _writes(gallery, directory, index, folder, questions.strangers, bundle.id)
    reading_s, reading = await _while_reading(directory, index, probes)
    return Figures(
        voices=searched,
        ready_s=ready_s,
        ready_cpu_s=ready_cpu_s,
        resident_mib=resident_mib,
        peak_mib=peak_mib,
        search_ms=_percentiles(search),
        search_cpu_ms=search_cpu_ms,
        tenant_search_ms=_percentiles(tenant),
        searches_per_s=alone_per_s,
        pairs_per_s=pairs_per_s,
        pair_search_ms=_percentiles(pair_times),
        recall=_recall(index, probes, questions.answers, OPERATOR),
        tenant_recall=_recall(index, probes, questions.tenant_answers, TENANT),
        enrol_ms=_percentiles(enrol),
        erase_ms=_percentiles(erase),
        traces=traces,
        reading_search_ms=_percentiles(reading),
        reading_s=reading_s,
    )


def _timed(probes: Float32, search: Callable[[Float32], object]) -> list[float]:
    """Seconds of each search, one after the other."""
    times = []
    for turn in range(_SEARCHES):
        begin = perf_counter()
        search(probes[turn % len(probes)])
        times.append(perf_counter() - begin)
    return times


def _side_by_side(index: VoiceIndex, probes: Float32, callers: int) -> tuple[float, list[float]]:
    """Searches a second by several threads at once, and the seconds of each."""
    end = perf_counter() + _SIDE_BY_SIDE_S

    def keep_searching(first: int) -> list[float]:
        times: list[float] = []
        while (begin := perf_counter()) < end:
            index.search(probes[(first + len(times)) % len(probes)], TOP_K)
            times.append(perf_counter() - begin)
        return times

    with ThreadPoolExecutor(callers) as pool:
        times = [second for part in pool.map(keep_searching, range(callers)) for second in part]
    return len(times) / _SIDE_BY_SIDE_S, times


def _recall(index: VoiceIndex, probes: Float32, answers: Answers, tenant: Tenant) -> float:
    """The share of the exact top 5 above the threshold that a search finds."""
    searched, _ = index.counts(tenant.name)
    threshold = index.scorer.threshold(TARGET_FPR, seconds=_SPEECH_S, voices=searched)
    wanted = hits = 0
    for probe, best in zip(probes, answers, strict=True):
        expected = {speaker_id for speaker_id, score in best if score >= threshold}
        wanted += len(expected)
        hits += len(expected & {hit.speaker_id for hit in index.search(probe, TOP_K, tenant.name)})
    return hits / wanted if wanted else 1.0


async def _writes(
    gallery: SqliteGallery,
    directory: SpeakerDirectory,
    index: VoiceIndex,
    folder: Path,
    voices: Float32,
    model: str,
) -> tuple[list[float], list[float], int]:
    """Seconds of each enrolment and erasure of `voices`; how many files hold bytes of one afterwards."""
    enrol, erase, traces = [], [], 0
    utterances = [recording(voice, model) for voice in voices]
    for number, utterance in enumerate(utterances):
        begin = perf_counter()
        await directory.enrol(index, f"new-{number}", name=None, metadata={}, utterances=[utterance])
        enrol.append(perf_counter() - begin)
    for number in range(len(utterances)):
        begin = perf_counter()
        await directory.delete(f"new-{number}")
        for erasure in gallery.erasures():
            gallery.jobs_are_clean(erasure.erasure_id)
        gallery.clean()
        erase.append(perf_counter() - begin)
    needles = [utterance.embedding.mean.astype("<f4").tobytes()[:64] for utterance in utterances]
    traces = sum(_holds_any(path, needles) for path in folder.iterdir() if path.is_file())
    return enrol, erase, traces


def _holds_any(path: Path, needles: Sequence[bytes]) -> bool:
    overlap = len(needles[0])
    tail = b""
    with path.open("rb") as file:
        while block := file.read(1 << 26):
            if any(needle in tail + block for needle in needles):
                return True
            tail = block[-overlap:]
    return False


async def _while_reading(
    directory: SpeakerDirectory, index: VoiceIndex, probes: Float32
) -> tuple[float, list[float]]:
    """How long it takes to read every voice anew, and the seconds of searches meanwhile."""
    over = Event()
    with _searching(index, probes, over) as times:
        begin = perf_counter()
        await directory.reload()
        took = perf_counter() - begin
    return took, times


@contextmanager
def _searching(index: VoiceIndex, probes: Float32, over: Event) -> Iterator[list[float]]:
    """Searches one after the other in a thread until the block ends; their seconds."""
    times: list[float] = []

    def keep_searching() -> None:
        while not over.is_set():
            begin = perf_counter()
            index.search(probes[len(times) % len(probes)], TOP_K)
            times.append(perf_counter() - begin)

    with ThreadPoolExecutor(1) as pool:
        searching = pool.submit(keep_searching)
        try:
            yield times
        finally:
            over.set()
            searching.result()


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(1000 * np.asarray(seconds), [50, 99])
    return float(p50), float(p99)


def _memory_mib(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {field}.")


if __name__ == "__main__":
    store, bundle_folder = map(Path, sys.argv[1:])
    print(json.dumps(asdict(measured(store, VoiceBundle.load(bundle_folder)))))
