"""Who is in which collection of its tenant, in memory: searches and lists can keep to some of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from service.tenants import Tenant, owner

COLLECTION = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$"
MOST_COLLECTIONS = 100  # of a speaker, and of a search


class Collections:
    """Ids, as stored, by tenant and collection. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._of: dict[str, Sequence[str]] = {}  # only speakers that are in any

    def replace(self, collections: Mapping[str, Sequence[str]]) -> None:
        """Replaces everything by the collections of these speakers."""
        with self._lock:
            self._members.clear()
            self._of.clear()
            for speaker_id, names in collections.items():
                self._put(speaker_id, names)

    def put(self, speaker_id: str, names: Sequence[str]) -> None:
        """The collections of a speaker from now on; none where it was erased."""
        with self._lock:
            for name in self._of.pop(speaker_id, ()):
                members = self._members[owner(speaker_id), name]
                members.discard(speaker_id)
                if not members:
                    del self._members[owner(speaker_id), name]
            self._put(speaker_id, names)

    def among(self, tenant: Tenant, names: Collection[str]) -> set[str] | None:
        """All who are in at least one of these collections of the tenant; None without names: no limit."""
        if not names:
            return None
        with self._lock:
            return set().union(*(self._members.get((tenant.name, name), ()) for name in names))

    def _put(self, speaker_id: str, names: Sequence[str]) -> None:
        if names:
            self._of[speaker_id] = names
        for name in names:
            self._members[owner(speaker_id), name].add(speaker_id)
