"""Clients that enrol, add, erase, switch the model and start jobs, and tell the oracle what was said."""

from __future__ import annotations

import io
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile

from benchmarks.faults.oracle import Oracle, Voice
from bundle.arrays import Float32

EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"
_RATE = 16_000
_PIECE_S = 2.5
_VOICES = 3  # of each client at once
_TIMEOUT_S = 300.0
_PAUSE_S = 0.05  # after a refusal
_PAUSES = 4  # after a switch of the model, times as long as it took: it embeds every voice again
_JOBS = 0.2  # share of the operator's calls
#: 503: a store or a model is not there yet. 404: judged by the caller. 409: not possible here, so a defect.
_EXPECTED = (200, 201, 202, 204, 404, 503)

#: Bytes that a store holds of a speaker, and of nobody else.
TracesOf = Callable[[str], list[bytes]]


class Speech:
    """Short pieces of examples/, at random."""

    def __init__(self) -> None:
        files = sorted(EXAMPLES.glob("*/*.opus"))[::3]
        self._readings: list[Float32] = [soundfile.read(file, dtype="float32")[0] for file in files]

    def wav(self, chance: random.Random) -> bytes:
        """A WAV file of 2.5 s."""
        reading = chance.choice(self._readings)
        start = chance.randrange(len(reading) - int(_PIECE_S * _RATE))
        piece = reading[start : start + int(_PIECE_S * _RATE)] * np.float32(chance.uniform(0.5, 1.0))
        out = io.BytesIO()
        soundfile.write(out, piece, _RATE, format="WAV", subtype="PCM_16")
        return out.getvalue()


class Client:
    """Sends one request after another, about voices of its own or, as operator, about models and jobs."""

    def __init__(
        self, urls: list[str], oracle: Oracle, traces_of: TracesOf, *, operator: bool, seed: str
    ) -> None:
        self._services = [httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False) for url in urls]
        self._oracle = oracle
        self._traces_of = traces_of
        self._operator = operator
        self._chance = random.Random(seed)
        self._speech = Speech()
        self._voices: list[Voice] = []
        self._next_switch = 0.0

    def work(self, enough: threading.Event) -> None:
        """Sends until it is `enough`."""
        while not enough.is_set():
            if self._operator:
                self._operate()
            else:
                self._write()

    def close(self) -> None:
        """Ends the connections."""
        for service in self._services:
            service.close()

    def _write(self) -> None:
        self._voices = [voice for voice in self._voices if not voice.erased]
        if len(self._voices) < _VOICES:
            self._enrol()
            return
        voice = self._chance.choice(self._voices)
        if self._chance.random() < 0.5:
            self._add(voice)
        else:
            self._erase(voice)

    def _enrol(self) -> None:
        voice = Voice(f"v{secrets.token_hex(8)}", secrets.token_hex(16))
        self._oracle.voices[voice.speaker_id] = voice
        self._voices.append(voice)
        voice.recordings = {0, 1}
        form = {
            "speaker_id": voice.speaker_id,
            "name": voice.token,
            "metadata": f'{{"token": "{voice.token}"}}',
            "retain_audio": "true",
        }
        if self._send("POST", "/speakers", data=form, files=self._audio()) == 201:
            voice.recordings = {1}

    def _add(self, voice: Voice) -> None:
        before = set(voice.recordings)
        after = {number + 1 for number in before if number}
        voice.recordings = before | after
        path = f"/speakers/{voice.speaker_id}/audio"
        answer = self._call("POST", path, data={"retain_audio": "true"}, files=self._audio())
        status = 0 if answer is None else answer.status_code
        if answer is not None and status == 200:
            # A piece that overlaps one that is there is not added, and the answer says so.
            voice.recordings = before - {0} if "same_recording" in answer.text else after
        elif status == 404:
            self._not_there(voice, before)

    def _erase(self, voice: Voice) -> None:
        before = set(voice.recordings)
        voice.traces = [voice.speaker_id.encode(), voice.token.encode(), *self._traces_of(voice.speaker_id)]
        voice.recordings = before | {0}
        status = self._send("DELETE", f"/speakers/{voice.speaker_id}")
        if status == 204:
            voice.recordings = {0}
        elif status == 404:
            self._not_there(voice, before)

    def _not_there(self, voice: Voice, before: set[int]) -> None:
        if 0 not in before:
            self._oracle.verdict.lost.append(f"{voice.speaker_id}: 404")
        voice.recordings = {0}

    def _operate(self) -> None:
        if self._chance.random() < _JOBS and len(self._oracle.jobs) < self._oracle.most_jobs:
            answer = self._call("POST", "/finetune", files=self._audio())
            if answer is not None and answer.status_code == 202:
                self._oracle.jobs.append(answer.json()["job_id"])
            return
        started = time.monotonic()
        if started < self._next_switch:
            time.sleep(_PAUSE_S)
            return
        listed = self._call("GET", "/models")
        if listed is None or listed.status_code != 200:
            return
        versions = [f"{m['name']}/{m['version']}" for m in listed.json()["models"] if m["parent"] is None]
        model = self._chance.choice([v for v in versions if not v.startswith("gaae")])
        self._oracle.models = (self._oracle.models or {listed.json()["model"]}) | {model}
        if self._send("POST", f"/models/{model}/activate") == 200:
            self._oracle.models = {model}
        self._next_switch = time.monotonic() + _PAUSES * (time.monotonic() - started)

    def _audio(self) -> dict[str, tuple[str, bytes]]:
        return {"audio": ("a.wav", self._speech.wav(self._chance))}

    def _send(self, method: str, path: str, **content: Any) -> int:
        answer = self._call(method, path, **content)
        return 0 if answer is None else answer.status_code

    def _call(self, method: str, path: str, **content: Any) -> httpx.Response | None:
        """The answer; None where the service died over it."""
        try:
            answer = self._chance.choice(self._services).request(method, path, **content)
        except httpx.ConnectError:  # nothing was sent
            time.sleep(_PAUSE_S)
            return None
        except httpx.TransportError:
            answer = None
        if method != "GET":
            self._oracle.answered(acknowledged=answer is not None and answer.is_success)
        if answer is not None and answer.status_code not in _EXPECTED:
            self._oracle.verdict.defects.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        if answer is None or not answer.is_success:
            time.sleep(_PAUSE_S)
        return answer


@contextmanager
def working(clients: Sequence[Client]) -> Iterator[None]:
    """All clients work until the block ends; then no answer is open."""
    enough = threading.Event()
    threads = [threading.Thread(target=client.work, args=(enough,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        for thread in threads:
            thread.join()
