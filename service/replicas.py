"""Keeps replicas of the service in step through Redis: which model serves, and who is enrolled."""

from __future__ import annotations

import asyncio
from typing import cast

import structlog
from redis.asyncio import Redis as AsyncRedis

from bundle.voice import VoiceBundle
from service.audio.decoder import AudioDecoder
from service.errors import TwofoldError
from service.inference import ModelRegistry
from service.speakers import RedisGallery, SpeakerDirectory
from service.speakers.redis_thresholds import CHANGED as THRESHOLDS_CHANGED
from service.stores.redis import ACTIVE_MODEL, ANNOUNCE, CHANGES, REVISION, RedisConnection

_WAIT_S = 0.5  # longest wait for a change, and so the longest delay of `end`
_AT_ONCE = 1000  # changes read at once
_RETRY_S = 1.0  # between attempts to reach Redis
_RETRY_MODEL_S = 5.0  # between attempts to load a model after a failure
_TIMEOUT_S = 5.0  # of a silent connection
_ACTIVATE = f"""{ANNOUNCE}
redis.call('SET', '{ACTIVE_MODEL}', ARGV[1])
announce('model', ARGV[1])
"""
_PROPOSE = f"""{ANNOUNCE}
local model, gone = ARGV[1], ARGV[2]
local now = redis.call('GET', '{ACTIVE_MODEL}')
if now and now ~= gone then return end
redis.call('SET', '{ACTIVE_MODEL}', model)
announce('model', model)
"""
_Stream = tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]  # name, then (id, fields) of each entry
_log = structlog.get_logger(__name__)


class RedisActiveModel:
    """`ActiveModel` of all replicas together."""

    def __init__(self, url: str) -> None:
        self._redis = RedisConnection(url)
        self._activate = self._redis.script(_ACTIVATE)
        self._propose = self._redis.script(_PROPOSE)

    def read(self) -> str | None:
        with self._redis.reaching() as client:
            model = cast(bytes | None, client.get(ACTIVE_MODEL))
        return None if model is None else model.decode()

    def write(self, bundle: VoiceBundle) -> None:
        with self._redis.reaching():
            self._activate(args=[bundle.id])

    def propose(self, bundle: VoiceBundle, gone: str | None) -> None:
        """Makes `bundle` the model of all replicas, if they have none, or the one that is `gone`.

        Raises StoreUnavailable.
        """
        with self._redis.reaching():
            self._propose(args=[bundle.id, gone or ""])

    def close(self) -> None:
        """Ends the connection."""
        self._redis.close()


class Replica:
    """Keeps one process in step with the others. Belongs to one event loop."""

    def __init__(
        self,
        url: str,
        gallery: RedisGallery,
        directory: SpeakerDirectory,
        registry: ModelRegistry,
        chosen: RedisActiveModel,
        decoder: AudioDecoder,
    ) -> None:
        self._url = url
        self._gallery = gallery
        self._directory = directory
        self._registry = registry
        self._chosen = chosen
        self._decoder = decoder
        self._ending = asyncio.Event()
        self._try_model_at = 0.0  # seconds of the loop's clock

    def end(self) -> None:
        """Makes `follow` return, within `_WAIT_S` if Redis answers."""
        self._ending.set()

    async def follow(self) -> None:
        """Starts the model, then follows every change until `end`.

        Changes can be missed: Redis may be out of reach, or its stream may be cut.
        Then everything is read again.
        """
        while not self._ending.is_set():
            try:
                await self._follow_while_in_step()
            except Exception as error:  # noqa: BLE001  a replica that gave up would give outdated answers
                _log.warning("replica_out_of_step", error=type(error).__name__, reason=str(error))
                await self._pause(_RETRY_S)

    async def _follow_while_in_step(self) -> None:
        """Returns when changes were missed, and after `end`."""
        async with AsyncRedis.from_url(self._url, socket_timeout=_TIMEOUT_S) as client:
            # The position first, then the state. A change in between is applied twice, which is harmless.
            position = await _revision(client)
            await self._keep_model()
            await self._directory.reload()
            _log.info("replica_in_step", revision=position)
            while not self._ending.is_set():
                read = await client.xread(
                    {CHANGES: f"{position}-0"}, count=_AT_ONCE, block=round(_WAIT_S * 1000)
                )
                entries = cast(list[_Stream], read)[0][1] if read else []
                if entries:
                    first, last = (int(entries[i][0].partition(b"-")[0]) for i in (0, -1))
                    if first != position + 1:
                        return  # the stream was cut before it was read
                    position = last
                elif await _missed(client, position):
                    return
                await self._keep_model()
                if any(THRESHOLDS_CHANGED.encode() in fields for _, fields in entries):
                    await self._directory.refresh_thresholds()
                # A set: a speaker who changed often is read once.
                await self._directory.refresh(
                    {fields[b"speaker"].decode() for _, fields in entries if b"speaker" in fields}
                )

    async def _keep_model(self) -> None:
        """Loads the model that serves, unless it is loaded already."""
        now = asyncio.get_running_loop().time()
        if now < self._try_model_at:
            return
        if self._registry.active is None:
            await self._registry.start(
                lambda engine: self._directory.start(engine, self._decoder), self._gallery.models
            )
            if self._registry.active is None:
                self._try_model_at = now + _RETRY_MODEL_S
                return
        # Each time: an emptied or restored database may have lost the model.
        await asyncio.to_thread(self._chosen.propose, self._registry.active, self._registry.gone)
        try:
            await self._directory.adopt(self._registry)
        except TwofoldError as error:
            # The old model still answers about its voices. Nothing can be enrolled under it.
            _log.error("model_not_adopted", reason=str(error), error=type(error).__name__)
            self._try_model_at = now + _RETRY_MODEL_S

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            pass


async def _missed(client: AsyncRedis, position: int) -> bool:
    """Whether changes after `position` cannot be read, although there are no new entries to be seen."""
    revision = await _revision(client)
    if revision <= position:
        return revision < position  # another database, or an older copy of this one
    # The stream was cut, unless an entry has come just now.
    return not await client.xread({CHANGES: f"{position}-0"}, count=1)


async def _revision(client: AsyncRedis) -> int:
    return int(await client.get(REVISION) or 0)
