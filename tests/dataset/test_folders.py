"""One flush serves all who wait for it, and its error is everybody's."""

from __future__ import annotations

import errno
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from dicomwire.dataset import folders
from dicomwire.dataset.folders import Folder

WAITING = 6
PATIENCE = 30.0


class Disk:
    """Flushes that end when they are told to."""

    def __init__(self) -> None:
        self.count = 0
        self.fails: dict[int, OSError] = {}
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def sync(self, path: str) -> None:
        self.count += 1
        mine = self.count
        self.begun.release()
        assert self.may_end.acquire(timeout=PATIENCE)
        if mine in self.fails:
            raise self.fails[mine]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(folders, "_sync", made.sync)
    return made


def gathered(folder: Folder, disk: Disk, threads: ThreadPoolExecutor) -> list[Future[None]]:
    """Begin a flush, and let others come while it runs."""
    first = threads.submit(folder.flush)
    assert disk.begun.acquire(timeout=PATIENCE)
    waiting = threading.Semaphore(0)
    wait = folder._changed.wait

    def counted(timeout: float | None = None) -> bool:
        waiting.release()
        return wait(timeout)

    folder._changed.wait = counted  # type: ignore[method-assign]
    others = [threads.submit(folder.flush) for _ in range(WAITING)]
    for _ in others:
        assert waiting.acquire(timeout=PATIENCE)
    disk.may_end.release()
    first.result(PATIENCE)
    assert disk.begun.acquire(timeout=PATIENCE)
    disk.may_end.release()
    return others


def test_those_who_come_meanwhile_share_the_next(disk: Disk) -> None:
    folder = Folder("somewhere")
    with ThreadPoolExecutor(WAITING + 1) as threads:
        for other in gathered(folder, disk, threads):
            other.result(PATIENCE)
    assert disk.count == 2


def test_an_error_is_everybodys_and_nobody_tries_again(disk: Disk) -> None:
    folder = Folder("somewhere")
    disk.fails[2] = OSError(errno.EIO, "Input/output error")
    with ThreadPoolExecutor(WAITING + 1) as threads:
        for other in gathered(folder, disk, threads):
            with pytest.raises(OSError, match="Input/output error"):
                other.result(PATIENCE)
    assert disk.count == 2
    disk.may_end.release()
    folder.flush()  # another name, another flush
    assert disk.count == 3


def test_who_is_interrupted_promises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "_sync", interrupted)
    folder = Folder("somewhere")
    flush = folder._next
    with pytest.raises(KeyboardInterrupt):
        folder.flush()
    assert flush.done
    assert isinstance(flush.error, InterruptedError)


def test_a_folder_is_flushed(tmp_path: Path) -> None:
    folders.flush_names(str(tmp_path))

    with pytest.raises(FileNotFoundError):
        folders.flush_names(str(tmp_path / "missing"))
