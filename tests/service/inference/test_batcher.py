"""The micro-batcher, with an encoder that waits until the test lets it go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bundle.arrays import Float32
from service.errors import NotReady, Overloaded
from service.inference import MicroBatcher

LIMIT_S = 20.0


class Encoder:
    """Doubles its input; records every call; each call waits for the gate."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[float]]] = []
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.queued_crops = 0

    def __call__(self, encoder: str, waveforms: Float32) -> Float32:
        self.calls.append((encoder, waveforms[:, 0].tolist()))
        self.entered.release()
        assert self.gate.wait(LIMIT_S)
        if np.isnan(waveforms).any():
            raise FloatingPointError("not a number")
        return waveforms * 2

    def queued(self, crops: int) -> None:
        self.queued_crops = crops

    def ran(self, encoder: str, crops: int, seconds: float) -> None:
        assert encoder == self.calls[-1][0]
        assert crops == len(self.calls[-1][1])
        assert seconds >= 0


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def make(encoder: Encoder) -> Iterator[Callable[..., MicroBatcher]]:
    made: list[MicroBatcher] = []

    def build(max_batch: int = 4, max_queue: int = 100) -> MicroBatcher:
        made.append(MicroBatcher(encoder, max_batch=max_batch, max_queue=max_queue, observer=encoder))
        return made[-1]

    yield build
    encoder.gate.set()
    for batcher in made:
        batcher.close()


def crops(*values: float) -> Float32:
    return np.array(values, np.float32)[:, None]


async def occupied(batcher: MicroBatcher, encoder: Encoder) -> asyncio.Task[Float32]:
    """A first request, which the worker has in hand: whatever comes now has to queue."""
    first = asyncio.create_task(batcher.submit("voice", crops(0)))
    assert await asyncio.to_thread(encoder.entered.acquire, timeout=LIMIT_S)
    return first


async def queue(batcher: MicroBatcher, *requests: tuple[str, Float32]) -> list[asyncio.Task[Float32]]:
    tasks = [asyncio.create_task(batcher.submit(name, waveforms)) for name, waveforms in requests]
    await asyncio.sleep(0)  # each task runs up to its place in the queue
    return tasks


def test_requests_that_arrive_together_share_a_call(
    encoder: Encoder, make: Callable[..., MicroBatcher]
) -> None:
    async def scenario() -> None:
        batcher = make()
        first = await occupied(batcher, encoder)
        others = await queue(batcher, ("voice", crops(1)), ("voice", crops(2, 3)), ("voice", crops(4)))
        assert encoder.queued_crops == 4
        encoder.gate.set()
        assert [r[:, 0].tolist() for r in await asyncio.gather(first, *others)] == [[0], [2], [4, 6], [8]]

    asyncio.run(scenario())
    assert encoder.calls == [("voice", [0]), ("voice", [1, 2, 3, 4])]
    assert encoder.queued_crops == 0


def test_a_request_larger_than_a_batch_is_split_and_lets_others_pass(
    encoder: Encoder, make: Callable[..., MicroBatcher]
) -> None:
    async def scenario() -> None:
        batcher = make()
        first = await occupied(batcher, encoder)
        large, small = await queue(batcher, ("voice", crops(*range(1, 11))), ("voice", crops(99)))
        encoder.gate.set()
        await first
        assert (await large)[:, 0].tolist() == [2 * i for i in range(1, 11)]
        assert (await small)[:, 0].tolist() == [198]

    asyncio.run(scenario())
    assert [call for _, call in encoder.calls] == [[0], [1, 2, 3, 4], [99, 5, 6, 7], [8, 9, 10]]


def test_encoders_do_not_mix_and_keep_their_turn(encoder: Encoder, make: Callable[..., MicroBatcher]) -> None:
    async def scenario() -> None:
        batcher = make()
        first = await occupied(batcher, encoder)
        others = await queue(
            batcher, ("content", crops(1)), ("voice", crops(2)), ("content", crops(3)), ("voice", crops(4))
        )
        encoder.gate.set()
        await asyncio.gather(first, *others)

    asyncio.run(scenario())
    assert encoder.calls[1:] == [("content", [1, 3]), ("voice", [2, 4])]


def test_a_full_queue_refuses(encoder: Encoder, make: Callable[..., MicroBatcher]) -> None:
    async def scenario() -> None:
        batcher = make(max_queue=3)
        first = await occupied(batcher, encoder)
        (waiting,) = await queue(batcher, ("voice", crops(1, 2)))
        with pytest.raises(Overloaded) as refused:
            await batcher.submit("voice", crops(3, 4))
        assert refused.value.retry_after_s is not None
        assert refused.value.retry_after_s >= 1
        encoder.gate.set()
        await asyncio.gather(first, waiting)
        # Larger than the queue, but nobody waits.
        assert len(await batcher.submit("voice", crops(*range(8)))) == 8

    asyncio.run(scenario())


def test_cancelled_requests_are_skipped(encoder: Encoder, make: Callable[..., MicroBatcher]) -> None:
    async def scenario() -> None:
        batcher = make(max_queue=3)
        first = await occupied(batcher, encoder)
        gone, stays = await queue(batcher, ("voice", crops(1, 1)), ("voice", crops(2)))
        gone.cancel()
        await asyncio.sleep(0)
        (late,) = await queue(batcher, ("voice", crops(3, 3)))  # fits: the place is free again
        encoder.gate.set()
        await asyncio.gather(first, stays, late)
        assert gone.cancelled()

    asyncio.run(scenario())
    assert [call for _, call in encoder.calls] == [[0], [2, 3, 3]]


def test_a_failing_call_fails_its_requests_only(encoder: Encoder, make: Callable[..., MicroBatcher]) -> None:
    async def scenario() -> None:
        batcher = make(max_batch=2)
        encoder.gate.set()
        with pytest.raises(FloatingPointError):
            await batcher.submit("voice", crops(float("nan"), 1, 2, 3, 4))
        assert (await batcher.submit("voice", crops(5)))[0, 0] == 10

    asyncio.run(scenario())


def test_close_finishes_what_is_queued_and_refuses_more(
    encoder: Encoder, make: Callable[..., MicroBatcher]
) -> None:
    async def scenario() -> None:
        batcher = make()
        first = await occupied(batcher, encoder)
        (queued,) = await queue(batcher, ("voice", crops(1)))
        closing = asyncio.create_task(asyncio.to_thread(batcher.close))
        encoder.gate.set()
        await asyncio.gather(first, queued, closing)
        with pytest.raises(NotReady):
            await batcher.submit("voice", crops(2))

    asyncio.run(scenario())


def test_nothing_is_no_request(make: Callable[..., MicroBatcher]) -> None:
    with pytest.raises(ValueError, match="at least one crop"):
        asyncio.run(make().submit("voice", np.empty((0, 1), np.float32)))
