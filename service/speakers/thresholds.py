"""Thresholds that tenants measured on recordings of their own, and stored for a collection."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from service.errors import NotFound
from service.tenants import Tenant

PointName = Literal["chosen", "equal"]


@dataclass(frozen=True)
class StoredThreshold:
    """A threshold of one comparison, for the voices of one collection under one model."""

    collection: str
    model: str  # "<name>/<version>" whose scores it was measured on; it counts for no other
    threshold: float
    point: PointName  # of the error curves
    false_accept_rate: float
    false_reject_rate: float
    own_trials: int
    stranger_trials: int
    stored_at: datetime

    @property
    def rate(self) -> float:
        """Rate at which strangers pass one comparison, as far as so many trials can tell: never 0 or 1."""
        least = 1 / (self.stranger_trials + 1)
        return min(max(self.false_accept_rate, least), 1 - least)

    def to_json(self) -> str:
        """JSON, for stores."""
        return json.dumps(vars(self) | {"stored_at": self.stored_at.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> StoredThreshold:
        """Reads `to_json`, also of a release that stores more."""
        stored = json.loads(text)
        known = {field.name: stored[field.name] for field in fields(cls)}
        return cls(**known | {"stored_at": datetime.fromisoformat(stored["stored_at"])})


class Thresholds:
    """All that are stored, in memory, so that a search needs no store. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, dict[str, StoredThreshold]] = defaultdict(dict)  # tenant → collection → threshold

    def replace(self, stored: Iterable[tuple[str, StoredThreshold]]) -> None:
        """Replaces everything by these thresholds, each with the name of its tenant."""
        with self._lock:
            self._of.clear()
            for tenant, threshold in stored:
                self._of[tenant][threshold.collection] = threshold

    def of(self, tenant: Tenant) -> list[StoredThreshold]:
        """All of a tenant, by the names of their collections."""
        with self._lock:
            return [threshold for _, threshold in sorted(self._of.get(tenant.name, {}).items())]

    def among(self, tenant: Tenant, collections: Collection[str]) -> Sequence[StoredThreshold | None]:
        """The threshold of each of these collections; None where it has none."""
        with self._lock:
            mine = self._of.get(tenant.name, {})
            return tuple(mine.get(name) for name in collections)


def no_threshold(collection: str) -> NotFound:
    """The error of a collection without a stored threshold."""
    return NotFound(f"No threshold is stored for the collection {collection!r}. GET /thresholds lists them.")
