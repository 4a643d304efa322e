"""A SQLite file with a versioned schema, for every store that is built on one."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from service.errors import DiskFull, StoreUnavailable
from service.stores.disk import disk_full, is_full, require_space

#: The statements that bring a file to the newest schema, by the schema version it has now.
#: A new file has version 0. Statements end in `;`, and their comments hold none.
Upgrades = Mapping[int, str]
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_POLL_S = 0.01  # how often a thread looks whether another program still writes


class SqliteFile:
    """One connection behind a lock: SQLite has one writer, and reads are short.

    A transaction that returned is on the disk. Processes may share the file: SQLite's own lock keeps
    their transactions apart.

    On a full disk it opens for reading only, and tries again to open for writing with the next write.
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
        self._path = path
        self._noun = noun
        self._retry_after_s = retry_after_s
        self._busy_timeout_s = busy_timeout_s
        self._secure_delete = secure_delete
        self._schema_version = schema_version
        self._lock = threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        if self._read_only:
            return
        try:
            self._upgrade(upgrades)
            if secure_delete:
                with suppress(DiskFull):
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
            self._leave_read_only()
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
        self._leave_read_only()
        with self.reading() as db, self._not_waiting(db):
            try:
                ((busy, _, _),) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _BUSY:
                    raise
                busy = 1
            return not busy

    def require_space(self) -> None:
        """Raises DiskFull where nothing can be written, and goes back to writing where that is over."""
        with self._translated():
            require_space(self._path.parent)
        self._leave_read_only()

    def close(self) -> None:
        """Ends the connection. Later calls raise StoreUnavailable."""
        with self._lock:
            self._db.close()
            self._read_only = False  # nothing is opened again

    def _open(self) -> None:
        try:
            self._db, self._read_only = self._open_to_write(), False
        except sqlite3.Error as error:
            if not is_full(error):
                raise
            self._db, self._read_only = self._open_to_read(), True

    def _open_to_write(self) -> sqlite3.Connection:
        db = self._connect(f"{self._path.absolute().as_uri()}?mode=rwc")
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # fsync at every commit
            db.execute("PRAGMA foreign_keys = ON")
            if self._secure_delete:
                db.execute("PRAGMA secure_delete = ON")
                db.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            db.close()
            raise
        return db

    def _open_to_read(self) -> sqlite3.Connection:
        """For a full disk: the index of the write-ahead log is kept in memory.

        Raises DiskFull where the file has an older schema.
        """
        for name in ("-wal", "-shm"):  # a reader does not make them, and empty files need no space
            Path(f"{self._path}{name}").touch()
        db = self._connect(f"{self._path.absolute().as_uri()}?mode=ro&readonly_shm=1")
        try:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version != self._schema_version:
                raise disk_full()
        except BaseException:
            db.close()
            raise
        return db

    def _connect(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(
            uri, uri=True, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )

    def _leave_read_only(self) -> None:
        """Opens for writing if it is not yet. Raises DiskFull while that cannot be."""
        with self._lock, self._translated():
            if self._read_only:
                self._db.close()  # first: SQLite shares the index among the connections of a process
                self._open()
            if self._read_only:
                raise disk_full()

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

    def _upgrade(self, upgrades: Upgrades) -> None:
        with self.transaction() as db:  # several processes may start at once
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == self._schema_version:
                return
            if version not in upgrades:
                raise StoreUnavailable(
                    f"{self._path} has schema version {version}; this release reads {self._schema_version}. "
                    "Start the release that wrote it, or point TWOFOLD_STATE_DIR at another directory."
                )
            for statement in upgrades[version].split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {self._schema_version}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if is_full(error):
                raise disk_full() from error
            raise StoreUnavailable(
                f"The {self._noun} cannot be used now ({error}). Nothing was changed; try again shortly.",
                retry_after_s=self._retry_after_s,
            ) from error
