"""The shared gallery: every replica of the service on one Redis."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
from redis import Redis

from bundle.arrays import Float32
from bundle.bandwidth import NARROW_HZ
from service.speakers.cipher import AudioCipher
from service.speakers.gallery import full, only_recording, switched, taken, unknown
from service.speakers.records import (
    Changes,
    Consent,
    Embedding,
    Erasure,
    NewUtterance,
    Page,
    Speaker,
    Voiceprints,
    pool,
)
from service.speakers.redis_layout import (
    ADD_EMBEDDINGS,
    AUDIO,
    CHANGE,
    COLLECTIONS,
    DELETE,
    ERASURES,
    FORGET_CHANGES,
    JOBS_ARE_CLEAN,
    REMOVE_UTTERANCE,
    SPEAKERS,
    STORE,
    VOICES,
    WIDEST,
    models_of,
    packed,
    read_speaker,
    speaker_key,
    unpacked,
)
from service.speakers.redis_thresholds import RedisThresholds
from service.speakers.thresholds import StoredThreshold
from service.stores.redis import RedisConnection, files_unwritable
from service.stores.redis_files import rewrite
from service.tenants import EVERYBODY, IdRange, Tenant, owner

_AT_ONCE = 500  # speakers read by one call of a script, in some milliseconds
_FOLLOWED_WITHIN = timedelta(seconds=2)  # a replica that is in step has read a change by then


class RedisGallery:
    """`Gallery` on Redis 7 with an append-only file. Every change is one script: all of it or nothing.

    Changes are as durable as Redis is configured to be: only `appendfsync always` survives a power cut.
    """

    shared = True

    def __init__(self, url: str, cipher: AudioCipher | None = None) -> None:
        """Connects at the first call."""
        self._cipher = cipher or AudioCipher()
        self._redis = RedisConnection(url)
        self._store = self._redis.script(STORE)
        self._add_embeddings = self._redis.script(ADD_EMBEDDINGS)
        self._change = self._redis.script(CHANGE)
        self._remove_utterance = self._redis.script(REMOVE_UTTERANCE)
        self._delete = self._redis.script(DELETE)
        self._jobs_are_clean = self._redis.script(JOBS_ARE_CLEAN)
        self._forget_changes = self._redis.script(FORGET_CHANGES)
        self._voices = self._redis.script(VOICES)
        self._widest = self._redis.script(WIDEST)
        self._thresholds = RedisThresholds(self._redis)

    def enrol(
        self,
        speaker_id: str,
        *,
        name: str | None,
        metadata: Mapping[str, object],
        utterances: Sequence[NewUtterance],
        collections: Sequence[str] = (),
        consent: Consent | None = None,
        most: int = 0,
    ) -> Speaker:
        now = datetime.now(UTC)
        header = {
            "name": name,
            "metadata": metadata,
            "created_at": (utterances[0].created_at or now).isoformat(),
            "collections": list(collections),
            "consent": consent and consent.to_json(),
        }
        first, end = Tenant(owner(speaker_id)).ids
        head = [json.dumps(header), json.dumps(collections), str(most), first, end]
        return self._write(speaker_id, head, utterances, now, most)

    def add_utterances(self, speaker_id: str, utterances: Sequence[NewUtterance]) -> Speaker:
        return self._write(speaker_id, ["", "[]", "0", "", ""], utterances, datetime.now(UTC))

    def add_embeddings(self, speaker_id: str, model: str, embeddings: Mapping[int, Embedding]) -> bool:
        args: list[Any] = [speaker_id, model]
        for utterance_id, embedding in embeddings.items():
            args += [utterance_id, packed(embedding)]
        with self._redis.reaching():
            return bool(self._add_embeddings(keys=[speaker_key(speaker_id)], args=args))

    def get(self, speaker_id: str) -> Speaker:
        with self._redis.reaching() as client:
            fields = cast(dict[bytes, bytes], client.hgetall(speaker_key(speaker_id)))
        if not fields:
            raise unknown(speaker_id)
        return read_speaker(speaker_id, fields)

    def list(self, *, limit: int, after: str | None = None, within: IdRange = EVERYBODY) -> Page:
        with self._redis.reaching() as client:
            ids = _ids_after(client, after, limit + 1, within)  # one more tells whether there is another page
            with client.pipeline(transaction=False) as pipe:
                for speaker_id in ids[:limit]:
                    pipe.hgetall(speaker_key(speaker_id))
                hashes = pipe.execute()
        speakers = tuple(read_speaker(i, fields) for i, fields in zip(ids, hashes, strict=False) if fields)
        return Page(speakers, next_after=ids[limit - 1] if len(ids) > limit else None)

    def audio(self, utterance_id: int) -> bytes | None:
        with self._redis.reaching() as client:
            stored = cast(bytes | None, client.get(f"{AUDIO}{utterance_id}"))
        return None if stored is None else self._cipher.unseal(stored)

    def change(self, speaker_id: str, changes: Changes) -> Speaker:
        key = speaker_key(speaker_id)
        while True:  # until no other replica changes it between the two steps
            with self._redis.reaching() as client:
                before = cast(bytes | None, client.hget(key, "speaker"))
                if before is None:
                    raise unknown(speaker_id)
                header = json.loads(before) | changes
                collections = json.dumps(header.get("collections", []))
                if self._change(keys=[key], args=[speaker_id, before, json.dumps(header), collections]):
                    return self.get(speaker_id)

    def delete(self, speaker_id: str) -> None:
        with self._redis.reaching():
            if not self._delete(keys=[speaker_key(speaker_id)], args=_erasing(speaker_id)):
                raise unknown(speaker_id)

    def remove_utterance(self, speaker_id: str, number: int) -> Speaker:
        utterance_id = self.get(speaker_id).utterance(number).utterance_id
        with self._redis.reaching():
            answer = self._remove_utterance(
                keys=[speaker_key(speaker_id)], args=[*_erasing(speaker_id), utterance_id]
            )
        if answer == b"unknown":  # another replica was faster
            raise unknown(speaker_id)
        if answer == b"only":
            raise only_recording(speaker_id)
        return read_speaker(speaker_id, dict(zip(answer[::2], answer[1::2], strict=True)))

    def voiceprints(self, model: str) -> Iterator[Voiceprints]:
        after: str | None = None
        while True:
            with self._redis.reaching() as client:
                ids = _ids_after(client, after, _AT_ONCE)
                voices = self._voices(keys=[speaker_key(i) for i in ids], args=[model]) if ids else []
            if not ids:
                return
            after = ids[-1]
            names: dict[str, str | None] = {}
            prints: dict[str, Float32] = {}
            for speaker_id, (header, *embeddings) in zip(ids, voices, strict=True):
                if header is None:  # erased since its id was read
                    continue
                names[speaker_id] = json.loads(header)["name"]
                if embeddings:
                    prints[speaker_id] = pool([unpacked(blob)[1] for blob in embeddings])
            matrix = np.stack(list(prints.values())) if prints else np.zeros((0, 0), np.float32)
            yield Voiceprints(tuple(prints), matrix, names)

    def collections(self) -> Mapping[str, Sequence[str]]:
        with self._redis.reaching() as client:
            stored = cast(dict[bytes, bytes], client.hgetall(COLLECTIONS))
        return {speaker_id.decode(): json.loads(collections) for speaker_id, collections in stored.items()}

    def narrow(self) -> Collection[str]:
        narrow: set[str] = set()
        after: str | None = None
        with self._redis.reaching() as client:
            while ids := _ids_after(client, after, _AT_ONCE):
                widest = self._widest(keys=[speaker_key(i) for i in ids])
                narrow |= {i for i, hz in zip(ids, widest, strict=True) if 0 < hz < NARROW_HZ}
                after = ids[-1]
        return narrow

    def thresholds(self) -> Sequence[tuple[str, StoredThreshold]]:
        return self._thresholds.read()

    def store_threshold(self, tenant: Tenant, threshold: StoredThreshold) -> None:
        self._thresholds.store(tenant, threshold)

    def remove_threshold(self, tenant: Tenant, collection: str) -> None:
        self._thresholds.remove(tenant, collection)

    def models(self) -> Mapping[str, int]:
        speakers: Counter[str] = Counter()
        after: str | None = None
        with self._redis.reaching() as client:
            while ids := _ids_after(client, after, _AT_ONCE):
                with client.pipeline(transaction=False) as pipe:
                    for speaker_id in ids:
                        pipe.hkeys(speaker_key(speaker_id))
                    for fields in pipe.execute():
                        speakers.update(models_of(fields))
                after = ids[-1]
        return speakers

    def count(self, within: IdRange = EVERYBODY) -> int:
        with self._redis.reaching() as client:
            return int(client.zlexcount(SPEAKERS, f"({within.first}", f"({within.end}"))

    def check(self) -> Sequence[str]:
        with self._redis.reaching() as client:
            if client.info("persistence").get("aof_last_write_status", "ok") != "ok":
                raise files_unwritable()
            memory = client.info("memory")
        policy = str(memory.get("maxmemory_policy", ""))
        if memory.get("maxmemory") and policy.startswith("allkeys"):
            return (
                f"Redis forgets voices when it is full: its maxmemory-policy is {policy}. Set noeviction.",
            )
        return ()

    def erasures(self) -> Sequence[Erasure]:
        with self._redis.reaching() as client:
            stored = cast(dict[bytes, bytes], client.hgetall(ERASURES))
        erasures = [
            Erasure(
                number.decode(),
                datetime.fromisoformat(fields["requested_at"]),
                fields["tenant"],
                fields.get("speaker_id"),
            )
            for number, fields in ((number, json.loads(value)) for number, value in stored.items())
        ]
        return sorted(erasures, key=lambda erasure: erasure.requested_at)

    def jobs_are_clean(self, erasure_id: str) -> None:
        with self._redis.reaching():
            self._jobs_are_clean(args=[erasure_id])

    def clean(self) -> Mapping[str, str]:
        with self._redis.reaching() as client:
            stored = cast(dict[bytes, bytes], client.hgetall(ERASURES))
            now = datetime.now(UTC)
            left: dict[str, str] = {}
            ready: list[str] = []
            revision = 0
            for number, value in stored.items():
                fields = json.loads(value)
                if "speaker_id" in fields:
                    continue
                # In the future: the clock was set back since.
                if abs(now - datetime.fromisoformat(fields["requested_at"])) < _FOLLOWED_WITHIN:
                    left["stream of changes"] = "Other replicas are reading it."
                    continue
                ready.append(number.decode())
                revision = max(revision, int(fields["revision"]))
            if not ready:
                return left
            # Entries name the speaker. A replica that has not read them reads everything again.
            self._forget_changes(args=[f"{revision + 1}-0"])
            finished, files = rewrite(client, ready)
            if finished:
                client.hdel(ERASURES, *finished)
            return left | files

    def close(self) -> None:
        self._redis.close()

    def _write(
        self,
        speaker_id: str,
        head: Sequence[str],
        utterances: Sequence[NewUtterance],
        now: datetime,
        most: int = 0,
    ) -> Speaker:
        """`head`: header, collections, `most`, and the range of ids that these are about."""
        args: list[Any] = [speaker_id, *head]
        for new in utterances:
            utterance = {
                "speech_s": new.speech_s,
                "snr_db": new.snr_db,
                "created_at": (new.created_at or now).isoformat(),
                "retained": new.audio is not None,
                "measures": new.measures.to_json(),
            }
            audio = b"" if new.audio is None else self._cipher.seal(new.audio)
            args += [new.model, json.dumps(utterance), packed(new.embedding), audio]
        with self._redis.reaching():
            answer = self._store(keys=[speaker_key(speaker_id)], args=args)
        if answer == b"taken":
            raise taken(speaker_id)
        if answer == b"unknown":
            raise unknown(speaker_id)
        if answer == b"full":
            raise full(most)
        if answer == b"switched":
            raise switched()
        return read_speaker(speaker_id, dict(zip(answer[::2], answer[1::2], strict=True)))


def _erasing(speaker_id: str) -> list[str]:
    """Arguments of a script that stores an erasure."""
    return [speaker_id, uuid.uuid4().hex, datetime.now(UTC).isoformat(), owner(speaker_id)]


def _ids_after(client: Redis, after: str | None, limit: int, within: IdRange = EVERYBODY) -> list[str]:
    start = max(after or "", within.first)
    ids = cast(list[bytes], client.zrangebylex(SPEAKERS, f"({start}", f"({within.end}", start=0, num=limit))
    return [speaker_id.decode() for speaker_id in ids]
