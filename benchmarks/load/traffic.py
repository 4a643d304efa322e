"""Requests as a service gets them, sent by so many clients or at a given rate, and what came back."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httpx
import numpy as np

from benchmarks.faults.clients import Speech
from benchmarks.load.wire import Answer, NoAnswerError, Wire, as_bytes
from benchmarks.performance.serving import ServiceFailedError

#: Settings of a service that takes the short recordings.
SETTINGS: dict[str, Any] = {"min_speech_enrol_s": 1, "min_speech_identify_s": 1, "min_speech_finetune_s": 1}
MIX = "80 % /identify, 10 % /embed, 5 % enrolments, 5 % erasures; recordings of 2.5 s"
_RECORDINGS = 40
_FEWEST, _MOST = 10, 30  # enrolled voices
_TIMEOUT_S = 60.0


@dataclass
class Answers:
    """What came back, and how long each took, in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)  # 0: no answer
    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)  # 429 and 503
    late_s: float = 0.0  # by how much the sender itself was late, at most: it shares the cores
    first: dict[int, str] = field(default_factory=dict)  # the first answer of each status that is a fault
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Served requests a second."""
        return len(self.served) / self.seconds

    @property
    def broken(self) -> int:
        """How many had no answer, or one of 5xx but 503."""
        return sum(
            n for status, n in self.statuses.items() if not status or (status >= 500 and status != 503)
        )

    def percentile(self, percent: float) -> float:
        """Of the seconds of served requests."""
        return float(np.percentile(self.served, percent))


class Traffic:
    """Sends requests to one service. Belongs to one event loop."""

    def __init__(self, http: httpx.AsyncClient, wire: Wire, seed: int = 0) -> None:
        self._http = http
        self._wire = wire
        self._chance = random.Random(seed)
        speech = Speech()
        self._wavs = [speech.wav(self._chance) for _ in range(_RECORDINGS)]
        self._ready = {
            path: [self._post(path, wav) for wav in self._wavs] for path in ("/identify", "/embed")
        }
        self._numbers = itertools.count()
        self._enrolled: list[str] = []

    async def enrol_first(self) -> None:
        """Enrols the fewest voices that there are at any time. Raises ServiceFailedError."""
        for _ in range(_FEWEST):
            if (answer := await self._enrol()).status >= 400:
                raise ServiceFailedError(f"The service does not enrol: {answer.body.decode()}")

    async def by_clients(self, clients: int, seconds: float) -> Answers:
        """Each client sends one request after another."""
        answers = Answers()
        start = perf_counter()

        async def keep_sending() -> None:
            while perf_counter() - start < seconds:
                await self._send(answers)

        await asyncio.gather(*(keep_sending() for _ in range(clients)))
        answers.seconds = perf_counter() - start
        return answers

    async def at_rate(self, rate: float, seconds: float, answers: Answers) -> None:
        """Sends `rate` requests a second, whatever comes back."""
        start = perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(round(rate * seconds)):
                due = start + number / rate
                await asyncio.sleep(max(0.0, due - perf_counter()))
                answers.late_s = max(answers.late_s, perf_counter() - due)
                group.create_task(self._send(answers))
        answers.seconds += perf_counter() - start

    async def _send(self, answers: Answers) -> None:
        start = perf_counter()
        try:
            answer = await self._request()
        except NoAnswerError as error:
            answers.statuses[0] += 1
            answers.first.setdefault(0, repr(error))
            return
        took_s = perf_counter() - start
        answers.statuses[answer.status] += 1
        if answer.status < 300:
            answers.served.append(took_s)
        elif answer.status in (429, 503):
            answers.refused.append(took_s)
        else:
            answers.first.setdefault(answer.status, answer.body[:300].decode())

    async def _request(self) -> Answer:
        draw = self._chance.random()
        if draw < 0.9:
            path = "/identify" if draw < 0.8 else "/embed"
            return await self._wire.send(self._chance.choice(self._ready[path]))
        if len(self._enrolled) < _FEWEST or (draw < 0.95 and len(self._enrolled) < _MOST):
            return await self._enrol()
        erasure = self._http.build_request("DELETE", f"/speakers/{self._enrolled.pop(0)}")
        return await self._wire.send(as_bytes(erasure))

    async def _enrol(self) -> Answer:
        speaker_id = f"load-{next(self._numbers)}"
        enrolment = self._http.build_request(
            "POST",
            "/speakers",
            data={"speaker_id": speaker_id},
            files={"audio": ("a.wav", self._chance.choice(self._wavs))},
        )
        answer = await self._wire.send(as_bytes(enrolment))
        if answer.status < 300:
            self._enrolled.append(speaker_id)
        return answer

    def _post(self, path: str, wav: bytes) -> bytes:
        headers = {"Content-Type": "audio/wav"}
        return as_bytes(self._http.build_request("POST", path, content=wav, headers=headers))

    async def jobs(self, done: Counter[str]) -> None:
        """Starts one fine-tuning job after another, and counts their ends by state, until it is cancelled."""
        while True:
            files = [("audio", ("a.wav", wav)) for wav in self._wavs[:6]]
            started = await self._http.post("/finetune", files=files, data={"steps": "20"})
            if started.is_success:
                done[await self._end_of(started.json()["job_id"])] += 1
            await asyncio.sleep(1.0)

    async def _end_of(self, job_id: str) -> str:
        while True:
            await asyncio.sleep(1.0)
            answer = await self._http.get(f"/finetune/{job_id}")
            if answer.is_success and answer.json()["finished_at"]:
                return str(answer.json()["state"])


@asynccontextmanager
async def traffic_to(url: str) -> AsyncIterator[Traffic]:
    """Traffic to a service that is ready, with the first voices enrolled."""
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as http:
        wire = Wire(http.base_url.host, http.base_url.port or 80, _TIMEOUT_S)
        traffic = Traffic(http, wire)
        await traffic.enrol_first()
        yield traffic
        wire.close()


def longest(seconds: Sequence[float]) -> float:
    """0 if there are none."""
    return max(seconds, default=0.0)
