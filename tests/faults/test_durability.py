"""What disks do into the answers of a folder store: A700, nothing partial, nothing old lost.

Rows S06 to S09 and S17 to S19 of the fault list, as far as a folder without an index goes. An error
is made where the system call is; full and read-only file systems are real ones where mounting is
allowed.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dicomwire.apps.receiving import Receiver
from dicomwire.dataset import folders, sinks
from dicomwire.protocol.command import decode_command, encode_command
from dicomwire.protocol.items import AsynchronousOperationsWindow, MaximumLength
from dicomwire.protocol.pdus import PDataTF, PresentationDataValue, ReleaseRQ
from tests.dataset.samples import instance_explicit
from tests.faults.folder_stores import (
    OUT_OF_RESOURCES,
    SERVERS,
    Standing,
    instance,
    part10,
    serving_of,
    store,
    stored,
)
from tests.faults.mounts import mounted
from tests.protocol.pairs import STORE, request

pytestmark = pytest.mark.socket

PATIENCE = 60.0
OLD, NEW = "1.2.3.1", "1.2.3.2"
BIG = 600_000  # bytes: more than one read, and so more than one write


@pytest.fixture(params=SERVERS)
def standing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Standing]:
    with serving_of(request.param, tmp_path / "received") as server:
        yield server


class Step(NamedTuple):
    """A step on the way of an object to the disk.

    Attributes
    ----------
    where : list of (module, name)
        What is called.
    fails : callable
        Given the number of the call, whether it is the one.
    leaves : int
        How many files of it there may be under its name: whole ones that nobody was promised.
    """

    where: Sequence[tuple[Any, str]]
    fails: Callable[[int], bool] = lambda call: True
    leaves: int = 0


STEPS = {
    "open": Step([(sinks.FileSink, "_create")]),
    "the first write": Step([(sinks, "_write_some")], lambda call: call == 1),
    "the last write": Step([(sinks, "_write_some")], lambda call: call > 1),
    "fsync": Step([(sinks.os, "fsync")]),
    "rename": Step([(sinks.os, "link"), (sinks.os, "replace"), (sinks, "_rename_over_own")]),
    "fsync of the folder": Step([(folders, "_sync")], leaves=1),
}
ERRORS = ("ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT")


@contextmanager
def broken(step: Step, error: str) -> Iterator[None]:
    """Let a step fail until the end of the block."""
    number = getattr(errno, error)
    with pytest.MonkeyPatch.context() as patch:
        for where, name in step.where:
            real, calls = getattr(where, name), iter(range(1, 1_000_000))

            def call(*args: Any, real: Any = real, calls: Iterator[int] = calls) -> Any:
                if step.fails(next(calls)):
                    raise OSError(number, os.strerror(number))
                return real(*args)

            patch.setattr(where, name, call)
        yield


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", STEPS)
def test_an_error_of_the_disk(
    standing: Standing, name: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = instance(OLD, BIG), instance(NEW, BIG)
    assert standing.store(OLD, old) == 0
    before = standing.names
    with broken(STEPS[name], error):
        assert standing.store(NEW, new) == OUT_OF_RESOURCES
        assert standing.echo() == 0
    assert os.strerror(getattr(errno, error)) in caplog.text
    assert "Traceback" not in caplog.text
    added = set(standing.names) - set(before)
    assert len(added) <= STEPS[name].leaves
    assert all(stored(standing.folder / each) == new for each in added)
    assert stored(standing.folder / f"CT.{OLD}") == old
    assert standing.store(NEW, new) == 0  # repaired, without a restart
    assert standing.names == [f"CT.{OLD}", f"CT.{NEW}"]
    assert stored(standing.folder / f"CT.{NEW}") == new


@pytest.mark.parametrize("name", STEPS)
def test_an_object_that_comes_again_while_the_disk_fails(standing: Standing, name: str) -> None:
    data = instance(OLD, BIG)
    assert standing.store(OLD, data) == 0
    with broken(STEPS[name], "ENOSPC"):
        assert standing.store(OLD, data) == OUT_OF_RESOURCES
    assert standing.names == [f"CT.{OLD}"]
    assert stored(standing.folder / f"CT.{OLD}") == data


@pytest.mark.parametrize("name", ["fsync", "fsync of the folder"])
def test_a_flush_that_fails_is_not_tried_again(
    standing: Standing, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((where, function),) = STEPS[name].where
    calls = []

    def failing(*args: Any) -> None:
        calls.append(args)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(where, function, failing)
    assert standing.store(NEW) == OUT_OF_RESOURCES
    assert len(calls) == 1


def test_the_folder_is_gone_and_comes_back(standing: Standing) -> None:
    standing.folder.rename(standing.folder.with_name("away"))
    assert standing.store(NEW) == OUT_OF_RESOURCES
    standing.folder.mkdir()
    assert standing.store(NEW) == 0
    assert standing.names == [f"CT.{NEW}"]


def test_success_comes_after_the_flushes(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes its time: there is no response, and no name, before it is done."""
    said: list[str] = []
    may_end = threading.Event()
    real = os.fsync

    def slow(fd: int) -> None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        said.append("folder" if path == standing.folder.resolve() else "file")
        assert [name for name in standing.names if name.startswith("CT.")] == (
            [] if said[-1] == "file" else [f"CT.{NEW}"]
        )
        assert may_end.wait(PATIENCE)
        assert "answered" not in said
        real(fd)

    monkeypatch.setattr(os, "fsync", slow)
    threading.Timer(0.0, may_end.set).start()
    assert standing.store(NEW) == 0
    said.append("answered")
    assert said == ["file", "folder", "answered"]


def test_without_flushes_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(fd: int) -> None:
        raise AssertionError("fsync")

    monkeypatch.setattr(os, "fsync", never)
    with serving_of("storescp", tmp_path / "received", "--no-flush") as standing:
        assert standing.store(NEW) == 0
        assert standing.names == [f"CT.{NEW}"]


# -- many under way: the flush of one goes on while the next comes ---------------------------


def many(folder: Path, count: int) -> dict[Path, bytes]:
    """Write files to send; return their data sets."""
    folder.mkdir()
    made = {}
    for number in range(count):
        uid = f"1.2.4.{number}"
        made[folder / uid] = data = instance(uid, number * 9000)
        (folder / uid).write_bytes(part10(data, uid))
    return made


@pytest.mark.parametrize("name", STEPS)
def test_of_many_under_way_those_that_fail_are_told(
    standing: Standing, name: str, tmp_path: Path
) -> None:
    sent = many(tmp_path / "sent", 24)
    step = STEPS[name]._replace(fails=lambda call: call % 3 == 0)
    with broken(step, "ENOSPC"), standing.associated(window=16) as association:
        outcomes = {path: outcome.status for path, outcome in association.c_stores(list(sent))}
    assert set(outcomes.values()) == {0, OUT_OF_RESOURCES}
    assert len(outcomes) == len(sent)
    for path, data in sent.items():
        final = standing.folder / f"CT.{path.name}"
        assert final.exists() or outcomes[path]
        assert not final.exists() or stored(final) == data
    assert all(name.startswith("CT.") for name in standing.names)


def test_responses_come_before_a_release_that_does_not_wait_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush takes until all requests, and the release, are there."""
    window = AsynchronousOperationsWindow(16, 1)
    is_there = threading.Event()
    real = os.fsync

    def slow(fd: int) -> None:
        assert is_there.wait(PATIENCE)
        real(fd)

    monkeypatch.setattr(os, "fsync", slow)
    with (
        serving_of("storescp", tmp_path / "received") as standing,
        socket.create_connection(("127.0.0.1", standing.port), PATIENCE) as sock,
    ):
        sock.sendall(request(MaximumLength(16382), window).encode())
        assert taken(sock)[0] == 2
        for number in range(5):
            uid = f"1.2.3.{number}"
            command = {**STORE, "AffectedSOPInstanceUID": uid, "CommandDataSetType": 1}
            command["MessageID"] = number
            for control, data in ((3, encode_command(command)), (2, instance_explicit(uid))):
                sock.sendall(PDataTF([PresentationDataValue(3, control, data)]).encode())
        sock.sendall(ReleaseRQ().encode())
        is_there.set()
        said = [taken(sock) for _ in range(6)]
        assert [kind for kind, _ in said] == [4] * 5 + [6]
        answered = [decode_command(body[6:]) for _, body in said[:5]]
        assert {each["MessageIDBeingRespondedTo"] for each in answered} == set(range(5))
        assert {each["Status"] for each in answered} == {0}


def taken(sock: socket.socket) -> tuple[int, bytes]:
    """Take a PDU; return its type and what follows its header."""
    head = sock.recv(6, socket.MSG_WAITALL)
    return head[0], sock.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)


def test_what_is_put_off_may_raise(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise ValueError("of the test")

    monkeypatch.setattr(Receiver, "_respond", fail)
    with standing.associated(window=16) as association:
        assert store(association, NEW, None) == 0xC211
        assert association.c_echo().status == 0
    assert standing.names == []


# -- the same UID again: rows S17 to S19 -----------------------------------------------------


def test_the_same_object_from_many_at_once_is_one_file(standing: Standing) -> None:
    data, statuses = instance(NEW, 5000), list[int]()
    threads = [
        threading.Thread(target=lambda: statuses.append(standing.store(NEW, data)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert statuses == [0] * 12
    assert standing.names == [f"CT.{NEW}"]
    assert stored(standing.folder / f"CT.{NEW}") == data


def test_different_objects_of_one_uid_from_many_at_once_are_all_kept(standing: Standing) -> None:
    objects = [instance(NEW, 2 * number) for number in range(12)]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda data=data: statuses.append(standing.store(NEW, data)))
        for data in objects
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert statuses == [0] * 12
    assert {stored(path) for path in standing.folder.iterdir()} == set(objects)
    assert len(standing.names) == 12


# -- real file systems -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVERS)
def test_a_full_file_system(kind: str, tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "small", "tmpfs", "size=1m") as place,
        serving_of(kind, place / "received") as standing,
    ):
        old, new = instance(OLD, 300_000), instance(NEW, 900_000)
        assert standing.store(OLD, old) == 0
        assert standing.store(NEW, new) == OUT_OF_RESOURCES
        assert standing.store(OLD, instance(OLD, 900_000)) == OUT_OF_RESOURCES
        assert standing.names == [f"CT.{OLD}"]
        assert stored(standing.folder / f"CT.{OLD}") == old
        assert standing.echo() == 0
        subprocess.run(["mount", "-o", "remount,size=4m", place], check=True)
        assert standing.store(NEW, new) == 0
        assert stored(standing.folder / f"CT.{NEW}") == new


@pytest.mark.parametrize("kind", SERVERS)
def test_a_read_only_file_system(kind: str, tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "small", "tmpfs", "size=1m") as place,
        serving_of(kind, place / "received") as standing,
    ):
        assert standing.store(OLD) == 0
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        assert standing.store(NEW) == OUT_OF_RESOURCES
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        assert standing.names == [f"CT.{OLD}"]
        assert standing.store(NEW) == 0
