"""Makes Redis write its files anew, so that they hold nothing of what was deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from service.stores.redis import PREFIX

_STATE = f"{PREFIX}rewrite"  # JSON of _Rewrite; missing when none is under way


@dataclass
class _Rewrite:
    """What was begun. It is stored, so that any replica goes on with it after a kill."""

    run_id: str  # of the Redis process: a restart ends what was under way
    covers: list[str]  # deletions that happened before it began
    files: list[str]  # that are left to write; the first one is under way if `begun`
    begun: bool = False


_BEGIN: dict[str, Callable[[Redis], object]] = {
    "append-only file": Redis.bgrewriteaof,
    "snapshot": Redis.bgsave,
}
_STATUS = {"append-only file": "aof_last_bgrewrite_status", "snapshot": "rdb_last_bgsave_status"}
_UNDER_WAY = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")


def rewrite(client: Redis, deletions: Sequence[str]) -> tuple[Collection[str], dict[str, str]]:
    """Goes one step on: writes the append-only file anew, then the snapshot, where Redis keeps them.

    To be called until every deletion is returned. Raises RedisError.

    Args:
        deletions: ids of deletions that have been made.

    Returns:
        The deletions of which no file holds anything any more; what is left, as file and reason.
    """
    persistence = client.info("persistence")
    run_id = client.info("server")["run_id"]
    stored = cast(bytes | None, client.get(_STATE))
    state = _Rewrite(**json.loads(stored)) if stored else None
    if any(persistence.get(name) for name in _UNDER_WAY):
        # It may have begun before the deletion. Then another one follows.
        return (), {"files of Redis": "Redis is writing them."}
    if state is None or state.run_id != run_id:
        state = _Rewrite(run_id, list(deletions), _kept_files(client, persistence))
    elif state.begun:
        state.begun = False
        if persistence[_STATUS[state.files[0]]] != "ok":
            _store(client, state)
            return (), {state.files[0]: "Redis failed to write it anew: its log says why. It is tried again."}
        state.files.pop(0)
    if not state.files:
        client.delete(_STATE)
        return state.covers, {}
    file = state.files[0]
    try:
        _BEGIN[file](client)
    except ResponseError as error:  # hosted Redis may not allow it
        return (), {file: f"Redis refuses to write it anew: {error}"}
    state.begun = True
    _store(client, state)
    return (), {file: "Redis is writing it anew."}


def _store(client: Redis, state: _Rewrite) -> None:
    client.set(_STATE, json.dumps(asdict(state)))


def _kept_files(client: Redis, persistence: dict[str, Any]) -> list[str]:
    """Which files Redis keeps."""
    files = ["append-only file"] if persistence["aof_enabled"] else []
    try:
        snapshots = bool(client.config_get("save").get("save"))
    except ResponseError:
        snapshots = True  # it does not say
    if snapshots or persistence.get("rdb_saves", 0):
        files.append("snapshot")
    return files
