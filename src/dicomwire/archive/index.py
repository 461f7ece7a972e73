"""What was found in objects into the rows of the index, durably, and many at a time.

There is one writer at a time. Whoever has a change puts it in the queue; who finds nobody writing
commits all that waits, the others sleep until theirs is done or it is for them to write. So
concurrent associations share a commit, and the one that is alone waits for nobody. A change is a
function that is handed the batch it is part of; it may be called again, after what it did was
undone.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from dicomwire.archive.attributes import COLUMNS, NAMES, TABLES, UNIQUE_KEYS, Level
from dicomwire.archive.files import Files
from dicomwire.archive.schema import migrate
from dicomwire.archive.text import folded, name_groups, plain

BUSY = 5.0  # seconds that another process may hold the database
_MOST_READERS = 16  # connections that are kept for the next reader


class Record(NamedTuple):
    """An object that is going to be indexed.

    Parameters
    ----------
    values : dict
        Text by keyword, see `scan.Scanned`.
    transfer_syntax, digest : str
        How it is encoded, and the SHA-256 of that.
    offset, length : int
        Where in the file the data set begins, and its length, in bytes.
    temporary : str
        The file, finished, under its temporary name.
    """

    values: dict[str, str]
    transfer_syntax: str
    digest: str
    offset: int
    length: int
    temporary: str


class Outcome(Enum):
    """What became of an object."""

    STORED = "stored"
    SAME = "there already"
    KEPT_FIRST = "not stored: there is another of the same SOP Instance UID"
    REPLACED = "stored in the place of another"


class Batch:
    """Changes that are committed together.

    Attributes
    ----------
    connection : sqlite3.Connection
        In a transaction.
    """

    def __init__(self, connection: sqlite3.Connection, files: Files) -> None:
        self.connection = connection
        self._files = files
        self._linked: list[str] = []
        self._doomed: list[str] = []

    def link(self, temporary: str, name: str) -> None:
        """Give a file its place; it loses it again when the batch fails."""
        self._files.link(temporary, name)
        self._linked.append(name)

    def doom(self, name: str) -> None:
        """Remove a file after the commit, or after a crash."""
        self.connection.execute("INSERT OR IGNORE INTO doomed VALUES (?)", (name,))
        self._doomed.append(name)

    def make(self, tickets: Iterable[_Ticket]) -> None:
        """Make changes; raise `_Unmade` when one cannot be."""
        try:
            for ticket in tickets:
                ticket.value = ticket.change(self)
        except (OSError, sqlite3.Error, ValueError) as error:
            raise _Unmade(error) from error

    def undo(self) -> None:
        """Take files from their places again."""
        for name in self._linked:
            with suppress(OSError):
                self._files.remove(name)

    def sync(self) -> None:
        """Wait until the disk has the files and their names."""
        self._files.sync(self._linked)

    def clean(self) -> None:
        """Remove the doomed files that no instance has."""
        for name in self._doomed:
            if not _is_known(self.connection, name):
                with suppress(OSError):
                    self._files.remove(name)


class _Unmade(Exception):
    """A change that cannot be made, because of an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class _Ticket:
    """A change that waits to be made, and what became of it; `gate` opens when it is its turn."""

    __slots__ = ("change", "done", "error", "gate", "value")

    def __init__(self, change: Callable[[Batch], Any]) -> None:
        self.change = change
        self.done = False
        self.gate = threading.Lock()
        self.gate.acquire()
        self.error: Exception | None = None
        self.value: Any = None


class Index:
    """The index of an archive.

    Parameters
    ----------
    path : Path
        The SQLite database; it is made when it is missing.
    files : Files
        The archive's files.

    Attributes
    ----------
    left : int
        How many temporary files a crash had left.

    Raises
    ------
    WrongDatabase
        When the file cannot be used.
    sqlite3.Error
        When it cannot be opened or made.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self._path = path
        self._files = files
        self._queue: list[_Ticket] = []
        self._is_writing = False  # somebody, or is about to
        self._lock = threading.Lock()  # of the queue and of the readers
        self._turn = threading.Lock()  # of the connection that writes
        self._readers: list[sqlite3.Connection] = []
        self._writer = self._connect()
        try:
            migrate(self._writer)
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("PRAGMA temp_store = MEMORY")  # nothing of it outlives a crash
            self.left = files.recover(lambda name: _is_known(self._writer, name))
            self._submit(_finish_removals)
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, timeout=BUSY, isolation_level=None, check_same_thread=False
        )

    def close(self) -> None:
        """Close the database, after the changes that wait."""
        with self._turn:
            self._writer.close()
        with self._lock:
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that may read: it sees what was committed when its query began."""
        with self._lock:
            reader = self._readers.pop() if self._readers else None
        if reader is None:
            reader = self._connect()
            reader.execute("PRAGMA query_only = 1")
        try:
            yield reader
        except BaseException:
            reader.close()
            raise
        with self._lock:
            keep = len(self._readers) < _MOST_READERS
            if keep:
                self._readers.append(reader)
        if not keep:
            reader.close()

    def counts(self) -> dict[Level, int]:
        """Return how many patients, studies, series and instances there are."""
        with self.reading() as connection:
            return {
                level: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                for level, table in TABLES.items()
            }

    # -- the writer --------------------------------------------------------------------------

    def _submit(self, change: Callable[[Batch], Any]) -> Any:
        """Make a change durable, with all others that wait; return what it returns."""
        ticket = _Ticket(change)
        with self._lock:
            self._queue.append(ticket)
            waits, self._is_writing = self._is_writing, True
        if waits:
            ticket.gate.acquire()
        if not ticket.done:
            self._write()
        if ticket.error is not None:
            raise ticket.error
        return ticket.value

    def _write(self) -> None:
        """Commit what waits; wake those who are done, and who is to write next."""
        with self._lock:
            tickets, self._queue = self._queue, []
        try:
            with self._turn:
                self._commit(tickets)
        finally:
            for ticket in tickets:
                ticket.done = True
            with self._lock:
                self._is_writing = bool(self._queue)
                woken = [*self._queue[:1], *tickets]
            for ticket in woken:
                ticket.gate.release()

    def _commit(self, tickets: list[_Ticket]) -> None:
        """Make changes in one transaction; where one of many fails, each in one of its own."""
        batch = Batch(self._writer, self._files)
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            batch.make(tickets)
            batch.sync()
            self._writer.execute("COMMIT")
        except _Unmade as unmade:
            self._undo(batch)
            if len(tickets) == 1:
                tickets[0].error = unmade.error
            else:
                for ticket in tickets:
                    self._commit([ticket])
        except (OSError, sqlite3.Error) as error:  # the disk is not asked a second time
            self._undo(batch)
            for ticket in tickets:
                ticket.error = error
        else:
            batch.clean()

    def _undo(self, batch: Batch) -> None:
        with suppress(sqlite3.Error):
            self._writer.execute("ROLLBACK")
        batch.undo()

    def add(self, record: Record, replace: bool = False) -> Outcome:
        """Index an object and give its file its place; both are durable when this returns.

        Parameters
        ----------
        record : Record
            The object.
        replace : bool
            Whether it takes the place of one with other contents and the same SOP Instance UID.

        Raises
        ------
        OSError, sqlite3.Error
            What kept it from that: there is nothing of it then.
        """
        name = self._files.name(record.digest)
        placed = self._files.place(record.temporary, name)
        try:
            if placed:  # many may wait for the disk at once; in the writer's turn one would
                self._files.sync((name,))
            outcome: Outcome = self._submit(
                lambda batch: _add(batch, self._files, record, replace, placed)
            )
        except BaseException:
            if placed:
                self._displace(name)
            raise
        if placed and outcome is Outcome.KEPT_FIRST:
            self._displace(name)
        return outcome

    def _displace(self, name: str) -> None:
        """Take a file from its place, unless an instance has got it meanwhile."""
        with self._turn, suppress(OSError, sqlite3.Error):
            if not _is_known(self._writer, name):
                self._files.remove(name)

    def remove(self, level: Level, uid: str) -> int:
        """Remove what is in a patient, study, series or instance, files too.

        Parameters
        ----------
        level : Level
            Which of them.
        uid : str
            Its unique key.

        Returns
        -------
        int
            How many instances that were.
        """
        count: int = self._submit(lambda batch: _remove(batch, level, uid))
        return count

    def clear(self) -> int:
        """Remove everything, a study at a time; return how many instances that were."""
        with self.reading() as connection:
            found = connection.execute("SELECT DISTINCT StudyInstanceUID FROM studies").fetchall()
        return sum(self.remove(Level.STUDY, uid) for (uid,) in found)


def _is_known(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM instances WHERE file = ?", (name,))
    return found.fetchone() is not None


# -- changes -----------------------------------------------------------------------------------


def _add(batch: Batch, files: Files, record: Record, replace: bool, placed: bool) -> Outcome:
    connection = batch.connection
    name = files.name(record.digest)
    uid = record.values["SOPInstanceUID"]
    there = connection.execute(
        "SELECT digest, file FROM instances WHERE SOPInstanceUID = ?", (uid,)
    ).fetchone()
    if there is not None:
        if there[0] == record.digest:
            return Outcome.SAME
        if not replace:
            return Outcome.KEPT_FIRST
        _remove(batch, Level.IMAGE, uid)
    if not (placed and files.has(name)):  # a batch that failed may have taken it away
        batch.link(record.temporary, name)
    parent, is_new = 0, False
    for level in (Level.PATIENT, Level.STUDY, Level.SERIES):
        parent, is_new = _entity(connection, level, parent, is_new, record.values)
    kept = [record.values.get(column, "") for column in COLUMNS[Level.IMAGE]]
    place = (record.transfer_syntax, record.digest, name, record.offset, record.length)
    connection.execute(_INSERT[Level.IMAGE], (parent, *kept, *place))
    return Outcome.REPLACED if there is not None else Outcome.STORED


_WHOSE = {level: "parent" if level else "identity" for level in Level}
"""The column that says to what an entity belongs; a patient belongs to nothing."""
_OF_FILES = ("transfer_syntax", "digest", "file", "offset", "length")


def _inserts(level: Level) -> str:
    columns = (_WHOSE[level], *COLUMNS[level], *(_OF_FILES if level is Level.IMAGE else ()))
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {TABLES[level]} ({', '.join(columns)}) VALUES ({marks})"


def _selects(level: Level) -> str:
    key = f"parent = ? AND {UNIQUE_KEYS[level]} = ?" if level else "identity = ?"
    return f"SELECT id, {', '.join(COLUMNS[level])} FROM {TABLES[level]} WHERE {key}"


_INSERT = {level: _inserts(level) for level in Level}
_SELECT = {level: _selects(level) for level in Level}
_NAMES = {level: [row.keyword for row in NAMES if row.level is level] for level in Level}


def identity(values: dict[str, str]) -> str:
    """Return what tells a patient from all others.

    Objects without Patient ID are no one patient: each study of theirs has one of its own.
    """
    if values.get("PatientID"):
        return f"{values['PatientID']}\\{values.get('IssuerOfPatientID', '')}"
    return f"\\\\{values['StudyInstanceUID']}"


def _entity(
    connection: sqlite3.Connection,
    level: Level,
    parent: int,
    of_new: bool,
    values: dict[str, str],
) -> tuple[int, bool]:
    """Return the row of a patient, study or series, and whether it was made.

    One that is there gets what it has not yet; what is new has nothing below it.
    """
    key = (parent, values[UNIQUE_KEYS[level]]) if level else (identity(values),)
    kept = [values.get(column, "") for column in COLUMNS[level]]
    there = None if of_new else connection.execute(_SELECT[level], key).fetchone()
    if there is None:
        done = connection.execute(_INSERT[level], (key[0], *kept))
        entity = int(done.lastrowid or 0)
        _name(connection, level, entity, values)
        return entity, True
    new = {
        column: value
        for column, old, value in zip(COLUMNS[level], there[1:], kept, strict=True)
        if value and not old
    }
    if new:
        settings = ", ".join(f"{each} = ?" for each in new)
        connection.execute(
            f"UPDATE {TABLES[level]} SET {settings} WHERE id = ?", (*new.values(), there[0])
        )
        _name(connection, level, there[0], new)
    return int(there[0]), False


def _name(
    connection: sqlite3.Connection, level: Level, entity: int, values: dict[str, str]
) -> None:
    """Note the names that a row has got, as they are compared."""
    rows = [
        (keyword, entity, folded(group), plain(group))
        for keyword in _NAMES[level]
        if (value := values.get(keyword))
        for each in value.split("\\")
        for group in name_groups(each)
    ]
    if rows:
        connection.executemany("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", rows)


def _remove(batch: Batch, level: Level, uid: str) -> int:
    connection = batch.connection
    tables = " ".join(
        f"JOIN {TABLES[above]} ON {TABLES[below]}.parent = {TABLES[above]}.id"
        for below, above in ((Level.IMAGE, Level.SERIES), (Level.SERIES, Level.STUDY),
                             (Level.STUDY, Level.PATIENT))
    )  # fmt: skip
    found = connection.execute(
        "SELECT instances.id, file, series.id, studies.id, patients.id"
        f" FROM instances {tables} WHERE {TABLES[level]}.{UNIQUE_KEYS[level]} = ?",
        (uid,),
    ).fetchall()
    for instance, file, *_ in found:
        connection.execute("DELETE FROM instances WHERE id = ?", (instance,))
        batch.doom(file)
    for column, above in ((2, Level.SERIES), (3, Level.STUDY), (4, Level.PATIENT)):
        for entity in {row[column] for row in found}:
            _remove_empty(connection, above, entity)
    return len(found)


def _remove_empty(connection: sqlite3.Connection, level: Level, entity: int) -> None:
    below = TABLES[Level(level + 1)]
    if connection.execute(f"SELECT 1 FROM {below} WHERE parent = ?", (entity,)).fetchone():
        return
    connection.execute(f"DELETE FROM {TABLES[level]} WHERE id = ?", (entity,))
    connection.executemany(
        "DELETE FROM names WHERE keyword = ? AND entity = ?",
        [(keyword, entity) for keyword in _NAMES[level]],
    )


def _finish_removals(batch: Batch) -> None:
    """Remove the files that a crash kept from being removed, and forget all that were."""
    for (name,) in batch.connection.execute("SELECT file FROM doomed").fetchall():
        batch.doom(name)
    batch.connection.execute("DELETE FROM doomed")
