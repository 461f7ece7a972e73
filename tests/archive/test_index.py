"""The index: rows of objects, shared commits, removal, versions."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from dicomwire.archive import schema
from dicomwire.archive.attributes import COLUMNS, TABLES, Level
from dicomwire.archive.files import Files
from dicomwire.archive.index import Batch, Index, _Ticket
from dicomwire.archive.schema import WrongDatabase
from tests.archive.conftest import Open
from tests.archive.samples import Store, instance

COUNTS = "SELECT (SELECT count(*) FROM patients), (SELECT count(*) FROM studies),"
COUNTS += " (SELECT count(*) FROM series), (SELECT count(*) FROM instances)"


@pytest.mark.parametrize("level", list(Level))
def test_the_schema_has_a_column_for_each_attribute(store: Store, level: Level) -> None:
    found = {row[1] for row in store.rows(f"PRAGMA table_info({TABLES[level]})")}
    extra = {"id", "parent", "identity", "transfer_syntax", "digest", "file", "offset", "length"}
    assert found - extra == set(COLUMNS[level])


def test_it_is_durable_at_each_commit(store: Store) -> None:
    assert store.rows("PRAGMA journal_mode") == [("wal",)]
    assert store.index._writer.execute("PRAGMA synchronous").fetchone() == (2,)


def test_one_row_for_each_entity(store: Store) -> None:
    one = {"PatientID": "A", "StudyInstanceUID": "1.1"}
    store.add(
        instance(1, **one, SeriesInstanceUID="1.2"),
        instance(2, **one, SeriesInstanceUID="1.2"),
        instance(3, **one, SeriesInstanceUID="1.3"),
        instance(4, PatientID="A", StudyInstanceUID="1.4"),
        instance(5),
    )
    assert store.rows(COUNTS) == [(2, 3, 4, 5)]


def test_patients_without_an_id_are_not_one(store: Store) -> None:
    store.add(instance(1, PatientID=""), instance(2, PatientID=""))
    store.add(instance(3, PatientID="", StudyInstanceUID="1.2.1.1"))
    assert store.rows(COUNTS) == [(2, 2, 3, 3)]


def test_patients_of_different_issuers_are_two(store: Store) -> None:
    store.add(instance(1, PatientID="A", IssuerOfPatientID="X"), instance(2, PatientID="A"))
    assert store.rows(COUNTS)[0][0] == 2


def test_the_first_value_counts_and_an_empty_one_is_filled(store: Store) -> None:
    one = {"PatientID": "A", "StudyInstanceUID": "1.1"}
    store.add(
        instance(1, **one, PatientName="", StudyDescription="First"),
        instance(2, **one, PatientName="Late^Comer", StudyDescription="Second"),
    )
    assert store.rows("SELECT PatientName FROM patients") == [("Late^Comer",)]
    assert store.rows("SELECT StudyDescription FROM studies") == [("First",)]
    assert ("PatientName", "late^comer") in store.rows("SELECT keyword, folded FROM names")


@pytest.mark.parametrize(
    ("level", "uid", "gone", "left"),
    [
        (Level.IMAGE, "1.2.3.1", 1, (2, 2, 3, 3)),
        (Level.SERIES, "1.2", 2, (2, 2, 2, 2)),
        (Level.STUDY, "1.1", 3, (1, 1, 1, 1)),
        (Level.PATIENT, "ID9", 1, (1, 1, 2, 3)),
        (Level.STUDY, "9.9", 0, (2, 2, 3, 4)),
    ],
)
def test_removal(store: Store, level: Level, uid: str, gone: int, left: tuple[int, ...]) -> None:
    one = {"PatientID": "A", "StudyInstanceUID": "1.1"}
    store.add(
        instance(1, **one, SeriesInstanceUID="1.2"),
        instance(2, **one, SeriesInstanceUID="1.2"),
        instance(3, **one, SeriesInstanceUID="1.3"),
        instance(9),
    )
    assert store.index.remove(level, uid) == gone
    assert store.rows(COUNTS) == [left]
    assert len(store.objects) == left[3]
    assert len(store.rows("SELECT * FROM names")) == left[0]


def test_concurrent_changes_share_a_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commits, held, entered = [], threading.Event(), threading.Event()
    commit = store.index._commit

    def slow(tickets: list[object]) -> None:
        commits.append(len(tickets))
        if len(commits) == 1:
            entered.set()
            held.wait(20)
        commit(tickets)  # type: ignore[arg-type]

    monkeypatch.setattr(store.index, "_commit", slow)
    threads = [threading.Thread(target=store.add, args=[instance(0)])]
    threads[0].start()
    assert entered.wait(20)
    paths = [store.receive(instance(n)) for n in range(1, 8)]
    done = []

    def take(path: Path, number: int) -> None:
        done.append(store.take_file(path, instance().SOPClassUID, f"1.2.3.{number}").status)

    for number, path in enumerate(paths, 1):
        threads.append(threading.Thread(target=take, args=[path, number]))
        threads[-1].start()
    while len(store.index._queue) < 7:  # ends with the test's time-out if they do not come
        threading.Event().wait(0.001)
    held.set()
    for thread in threads:
        thread.join()
    assert commits == [1, 7]
    assert done == [0] * 7
    assert store.rows(COUNTS) == [(8, 8, 8, 8)]


def test_one_that_fails_does_not_harm_the_others(store: Store) -> None:
    paths = {n: store.receive(instance(n)) for n in (1, 2, 3)}
    paths[2].unlink()
    statuses = [
        store.take_file(path, instance().SOPClassUID, f"1.2.3.{n}").status
        for n, path in paths.items()
    ]
    assert [each == 0 for each in statuses] == [True, False, True]
    assert store.rows(COUNTS) == [(2, 2, 2, 2)]


def _notes(text: str, then: Exception | None = None) -> _Ticket:
    """Return a change that writes a row, and may fail after that."""

    def change(batch: Batch) -> str:
        batch.connection.execute("INSERT INTO doomed VALUES (?)", (text,))
        if then is not None:
            raise then
        return text

    return _Ticket(change)


def test_one_that_fails_does_not_harm_the_others_of_its_commit(store: Store) -> None:
    tickets = [_notes("a"), _notes("b", OSError("no")), _notes("c")]
    store.index._commit(tickets)
    assert [each.value for each in tickets if each.error is None] == ["a", "c"]
    assert str(tickets[1].error) == "no"
    assert store.rows("SELECT file FROM doomed") == [("a",), ("c",)]


def test_a_disk_that_fails_is_not_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail(names: Sequence[str]) -> None:
        asked.append(names)
        raise OSError(errno.EIO, "gone")

    monkeypatch.setattr(store.files, "sync", fail)
    tickets = [_notes("a"), _notes("b")]
    store.index._commit(tickets)
    assert len(asked) == 1
    assert all(isinstance(each.error, OSError) for each in tickets)
    assert not store.rows("SELECT file FROM doomed")


def test_whoever_waits_is_woken_to_write(store: Store) -> None:
    """Many threads, each of which may write for others; none is forgotten."""
    counts: list[int] = []

    def change(batch: Batch) -> None:
        counts.append(1)

    def work() -> None:
        for _ in range(50):
            store.index._submit(change)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(counts) == 400
    assert not store.index._queue
    assert not store.index._is_writing


def test_it_is_there_after_a_restart(opened: Open) -> None:
    store = opened()
    store.add(instance(1))
    store.close()
    again = Store(store.files.folder)
    assert again.rows(COUNTS) == [(1, 1, 1, 1)]
    assert again.take(instance(1)) == (0, "there already")
    again.close()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("PRAGMA user_version = 99", "version 99"),
        ("PRAGMA application_id = 1", "another program"),
        (None, "no database"),
    ],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, sql: str | None, why: str) -> None:
    path, files = tmp_path / "index.sqlite", Files(tmp_path / "a")
    Index(path, files).close()
    if sql is None:
        path.write_bytes(b"this is no database at all" * 100)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute(sql)
        connection.close()
    before = path.read_bytes()
    with pytest.raises(WrongDatabase, match=why):
        Index(path, files)
    assert path.read_bytes() == before
    files.close()


def test_versions_are_gone_through_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, files = tmp_path / "index.sqlite", Files(tmp_path / "a")
    Index(path, files).close()
    newer = (*schema.SCRIPTS, "CREATE TABLE second (x);", "INSERT INTO second VALUES (3);")
    monkeypatch.setattr(schema, "SCRIPTS", newer)
    index = Index(path, files)
    with index.reading() as connection:
        assert connection.execute("SELECT x FROM second").fetchall() == [(3,)]
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    index.close()
    Index(path, files).close()
    files.close()


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, files = tmp_path / "index.sqlite", Files(tmp_path / "a")
    Index(path, files).close()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCRIPTS", (*schema.SCRIPTS, "CREATE TABLE b (x); NONSENSE;"))
        with pytest.raises(sqlite3.Error):
            Index(path, files)
    index = Index(path, files)
    with index.reading() as connection:
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'b'").fetchall()
    index.close()
    files.close()


def test_a_place_that_is_taken_away_is_taken_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, taken_away = store.files.sync, []

    def wait(names: Sequence[str]) -> None:
        sync(names)
        if not taken_away:  # as a batch that fails does with what another has put there
            taken_away.extend(names)
            store.files.remove(names[0])

    monkeypatch.setattr(store.files, "sync", wait)
    assert store.take(instance()).status == 0
    assert [f"objects/{name[:2]}/{name}" for name in store.objects] == taken_away


def test_a_refused_object_leaves_no_file(store: Store) -> None:
    store.add(instance())
    before = store.objects
    assert store.take(instance(StudyDescription="other")).status == 0x0111
    assert store.objects == before
