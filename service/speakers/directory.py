"""Keeps the gallery and the index of the active model in step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict

import structlog

from bundle.arrays import Float32
from bundle.scoring import Scorer
from bundle.voice import VoiceBundle
from service.audio.decoder import AudioDecoder, Upload
from service.errors import Conflict, NotFound, NotReady, StoreUnavailable
from service.inference import Engine, ModelRegistry
from service.speakers.carry import CarryOver, carry_over
from service.speakers.collections import Collections
from service.speakers.gallery import Gallery, switched
from service.speakers.index import VoiceIndex
from service.speakers.records import Changes, Consent, NewUtterance, Speaker
from service.speakers.space_map import SpaceMap
from service.speakers.thresholds import StoredThreshold, Thresholds
from service.stores.threads import StoreThreads
from service.tenants import Tenant

_TURN_S = 5.0  # longest wait of a write for those before it
_log = structlog.get_logger(__name__)


class SpeakerDirectory:
    """Makes every write, one at a time: first durably in the gallery, then in the index.

    Belongs to one event loop. The gallery's blocking calls run in `threads`.
    """

    def __init__(self, gallery: Gallery, threads: StoreThreads, max_speakers: int = 0) -> None:
        """`max_speakers` is the limit of a tenant; 0: none."""
        self._max_speakers = max_speakers
        self.gallery = gallery
        self.collections = Collections()
        self.thresholds = Thresholds()
        self.narrow: set[str] = set()  # stored ids of speakers who were enrolled over narrow lines alone
        self.threads = threads
        self._index: VoiceIndex | None = None
        self._writing = asyncio.Lock()

    async def index(self, bundle: VoiceBundle) -> VoiceIndex:
        """The voices under `bundle`, which must be the active model. The first call reads the gallery.

        A caller that holds the index during a model switch still searches the voices of the old model.
        Raises NotReady at the moment of a switch, and StoreUnavailable.
        """
        if self._index is None:
            async with self._writing:
                if self._index is None:
                    self._index = await self.threads.run(self._load, bundle)
        if self._index.model != bundle.id:
            raise switched()
        return self._index

    async def start(self, engine: Engine, decoder: AudioDecoder) -> None:
        """Reads the gallery for the model that starts, and carries over voices that lack it.

        There are such voices where a release no longer has the model that made them. A store that cannot be
        written to keeps them as they are. Raises StoreUnavailable where it cannot be read.
        """
        async with self._writing:
            index = await self.threads.run(self._load, engine.bundle)
            if index.stale:
                try:
                    carried = await self._carry_over(engine, decoder)
                except StoreUnavailable as error:
                    _log.warning("voices_not_carried_over", model=index.model, reason=error.detail)
                else:
                    _log.warning("voices_carried_over", model=index.model, **asdict(carried))
                    index = await self.threads.run(self._load, engine.bundle)
            self._index = index

    @property
    def notices(self) -> Sequence[str]:
        """What an operator should know of the enrolled voices, in sentences."""
        if self._index is None or not self._index.stale:
            return ()
        return (
            f"Enrolled voices without a voiceprint under {self._index.model}: {self._index.stale}. They are "
            "not recognised. GET /speakers marks them as stale: add audio to each, or activate their model.",
        )

    async def require_no_voices(self, registry: ModelRegistry, model: str) -> None:
        """Raises Conflict where voices may be lost with `model`: some have no voiceprint that serves.

        Raises NotReady before a model serves, and StoreUnavailable.
        """
        if registry.active is None:
            raise NotReady(registry.not_ready_because, retry_after_s=1)
        stale = (await self.index(registry.active)).stale
        enrolled = (await self.threads.run(self.gallery.models)).get(model, 0) if stale else 0
        if enrolled:
            raise Conflict(
                f"{model} has voiceprints of {enrolled} voices, and {stale} voices have none under "
                f"{registry.active.id}: they may be lost with it. GET /speakers marks them as stale. Add "
                "audio to each, or erase them."
            )

    async def enrol(
        self,
        index: VoiceIndex,
        speaker_id: str,
        *,
        name: str | None,
        metadata: Mapping[str, object],
        utterances: Sequence[NewUtterance],
        collections: Sequence[str] = (),
        consent: Consent | None = None,
    ) -> Speaker:
        """Stores a new speaker.

        Raises Conflict, StoreUnavailable, NotReady after a model switch, and Overloaded where its tenant has
        as many as it may have.
        """
        return await self._write(
            index,
            lambda: self.gallery.enrol(
                speaker_id,
                name=name,
                metadata=metadata,
                utterances=utterances,
                collections=collections,
                consent=consent,
                most=self._max_speakers,
            ),
        )

    async def add_utterances(
        self, index: VoiceIndex, speaker_id: str, utterances: Sequence[NewUtterance]
    ) -> Speaker:
        """Adds to an enrolment. Raises NotFound, StoreUnavailable, and NotReady after a model switch."""
        return await self._write(index, lambda: self.gallery.add_utterances(speaker_id, utterances))

    async def change(self, index: VoiceIndex, speaker_id: str, changes: Changes) -> Speaker:
        """Changes a speaker's name, metadata or collections. Raises what `add_utterances` raises."""
        return await self._write(index, lambda: self.gallery.change(speaker_id, changes))

    async def remove_utterance(self, index: VoiceIndex, speaker_id: str, number: int) -> Speaker:
        """Erases one recording. Raises Conflict for the only one, and what `add_utterances` raises."""
        return await self._write(index, lambda: self.gallery.remove_utterance(speaker_id, number))

    async def delete(self, speaker_id: str) -> None:
        """Erases a speaker everywhere. Raises NotFound or StoreUnavailable."""

        def work() -> None:
            self.gallery.delete(speaker_id)
            self._forget(speaker_id)
            if self._index is not None:
                self._index.remove(speaker_id)

        async with self._turn():
            await self.threads.run(work)

    async def store_threshold(self, tenant: Tenant, threshold: StoredThreshold) -> None:
        """Stores the threshold of a collection, which counts at once. Raises StoreUnavailable."""

        def work() -> None:
            self.gallery.store_threshold(tenant, threshold)
            self.thresholds.replace(self.gallery.thresholds())

        async with self._turn():
            await self.threads.run(work)

    async def remove_threshold(self, tenant: Tenant, collection: str) -> None:
        """Removes the threshold of a collection. Raises NotFound or StoreUnavailable."""

        def work() -> None:
            self.gallery.remove_threshold(tenant, collection)
            self.thresholds.replace(self.gallery.thresholds())

        async with self._turn():
            await self.threads.run(work)

    async def refresh_thresholds(self) -> None:
        """Reads all thresholds again, because another replica changed one. Raises StoreUnavailable."""
        async with self._writing:
            await self.threads.run(lambda: self.thresholds.replace(self.gallery.thresholds()))

    async def refresh(self, speaker_ids: Collection[str]) -> None:
        """Reads these speakers again, because another replica changed them. Raises StoreUnavailable."""

        def work() -> None:
            if self._index is None:
                return
            for speaker_id in speaker_ids:
                try:
                    speaker = self.gallery.get(speaker_id)
                except NotFound:
                    self._forget(speaker_id)
                    self._index.remove(speaker_id)
                else:
                    self._note(speaker)
                    self._index.put(speaker_id, speaker.name, speaker.voiceprint(self._index.model))

        if speaker_ids:
            async with self._writing:
                await self.threads.run(work)

    async def reload(self) -> None:
        """Reads every speaker again. Raises StoreUnavailable; then the index is unchanged."""

        def work() -> None:
            if self._index is not None:
                self._read_in_memory()
                self._index.replace(self.gallery.voiceprints(self._index.model))

        async with self._writing:
            await self.threads.run(work)

    async def adopt(self, registry: ModelRegistry) -> None:
        """Follows a switch of another replica, which has carried the speakers over.

        Raises what `registry.adopt` raises, and StoreUnavailable.
        """
        async with AsyncExitStack() as stack:

            async def load(engine: Engine) -> VoiceIndex:
                await stack.enter_async_context(self._writing)
                return await self.threads.run(self._load, engine.bundle)

            index = await registry.adopt(load)
            if index is not None:
                self._index = index

    async def activate(self, registry: ModelRegistry, version: str, decoder: AudioDecoder) -> CarryOver:
        """Switches the model and carries the enrolled voices over. Writes wait for the last part of it.

        Raises what `registry.activate` and `carry_over` raise; then the old model still serves.
        """
        leaving = registry.active
        async with AsyncExitStack() as stack:

            async def carry(engine: Engine) -> tuple[CarryOver, VoiceIndex]:
                first = await self._carry_over(engine, decoder, leaving)
                # Voices may have been enrolled meanwhile. Repeat, now that none can be.
                await stack.enter_async_context(self._writing)
                last = await self._carry_over(engine, decoder, leaving)
                index = await self.threads.run(self._load, engine.bundle)
                return first.then(last), index

            carried, index = await registry.activate(version, carry)
            # No await since the registry switched, so no request saw one without the other.
            self._index = index
        if self.gallery.shared:
            # Other replicas may have enrolled voices before they learned of the switch.
            with registry.lease() as engine:
                late = await self._carry_over(engine, decoder, leaving)
            carried = carried.then(late)
        return carried

    async def _carry_over(
        self, engine: Engine, decoder: AudioDecoder, leaving: VoiceBundle | None = None
    ) -> CarryOver:
        async def embed_audio(audio: bytes) -> Float32:
            (prepared,) = await decoder.prepare([Upload(None, audio)])
            embeddings = await engine.embed(prepared.crops.waveforms)
            return engine.without_line(embeddings, narrow=prepared.audio.narrow)

        bundle = engine.bundle
        maps = [await asyncio.to_thread(SpaceMap.of, bundle)]
        if leaving is not None:  # a rollback, where it was made from this one
            maps.append(await asyncio.to_thread(SpaceMap.back, leaving, bundle.id))
        space_maps = [space_map for space_map in maps if space_map is not None]
        return await carry_over(self.gallery, bundle.id, Scorer(bundle.scoring), embed_audio, space_maps)

    async def _write(self, index: VoiceIndex, write: Callable[[], Speaker]) -> Speaker:
        def work() -> Speaker:
            speaker = write()
            self._note(speaker)
            index.put(speaker.speaker_id, speaker.name, speaker.voiceprint(index.model))
            return speaker

        async with self._turn():
            if index is not self._index:
                raise switched()
            return await self.threads.run(work)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Waits for the writes that came before, but not for a row of them that each wait for the store."""
        try:
            async with asyncio.timeout(_TURN_S):
                await self._writing.acquire()
        except TimeoutError:
            raise StoreUnavailable(
                "Other writes take too long. Nothing was changed; try again shortly.", retry_after_s=1
            ) from None
        try:
            yield
        finally:
            self._writing.release()

    def _load(self, bundle: VoiceBundle) -> VoiceIndex:
        self._read_in_memory()
        return VoiceIndex(bundle.id, Scorer(bundle.scoring), self.gallery.voiceprints(bundle.id))

    def _read_in_memory(self) -> None:
        """What decisions need beside voiceprints."""
        self.collections.replace(self.gallery.collections())
        self.thresholds.replace(self.gallery.thresholds())
        self.narrow = set(self.gallery.narrow())

    def _note(self, speaker: Speaker) -> None:
        self.collections.put(speaker.speaker_id, speaker.collections)
        if speaker.narrow:
            self.narrow.add(speaker.speaker_id)
        else:
            self.narrow.discard(speaker.speaker_id)

    def _forget(self, speaker_id: str) -> None:
        self.collections.put(speaker_id, ())
        self.narrow.discard(speaker_id)
