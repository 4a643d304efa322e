"""A SQLite file with a versioned schema, for every store that is built on one."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from service.errors import StoreUnavailable

#: The statements that bring a file to the newest schema, by the schema version it has now.
#: A new file has version 0. Statements end in `;`, and their comments hold none.
Upgrades = Mapping[int, str]
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_POLL_S = 0.01  # how often a thread looks whether another program still writes


class SqliteFile:
    """One connection behind a lock: SQLite has one writer, and reads are short.

    A transaction that returned is on the disk. Processes may share the file: SQLite's own lock keeps
    their transactions apart.
    """

    def __init__(
        self,
        path: Path,
        upgrades: Upgrades,
        *,
        schema_version: int,
        noun: str,
        secure_delete: bool = False,
        busy_timeout_s: float,
        retry_after_s: int = 1,
    ) -> None:
        """Opens the file, or creates it.

        Args:
            noun: what error messages call the store.
            secure_delete: deleted rows are overwritten with zeros; `empty_log` finishes that.
            busy_timeout_s: longest wait for another process's transaction, in seconds.
            retry_after_s: what a caller is told to wait after an error, in seconds.

        Raises:
            StoreUnavailable: it cannot be opened, or another release wrote it.
        """
        self._noun = noun
        self._retry_after_s = retry_after_s
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        try:
            with self.reading() as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")  # fsync at every commit
                db.execute("PRAGMA foreign_keys = ON")
                if secure_delete:
                    db.execute("PRAGMA secure_delete = ON")
                    db.execute("PRAGMA temp_store = MEMORY")
            self._upgrade(path, upgrades, schema_version)
            if secure_delete:
                self.empty_log()  # what an earlier release deleted and left there
        except BaseException:
            self._db.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone. Raises StoreUnavailable."""
        with self._lock, self._translated():
            yield self._db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What the block writes is stored as a whole, or not at all when it raises.

        Raises StoreUnavailable, also when another program writes for as long as `busy_timeout_s`. Threads
        wait for that side by side, and reading goes on meanwhile.
        """
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            with self.reading() as db:
                if self._begin(db, may_be_busy=time.monotonic() < deadline):
                    try:
                        yield db
                        db.execute("COMMIT")
                    except BaseException:
                        # SQLite has already rolled back by itself after some errors, a full disk among them.
                        if db.in_transaction:
                            db.execute("ROLLBACK")
                        raise
                    return
            time.sleep(_POLL_S)

    def empty_log(self) -> bool:
        """Writes the write-ahead log back and empties it: what was deleted is then gone from the disk.

        Returns False, at once, while another program reads from the log or writes to it.
        """
        with self.reading() as db, self._not_waiting(db):
            try:
                ((busy, _, _),) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _BUSY:
                    raise
                busy = 1
            return not busy

    def close(self) -> None:
        """Ends the connection. Later calls raise StoreUnavailable."""
        with self._lock:
            self._db.close()

    def _begin(self, db: sqlite3.Connection, *, may_be_busy: bool) -> bool:
        """Begins a transaction at once. Returns False if another program writes, and `may_be_busy`."""
        with self._not_waiting(db):
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if may_be_busy and error.sqlite_errorcode in _BUSY:
                    return False
                raise
            return True

    @contextmanager
    def _not_waiting(self, db: sqlite3.Connection) -> Iterator[None]:
        db.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            db.execute(f"PRAGMA busy_timeout = {round(self._busy_timeout_s * 1000)}")

    def _upgrade(self, path: Path, upgrades: Upgrades, schema_version: int) -> None:
        with self.transaction() as db:  # several processes may start at once
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == schema_version:
                return
            if version not in upgrades:
                raise StoreUnavailable(
                    f"{path} has schema version {version}; this release reads {schema_version}. "
                    "Start the release that wrote it, or point TWOFOLD_STATE_DIR at another directory."
                )
            for statement in upgrades[version].split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {schema_version}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(
                f"The {self._noun} cannot be used now ({error}). Nothing was changed; try again shortly.",
                retry_after_s=self._retry_after_s,
            ) from error
