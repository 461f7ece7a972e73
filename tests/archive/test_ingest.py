"""C-STORE requests: what is taken, what is refused, and what is left when the process is killed."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from dicomwire.archive import files as files_module
from dicomwire.archive.ingest import SUCCESS
from tests.archive.conftest import Open
from tests.archive.samples import Store, instance, write

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("head", [0, 99, 1 << 11, 1 << 20])
@pytest.mark.parametrize("size", [0, 5_000, 600_000])
def test_an_object_is_there_as_it_came(store: Store, head: int, size: int) -> None:
    ds = instance(PixelData=bytes(range(250)) * (size // 250))
    ds["PixelData"].VR = "OW"
    received = store.receive(ds)
    contents = received.read_bytes()
    taken = store.take_file(received, ds.SOPClassUID, ds.SOPInstanceUID, head=head)
    assert taken == (SUCCESS, "stored")
    received.unlink()
    [(file, digest, offset, length)] = store.rows(
        "SELECT file, digest, offset, length FROM instances"
    )
    path = store.files.path(file)
    assert digest == hashlib.sha256(contents[offset:]).hexdigest()
    assert path.read_bytes() == contents
    assert offset + length == len(contents)
    assert store.objects == [path.name]


def test_the_same_again_is_well(store: Store) -> None:
    store.add(instance())
    assert store.take(instance()) == (SUCCESS, "there already")
    assert len(store.objects) == 1


def test_another_of_the_same_uid_is_refused(store: Store) -> None:
    store.add(instance(PatientComments="first"))
    before = store.objects
    status, comment = store.take(instance(PatientComments="second", PatientID="OTHER"))
    assert status == 0x0111
    assert "another of the same" in comment
    assert store.objects == before
    assert store.rows("SELECT PatientID, PatientComments FROM patients") == [("ID1", "first")]


def test_another_of_the_same_uid_replaces_where_that_is_wanted(opened: Open) -> None:
    store = opened(replace=True)
    store.add(instance(PatientComments="first"))
    before = store.objects
    taken = store.take(instance(PatientComments="second", PatientID="OTHER"))
    assert taken == (SUCCESS, "stored in the place of another")
    assert len(store.objects) == 1
    assert store.objects != before
    assert store.rows("SELECT PatientID, PatientComments FROM patients") == [("OTHER", "second")]


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"StudyInstanceUID": ""}, 0xA900),
        ({"SeriesInstanceUID": ""}, 0xA900),
        ({"StudyInstanceUID": "../x"}, 0xA900),
        ({"SeriesInstanceUID": "1*"}, 0xA900),
        ({"PatientID": ""}, 0x0000),
        ({"PatientID": "../../../etc/passwd"}, 0x0000),
        ({"PatientID": "'; DROP TABLE patients;--"}, 0x0000),
        ({"PatientName": "<script>%s%n{{7*7}}=cmd()\x1b[2J"}, 0x0000),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_must_be_there(store: Store, elements: dict[str, str], status: int) -> None:
    taken = store.take(instance(**elements))
    assert taken.status == status, taken
    assert len(store.objects) == (status == SUCCESS)
    if status == SUCCESS:
        [(keyword, value)] = elements.items()
        table = "patients"
        assert store.rows(f"SELECT {keyword} FROM {table}") == [(value,)]


def test_what_the_request_says_has_to_be_so(store: Store) -> None:
    ds = instance()
    received = store.receive(ds)
    assert store.take_file(received, "1.2.840.10008.5.1.4.1.1.4", "1.2.3.1").status == 0xA900
    assert store.take_file(received, ds.SOPClassUID, "1.2.3.2").status == 0xA900
    assert store.objects == []


@pytest.mark.parametrize("uid", ["../../x", "/etc/passwd", "..", "", "1.2.\0", "1" * 65, "1.02"])
def test_an_invalid_uid_reaches_no_path(store: Store, uid: str) -> None:
    received = store.receive(instance())
    assert store.take_file(received, instance().SOPClassUID, uid).status == 0x0117
    assert store.objects == []


def test_what_ends_early_is_not_stored(store: Store) -> None:
    ds = instance()
    received = write(store.files.incoming / ".x.part", ds)
    received.write_bytes(received.read_bytes()[:-3])
    assert store.take_file(received, ds.SOPClassUID, ds.SOPInstanceUID).status == 0xC000
    assert store.objects == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["link", "fsync"])
def test_a_disk_that_fails(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    store.add(instance(1))

    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(files_module.os, call, fail)
        if call == "link":
            patch.setattr(files_module.os, "replace", fail)
        assert store.take(instance(2)).status == 0xA700
    assert store.rows("SELECT SOPInstanceUID FROM instances") == [("1.2.3.1",)]
    assert len(store.objects) == 1
    again = store.take(instance(2)).status
    assert again == (0xA700 if number == errno.EIO else SUCCESS)  # never a second fsync


def test_a_database_that_fails_leaves_no_file(store: Store) -> None:
    store.add(instance(1))
    with store.index.reading() as other:
        other.execute("PRAGMA query_only = 0")
        other.execute("DROP TABLE names")
        assert store.take(instance(2)).status == 0xA700
    assert len(store.objects) == 1


def test_the_same_uid_from_everywhere_at_once_is_stored_once(store: Store) -> None:
    ways = [store.receive(instance(1, PatientComments=f"{n % 4}")) for n in range(24)]
    statuses = []

    def take(path: Path) -> None:
        statuses.append(store.take_file(path, instance().SOPClassUID, "1.2.3.1").status)
        path.unlink()

    threads = [threading.Thread(target=take, args=[path]) for path in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [0x0000] * 6 + [0x0111] * 18
    assert len(store.objects) == 1
    assert store.rows("SELECT count(*) FROM instances") == [(1,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_kill_at_any_line_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.archive.crash", tmp_path / "archive", "37"],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
