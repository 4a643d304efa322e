"""One run: kills at random moments of the load, and what is there afterwards."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.clients import Client, working
from benchmarks.faults.oracle import Oracle, Verdict
from benchmarks.faults.processes import Site
from service.errors import NotFound, StoreUnavailable
from service.replicas import RedisActiveModel
from service.speakers import RedisGallery

_WRITERS = 2
_LIMIT_S = 300.0
_POLL_S = 0.02
_MOST_WRITES = 5  # acknowledged before a kill: the load does not depend on the speed of the machine
_WITHIN_S = 0.1  # after the last of them


@dataclass
class Outcome:
    """A row of the table."""

    kills: Counter[str] = field(default_factory=Counter)  # by process
    acknowledged: int = 0  # writes
    refused: int = 0  # or cut off by a kill
    jobs: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0

    def add(self, other: Outcome) -> None:
        """Counts another run in."""
        self.kills += other.kills
        self.acknowledged += other.acknowledged
        self.refused += other.refused
        self.jobs += other.jobs
        self.verdict.add(other.verdict)
        self.seconds += other.seconds

    def __str__(self) -> str:
        faults = ", ".join(f"{len(sentences)} {name}" for name, sentences in vars(self.verdict).items())
        return f"{self.kills.total()} kills, {self.acknowledged} acknowledged, {faults}"


def kill_under_load(
    folder: Path, models_dir: Path, *, servers: int, enough: Callable[[int], bool], jobs: int, seed: int = 0
) -> Outcome:
    """Kills until it is `enough` (asked with the number of kills), then looks whether all is as it must be.

    A server that never becomes ready, or what is never worked off, is a defect in the outcome.

    Args:
        folder: an empty one.
        servers: 1: embedded. More: replicas that share a Redis.
        jobs: most fine-tuning jobs.
    """
    started = time.monotonic()
    site = Site(folder, models_dir, servers=servers)
    oracle = Oracle(most_jobs=jobs)
    kills: Counter[str] = Counter()
    try:
        _kill(site, oracle, kills, enough, seed)
        _work_off(site, oracle)
    except TimeoutError as error:
        oracle.verdict.defects.append(str(error))
    finally:
        site.stop()
    oracle.verdict.left += left_on_disk(site, oracle)
    seconds = time.monotonic() - started
    return Outcome(kills, oracle.acknowledged, oracle.refused, len(oracle.jobs), oracle.verdict, seconds)


def _kill(site: Site, oracle: Oracle, kills: Counter[str], enough: Callable[[int], bool], seed: int) -> None:
    chance = random.Random(seed)
    traces_of = partial(_traces_of, site)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                closing(Client(site.urls, oracle, traces_of, operator=i == _WRITERS, seed=f"{seed} {i}"))
            )
            for i in range(_WRITERS + 1)
        ]
        site.start()
        site.wait_ready()
        while not enough(kills.total()):
            with working(clients):
                _write(oracle, chance.randrange(_MOST_WRITES + 1))
                time.sleep(chance.uniform(0, _WITHIN_S))
                victim = chance.choice(site.victims)
                site.kill(victim)
                kills[victim.partition(" ")[0]] += 1
                if chance.random() < 0.5:  # the load goes on while it starts
                    site.start()
                    site.wait_ready()
            site.start()
            site.wait_ready()
            _judge(site, oracle)


def _write(oracle: Oracle, writes: int) -> None:
    """Waits for that many acknowledged ones. Raises TimeoutError."""
    then = oracle.acknowledged + writes
    _wait("writes", lambda: oracle.acknowledged >= then)


def _traces_of(site: Site, speaker_id: str) -> list[bytes]:
    """Voiceprints and parts of the recordings, as they are stored; nothing while Redis is dead."""
    means, audio = (_of_redis if site.redis else _of_sqlite)(site, speaker_id)
    return [*means, *(data[at : at + 64] for data in audio for at in (len(data) // 3, len(data) - 64))]


def _of_sqlite(site: Site, speaker_id: str) -> tuple[list[bytes], list[bytes]]:
    # Only reading: another connection would tidy up after a killed server.
    with closing(sqlite3.connect(f"{(site.state / 'speakers.sqlite').as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT mean, audio FROM utterances JOIN embeddings USING (utterance_id) WHERE speaker_id = ?",
            (speaker_id,),
        ).fetchall()
    return [mean for mean, _ in rows], [audio for _, audio in rows]


def _of_redis(site: Site, speaker_id: str) -> tuple[list[bytes], list[bytes]]:
    assert site.redis is not None
    try:
        with closing(RedisGallery(site.redis.url)) as gallery:
            utterances = gallery.get(speaker_id).utterances
            audio = [gallery.audio(utterance.utterance_id) for utterance in utterances]
    except (NotFound, StoreUnavailable):
        return [], []
    means = [e.mean.astype("<f4").tobytes() for u in utterances for e in u.embeddings.values()]
    return means, [data for data in audio if data]


def _judge(site: Site, oracle: Oracle) -> None:
    """What the service shows, while nobody writes."""
    oracle.judge_model(_model(site))
    page = _get(site, "/speakers?limit=1000")
    oracle.judge_voices({speaker["speaker_id"]: speaker for speaker in page["speakers"]})
    for job_id in oracle.jobs:
        if site.http.get(f"{site.urls[0]}/finetune/{job_id}").status_code == 404:
            oracle.verdict.lost.append(f"job {job_id}")


def _model(site: Site) -> str:
    """The one that serves, as soon as all servers agree with the store. Raises TimeoutError.

    A switch reaches the other replicas a moment after its answer.
    """
    serving: set[str] = set()

    def agree() -> bool:
        serving.clear()
        serving.update(_get(site, "/models", url)["model"] for url in site.urls)
        if site.redis:
            with closing(RedisActiveModel(site.redis.url)) as chosen:
                serving.add(chosen.read() or "none")
        return len(serving) == 1

    _wait("a switch of the model", agree)
    return serving.pop()


def _work_off(site: Site, oracle: Oracle) -> None:
    """Waits until jobs are over and erasures are finished. Raises TimeoutError."""

    def are_over() -> bool:
        return all(_get(site, f"/finetune/{job_id}")["finished_at"] for job_id in oracle.jobs)

    _wait("jobs", are_over)
    _wait("folders of jobs", lambda: not any(site.state.glob("jobs/*")))
    _wait("erasures", lambda: not _get(site, "/erasures")["erasures"])
    made = {model["version"] for model in _get(site, "/models")["models"]}
    for job_id in oracle.jobs:
        job = _get(site, f"/finetune/{job_id}")
        if job["state"] == "succeeded" and job["version"] not in made:
            oracle.verdict.half.append(f"job {job_id}: no version {job['version']}")


def left_on_disk(site: Site, oracle: Oracle) -> list[str]:
    """Traces of erased voices in any file, and what jobs must not leave."""
    left = []
    erased = [voice for voice in oracle.voices.values() if voice.erased]
    for file in [path for path in site.folder.rglob("*") if path.is_file() and path.suffix != ".log"]:
        content = file.read_bytes()
        name = file.relative_to(site.folder)
        left += [
            f"{v.speaker_id} in {name}: {trace[:40]!r}"
            for v in erased
            for trace in v.traces
            if trace in content
        ]
    for pattern in ("jobs/*", "broker/*", "models/*/.*"):
        left += [str(path.relative_to(site.state)) for path in site.state.glob(pattern)]
    return left


def _wait(what: str, worked_off: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not worked_off():
        if time.monotonic() > deadline:
            raise TimeoutError(f"never worked off: {what}")
        time.sleep(_POLL_S)


def _get(site: Site, path: str, url: str = "") -> Any:
    """The JSON answer, as soon as it is 200. Raises TimeoutError."""
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            answer = site.http.get(f"{url or site.urls[0]}{path}")
            if answer.status_code == 200:
                return answer.json()
        time.sleep(_POLL_S)
    raise TimeoutError(f"{path} is not answered")
