"""Micro-batching: requests that arrive together share one ONNX call.

There is no waiting window. While one batch runs, the next requests gather; an idle batcher starts at once.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bundle.arrays import Float32
from service.errors import NotReady, Overloaded

_LONGEST_RETRY_S = 60


class BatchObserver(Protocol):
    """Who is told of the batcher's work; called from its thread."""

    def queued(self, crops: int) -> None:
        """How many crops wait now."""

    def ran(self, encoder: str, crops: int, seconds: float) -> None:
        """One call of `encoder` on `crops` crops took `seconds`."""


@dataclass(eq=False)
class _Request:
    encoder: str
    waveforms: Float32  # (crops, samples)
    future: Future[Float32]
    started: int = 0  # crops already taken into a batch
    outputs: list[Float32] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return len(self.waveforms) - self.started


class MicroBatcher:
    """One worker thread that runs `encode(encoder, waveforms (batch, samples)) -> (batch, ...)`."""

    def __init__(
        self,
        encode: Callable[[str, Float32], Float32],
        *,
        max_batch: int,
        max_queue: int,
        observer: BatchObserver,
    ) -> None:
        self._encode = encode
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._observer = observer
        self._requests: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._seconds_per_crop = 0.0
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    async def submit(self, encoder: str, waveforms: Float32) -> Float32:
        """The encoder's output for every crop: (crops, samples) → (crops, ...).

        Cancelling the call takes it out of the queue. Raises Overloaded when the queue is full, NotReady when
        closing, ValueError for no crops at all.
        """
        if not len(waveforms):
            raise ValueError("there has to be at least one crop")
        return await asyncio.wrap_future(self._enqueue(encoder, waveforms))

    def close(self) -> None:
        """Finishes what is queued, then ends the thread. Blocks."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _enqueue(self, encoder: str, waveforms: Float32) -> Future[Float32]:
        request = _Request(encoder, waveforms, Future())
        with self._changed:
            if self._closing:
                raise NotReady("The service is shutting down. Try again shortly.", retry_after_s=1)
            self._drop_cancelled()
            queued = self._queued()
            # Alone in the queue, even the largest request is taken: otherwise it never could be.
            if queued and queued + request.waiting > self._max_queue:
                raise Overloaded(
                    f"{queued} crops wait for inference already. Try again shortly.",
                    retry_after_s=self._retry_after_s(queued),
                )
            self._requests.append(request)
            self._observer.queued(self._queued())
            self._changed.notify()
        return request.future

    def _work(self) -> None:
        while batch := self._next_batch():
            encoder = batch[0][0].encoder
            rows = np.concatenate([r.waveforms[start:stop] for r, start, stop in batch])  # (batch, samples)
            started = time.perf_counter()
            try:
                outputs = self._encode(encoder, rows)
            except Exception as error:  # noqa: BLE001  the thread has to live; each caller gets the error
                self._fail(batch, error)
                continue
            seconds = time.perf_counter() - started
            self._seconds_per_crop = seconds / len(rows)
            self._observer.ran(encoder, len(rows), seconds)
            self._deliver(batch, outputs)

    def _next_batch(self) -> list[tuple[_Request, int, int]]:
        """Blocks for work; parts of requests (request, start, stop), or nothing when closed and done."""
        with self._changed:
            self._drop_cancelled()
            while not self._requests and not self._closing:
                self._changed.wait()
                self._drop_cancelled()
            batch: list[tuple[_Request, int, int]] = []
            room = self._max_batch
            unfinished: list[_Request] = []
            others: list[_Request] = []
            while self._requests and room:
                request = self._requests.popleft()
                if batch and request.encoder != batch[0][0].encoder:
                    others.append(request)
                    continue
                take = min(room, request.waiting)
                batch.append((request, request.started, request.started + take))
                request.started += take
                room -= take
                if request.waiting:
                    unfinished.append(request)
            # A request that is larger than a batch goes to the back: short ones do not wait for all of it.
            self._requests.extendleft(reversed(others))
            self._requests.extend(unfinished)
            self._observer.queued(self._queued())
            return batch

    def _deliver(self, batch: list[tuple[_Request, int, int]], outputs: Float32) -> None:
        offset = 0
        for request, start, stop in batch:
            request.outputs.append(outputs[offset : offset + stop - start])
            offset += stop - start
            if stop == len(request.waveforms) and request.future.set_running_or_notify_cancel():
                request.future.set_result(np.concatenate(request.outputs))

    def _fail(self, batch: list[tuple[_Request, int, int]], error: Exception) -> None:
        failed = {id(request) for request, _, _ in batch}
        with self._changed:
            self._requests = deque(r for r in self._requests if id(r) not in failed)
        for request, _, _ in batch:
            if request.future.set_running_or_notify_cancel():
                request.future.set_exception(error)

    def _drop_cancelled(self) -> None:
        self._requests = deque(r for r in self._requests if not r.future.cancelled())

    def _queued(self) -> int:
        return sum(request.waiting for request in self._requests)

    def _retry_after_s(self, queued: int) -> int:
        return min(_LONGEST_RETRY_S, max(1, math.ceil(queued * self._seconds_per_crop)))
