"""Stored thresholds in the file of the embedded gallery."""

from __future__ import annotations

from service.speakers.thresholds import StoredThreshold, no_threshold
from service.stores.sqlite import SqliteFile
from service.tenants import Tenant

THRESHOLDS = """
CREATE TABLE thresholds (
    tenant TEXT NOT NULL,
    collection TEXT NOT NULL,
    threshold TEXT NOT NULL,     -- JSON object
    PRIMARY KEY (tenant, collection)
) STRICT, WITHOUT ROWID;
"""


def read_thresholds(file: SqliteFile) -> list[tuple[str, StoredThreshold]]:
    """`Gallery.thresholds`."""
    with file.reading() as db:
        rows = db.execute("SELECT tenant, threshold FROM thresholds").fetchall()
    return [(tenant, StoredThreshold.from_json(text)) for tenant, text in rows]


def store_threshold(file: SqliteFile, tenant: Tenant, threshold: StoredThreshold) -> None:
    """`Gallery.store_threshold`."""
    with file.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO thresholds VALUES (?, ?, ?)",
            (tenant.name, threshold.collection, threshold.to_json()),
        )


def remove_threshold(file: SqliteFile, tenant: Tenant, collection: str) -> None:
    """`Gallery.remove_threshold`."""
    with file.transaction() as db:
        removed = db.execute(
            "DELETE FROM thresholds WHERE tenant = ? AND collection = ?", (tenant.name, collection)
        )
        if removed.rowcount == 0:
            raise no_threshold(collection)
