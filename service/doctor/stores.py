"""Whether what is stored is sound, and which model would serve. Nothing is opened for writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from bundle.folders import bundle_folders
from bundle.manifest import BundleError
from bundle.voice import VoiceBundle
from service.bulk import BULK_FILE, store
from service.doctor.findings import Finding, note, well, wrong
from service.errors import NotFound
from service.inference.active import ActiveModelFile
from service.inference.choice import Enrolled, choose
from service.jobs import Folders, sqlite_store
from service.settings import Settings
from service.speakers import RedisGallery, sqlite_gallery
from service.speakers.cipher import AudioCipher
from service.stores.redis import ACTIVE_MODEL

_LEAST_REDIS = 7
_SAFE = {  # what docs/deployment.md sets, and what may happen otherwise
    "appendonly": ("yes", "A restart of Redis then loses what was stored since its last snapshot."),
    "maxmemory-policy": ("noeviction", "A full Redis then forgets voices."),
}
_MODELS = """
SELECT e.model, count(DISTINCT u.speaker_id) FROM embeddings e JOIN utterances u USING (utterance_id)
GROUP BY e.model
"""
_RECORDINGS = """
SELECT audio FROM utterances WHERE utterance_id IN (
    SELECT min(utterance_id) FROM utterances WHERE audio IS NOT NULL
    UNION SELECT max(utterance_id) FROM utterances WHERE audio IS NOT NULL
)
"""


def stored(settings: Settings) -> Iterator[Finding]:
    """Voices, jobs, and the model that would serve."""
    if settings.redis_url:
        yield from _in_redis(settings)
    else:
        yield from _in_files(settings)


def _in_files(settings: Settings) -> Iterator[Finding]:
    voices = settings.state_dir / "speakers.sqlite"
    enrolled: Mapping[str, int] = {}
    if (fault := _fault(voices, sqlite_gallery.SCHEMA_VERSION)) is not None:
        yield fault
    elif voices.exists():
        ((count,),) = _rows(voices, "SELECT count(*) FROM speakers")
        yield well("voices", f"{voices} is sound. {count} speakers are enrolled.")
        enrolled = dict(_rows(voices, _MODELS))
        recordings = [audio for (audio,) in _rows(voices, _RECORDINGS)]
        if any(AudioCipher(settings.audio_keys).unseal(audio) is None for audio in recordings):
            yield wrong("voices", "Retained recordings are encrypted, and TWOFOLD_AUDIO_KEY lacks their key.")
    else:
        yield note("voices", "Nobody is enrolled yet.")
    jobs = Folders(settings.state_dir, settings.models_dir).store
    reports = settings.state_dir / BULK_FILE
    for path, version in ((jobs, sqlite_store.SCHEMA_VERSION), (reports, store.SCHEMA_VERSION)):
        if (fault := _fault(path, version)) is not None:
            yield fault
        elif path.exists():
            yield well("jobs", f"{path} is sound.")
    try:
        recorded = ActiveModelFile(settings.state_dir / "active_model.json").read()
    except (BundleError, OSError) as error:
        yield wrong("model", str(error))
    else:
        yield _model(settings, recorded, lambda: enrolled)


def _fault(path: Path, schema_version: int) -> Finding | None:
    """What is wrong with a file of SQLite, if it is there."""
    subject = "voices" if path.stem == "speakers" else "jobs"
    if not path.exists():
        return None
    try:
        damage = [text for (text,) in _rows(path, "PRAGMA integrity_check(3)") if text != "ok"]
        ((version,),) = _rows(path, "PRAGMA user_version")
    except sqlite3.Error as error:
        damage, version = [str(error)], schema_version
    if damage:
        return wrong(
            subject,
            f"{path} is damaged ({'; '.join(damage)}). Stop the service, keep a copy of the folder, and "
            "restore a backup.",
        )
    if version > schema_version:
        return wrong(subject, f"A later release wrote {path}. Start that release.")
    if 0 < version < schema_version:
        return note(
            subject,
            f"An earlier release wrote {path}. The next start changes it: keep a copy of the folder.",
        )
    return None


def _rows(path: Path, query: str) -> Sequence[tuple[Any, ...]]:
    """Of a file that is opened to read. Where no service left a log, not even one is made."""
    log = Path(f"{path}-wal")
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if log.exists() else '&immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True)) as db:
        return db.execute(query).fetchall()


def _in_redis(settings: Settings) -> Iterator[Finding]:
    url = settings.redis_url.get_secret_value()
    with closing(Redis.from_url(url, socket_timeout=5.0, socket_connect_timeout=2.0)) as client:
        try:
            version = str(client.info("server")["redis_version"])
            recorded = cast(bytes | None, client.get(ACTIVE_MODEL))
        except RedisError as error:
            yield wrong("redis", f"The Redis of TWOFOLD_REDIS_URL cannot be used: {error}")
            return
        if int(version.partition(".")[0]) < _LEAST_REDIS:
            yield wrong("redis", f"Redis {version} answers. Version {_LEAST_REDIS} or later is needed.")
        else:
            yield well("redis", f"Redis {version} answers.")
        yield from _safety(client)
        with closing(RedisGallery(url)) as gallery:
            yield well("voices", f"{gallery.count()} speakers are enrolled.")
            yield _model(settings, recorded.decode() if recorded else None, gallery.models)


def _safety(client: Redis) -> Iterator[Finding]:
    try:
        configured = cast(dict[str, str], client.config_get(*_SAFE))
        files = client.info("persistence")
    except RedisError:
        yield note("redis", "It does not say how it stores. docs/deployment.md has what is needed.")
        return
    for name, (needed, otherwise) in _SAFE.items():
        value = configured.get(name)
        if value == needed:
            yield well("redis", f"{name} is {value}.")
        else:
            yield wrong("redis", f"{name} is {value}, not {needed}. {otherwise}")
    for name in ("aof_last_write_status", "rdb_last_bgsave_status"):
        if files.get(name, "ok") != "ok":
            yield wrong("redis", f"It cannot write its files: {name} is {files[name]}. Its log says more.")


def _model(settings: Settings, recorded: str | None, enrolled: Enrolled) -> Finding:
    folders = [settings.models_dir, settings.state_dir / "models"]
    voices = []
    for path in (path for folder in folders for path in bundle_folders(folder)):
        try:
            voices.append(VoiceBundle.read(path))
        except BundleError:
            continue  # one that generates, or a damaged one
    try:
        choice = choose(sorted(voices, key=lambda b: b.created_at), folders[0], recorded, enrolled)
        VoiceBundle.load(choice.bundle.path)
    except BundleError as error:
        return wrong("model", str(error))
    except NotFound as error:
        return wrong("model", error.detail)
    if choice.gone is not None:
        return note("model", f"{choice.gone} is not here any more: {choice.bundle.id} would serve.")
    return well("model", f"{choice.bundle.id} would serve.")
