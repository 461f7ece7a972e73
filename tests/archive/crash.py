"""Kills a process at each line of the way into the archive, and looks at what is left.

Run with a folder and a stride. Again and again a child stores, replaces and removes an object; the
first is killed at the first line that it runs in the archive's modules, the next so many lines
later, until one comes through. After each the archive is opened again. Prints how many were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from dicomwire.archive import files, index, ingest
from dicomwire.archive.attributes import Level
from dicomwire.archive.files import Files
from dicomwire.archive.scan import scan
from dicomwire.dataset.part10 import read_header
from tests.archive.samples import Store, instance

WATCHED = {module.__file__ for module in (files, index, ingest)}


def kill_at(line: int) -> Callable[..., Any]:
    """Return a trace function that kills this process at so many lines from now."""
    left = line

    def on_line(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return on_line

    return lambda frame, event, _: on_line if frame.f_code.co_filename in WATCHED else None


def child(folder: Path, line: int, said: int) -> None:
    """Store an object, then another in its place, then remove it; say what is acknowledged."""
    store = Store(folder, replace=True)
    sys.settrace(kill_at(line))
    for text in ("first", "second"):
        ds = instance(line, StudyDescription=text)
        received = store.receive(ds)
        taken = store.take_file(received, ds.SOPClassUID, ds.SOPInstanceUID)
        assert taken.status == 0, taken
        os.write(said, f"{text}\n".encode())
        received.unlink()
    os.write(said, b"removing\n")
    store.index.remove(Level.IMAGE, f"1.2.3.{line}")
    os.write(said, b"removed\n")
    os._exit(0)


def check(folder: Path, line: int, said: list[str]) -> None:
    """Open what a crash has left; assert that nothing acknowledged is lost, nothing half there."""
    store = Store(folder)
    rows = store.rows("SELECT SOPInstanceUID, file, digest, offset FROM instances")
    found = [row[0] for row in store.rows("SELECT StudyDescription FROM studies")]
    assert len(found) == len(rows) <= 1, (found, rows)
    if "removed" in said:
        assert not rows
    elif "removing" not in said:
        expected = {"second": ["second"], "first": ["first", "second"]}
        assert not said or found[0] in expected[said[-1]], (said, found)
    assert store.objects == [Path(row[1]).name for row in rows], "a file without row, or lost"
    assert list(store.files.incoming.iterdir()) == [], "a temporary file is left"
    assert not store.rows("SELECT * FROM doomed")
    for _, file, digest, _ in rows:
        header = read_header(store.files.path(file))
        with store.files.path(file).open("rb") as opened:
            opened.seek(header.offset)
            assert scan(opened, header.transfer_syntax_uid).digest == digest
        assert Files.name(digest) == file
    store.index.remove(Level.IMAGE, f"1.2.3.{line}")
    names = store.rows("SELECT * FROM names")
    assert names == [], names
    store.close()


def main(folder: Path, stride: int) -> None:
    """Kill at lines of a stride; 1 is every line, and takes minutes."""
    Store(folder).close()
    for line in count(1, stride):
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            try:
                child(folder, line, writing)
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as told:
            said = told.read().split()
        _, status = os.waitpid(process, 0)
        check(folder, line, said)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, said
            sys.stdout.write(str(line // stride))
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
