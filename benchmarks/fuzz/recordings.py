"""Damaged recordings: real files of every format with bytes changed, cut, doubled or moved."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from benchmarks.fuzz.clips import clips, every_format
from benchmarks.fuzz.place import TENANTS, Place
from benchmarks.fuzz.tally import Tally

_HEAD = 200  # bytes of a file that are mostly header
_SPEAKER = "fuzz"
#: Every call that takes recordings, with the fields that it needs.
CALLS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/embed", {}),
    ("/content", {}),
    ("/identify", {}),
    ("/verify", {"speaker_id": _SPEAKER}),
    ("/diarize", {}),
    ("/speakers", {}),
    (f"/speakers/{_SPEAKER}/audio", {}),
    ("/finetune", {}),
)
Mutation = Callable[[random.Random, bytearray], None]


def _place(chance: random.Random, data: bytearray) -> int:
    """A place in the file; every second time in its head."""
    end = len(data) if chance.random() < 0.5 else min(_HEAD, len(data))
    return chance.randrange(end) if end else 0


def _flip_bits(chance: random.Random, data: bytearray) -> None:
    for _ in range(chance.randint(1, 16) if data else 0):
        data[_place(chance, data)] ^= 1 << chance.randrange(8)


def _overwrite(chance: random.Random, data: bytearray) -> None:
    start = _place(chance, data)
    length = min(chance.choice((1, 2, 4, 8, 64, 1024)), len(data) - start)
    data[start : start + length] = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))


def _set_number(chance: random.Random, data: bytearray) -> None:
    """Writes a number where lengths, rates and counts stand."""
    size = chance.choice((1, 2, 4, 8))
    bits = 8 * size
    number = chance.choice(
        (0, 1, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1, chance.randrange(2**bits))
    )
    start = _place(chance, data)
    data[start : start + size] = number.to_bytes(size, chance.choice(("little", "big")))


def _cut(chance: random.Random, data: bytearray) -> None:
    del data[_place(chance, data) :]


def _remove(chance: random.Random, data: bytearray) -> None:
    start = _place(chance, data)
    del data[start : start + chance.choice((1, 2, 16, 256, 4096))]


def _repeat(chance: random.Random, data: bytearray) -> None:
    start = _place(chance, data)
    part = data[start : start + chance.choice((1, 4, 64, 1024, 16_384))]
    data[start:start] = part * chance.choice((1, 2, 50))


def _move(chance: random.Random, data: bytearray) -> None:
    start = _place(chance, data)
    part = data[start : start + chance.choice((4, 64, 1024))]
    del data[start : start + len(part)]
    to = _place(chance, data)
    data[to:to] = part


_MUTATIONS: tuple[Mutation, ...] = (_flip_bits, _overwrite, _set_number, _cut, _remove, _repeat, _move)


def damaged(seeds: dict[str, bytes], seed: int) -> Iterator[tuple[str, bytes]]:
    """Files without end: the name of the format, and the bytes. The same seed gives the same files."""
    chance, names = random.Random(seed), sorted(seeds)
    while True:
        name = chance.choice(names)
        data = bytearray(seeds[name])
        if chance.random() < 0.1:  # the head of one format before the rest of another
            start = chance.randrange(_HEAD)
            data[start:] = seeds[chance.choice(names)][start:]
        for _ in range(chance.choice((1, 1, 2, 4))):
            chance.choice(_MUTATIONS)(chance, data)
        yield name, bytes(data)


def send_recordings(place: Place, examples: Path, cases: int, seed: int, tally: Tally) -> None:
    """Sends `cases` damaged files to all audio calls in turn, raw and in forms.

    A fault is a 5xx, a problem without its code, no answer, and a service that is not ready afterwards.
    """
    chance = random.Random(seed)
    with httpx.Client(base_url=place.url, timeout=120, trust_env=False) as http:
        for key in place.keys.values():
            (clip,) = clips(examples, 1)
            fields = {"speaker_id": _SPEAKER}
            http.post("/speakers", headers=_bearer(key), data=fields, files={"audio": ("a", clip)})
        for number, (name, data) in zip(range(cases), damaged(every_format(examples), seed), strict=False):
            path, fields = CALLS[number % len(CALLS)]
            headers = _bearer(place.keys[chance.choice(TENANTS)])
            started = time.perf_counter()
            try:
                if chance.random() < 0.5:
                    answer = http.post(path, data=fields, files={"audio": (name, data)}, headers=headers)
                else:
                    raw = {"Content-Type": "application/octet-stream"}
                    answer = http.post(path, params=fields, content=data, headers=headers | raw)
            except httpx.HTTPError as error:
                tally.fault("no answer", f"{path}, {name} number {number} of seed {seed}: {error!r}")
                continue
            tally.answered(f"POST {path}", answer.status_code, time.perf_counter() - started)
            where = f"{path}, {name} number {number} of seed {seed}: {answer.text[:200]}"
            if answer.status_code >= 500:
                tally.fault(str(answer.status_code), where)
            elif answer.status_code >= 400 and "code" not in answer.json():
                tally.fault("no code", where)
            _tidy(http, answer, headers)
        if http.get("/readyz").status_code != 200:
            tally.fault("not ready", "after the last file")


def _tidy(http: httpx.Client, answer: httpx.Response, headers: dict[str, str]) -> None:
    """Erases and cancels what a file that was still good enough has made."""
    if answer.status_code == 201:
        http.delete(f"/speakers/{answer.json()['speaker_id']}", headers=headers)
    elif answer.status_code == 202:
        http.delete(f"/finetune/{answer.json()['job_id']}", headers=headers)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
