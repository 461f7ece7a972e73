"""A power cut right after Success: the disk as it is then, mounted anew, has every object, whole.

Row S01 of the fault list, for a folder store. The store is on a file system in a file; what the
system has not written into that file is what a power cut takes away. A copy of it is the disk.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from bench.soak import Server
from tests.conftest import require_program
from tests.faults.folder_stores import Standing, instance, serving_of, stored
from tests.faults.mounts import mounted

pytestmark = pytest.mark.socket

OBJECTS = 20
LATE = "commit=300"  # seconds: the file system writes nothing by itself while the test runs
SIZES = (0, 700, 20_000, 150_000)


def make_disk(path: Path) -> None:
    """Make a file system in a file."""
    program = require_program("mkfs.ext4")
    with path.open("wb") as file:
        file.truncate(32 << 20)
    # nothing is left to be written by the kernel later, when it may be in our way
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    command = [program, "-q", "-F", "-J", "size=4", "-E", lazy, str(path)]
    subprocess.run(command, check=True, capture_output=True)


def lost_by_cuts(kind: str, tmp_path: Path, *options: str) -> list[str]:
    """Store objects; return those that were not there after a cut right behind their Success.

    The disk is looked at three times: after the first, in the middle and at the end.
    """
    disk, lost = tmp_path / "disk", list[str]()
    make_disk(disk)
    with mounted(tmp_path / "mount", "ext4", f"loop,{LATE}", disk) as place:
        sent: dict[str, bytes] = {}
        with serving_of(kind, place / "received", *options) as standing:
            subprocess.run(["sync", "-f", str(place)], check=True)  # the folder itself is there
            for number in range(OBJECTS):
                uid = f"1.2.3.{number}"
                data = instance(uid, SIZES[number % len(SIZES)])
                assert standing.store(uid, data) == 0
                sent[uid] = data
                if number in (0, OBJECTS // 2, OBJECTS - 1):
                    after = tmp_path / f"after{number}"
                    shutil.copyfile(disk, after)
                    lost += missing(after, tmp_path / "anew", sent)
    return lost


def missing(disk: Path, place: Path, sent: dict[str, bytes]) -> list[str]:
    """Mount a disk; return who of those that were acknowledged is not there, or not whole."""
    with mounted(place, "ext4", "loop", disk):
        found = {path.name: path for path in (place / "received").glob("CT.*")}
        lost = [
            uid
            for uid, data in sent.items()
            if f"CT.{uid}" not in found or not is_whole(found[f"CT.{uid}"], data)
        ]
    disk.unlink()
    return lost


def is_whole(path: Path, data: bytes) -> bool:
    """Whether a file holds a data set; there may be nothing in it."""
    return path.stat().st_size > 0 and stored(path) == data


@pytest.mark.parametrize("kind", ["storescp", "asyncio"])
def test_what_is_acknowledged_survives(kind: str, tmp_path: Path) -> None:
    assert lost_by_cuts(kind, tmp_path) == []


def test_what_an_archive_acknowledges_survives(tmp_path: Path) -> None:
    """The same for qrscp: the file and its row, in an index that recovers from its log."""
    disk = tmp_path / "disk"
    make_disk(disk)
    with mounted(tmp_path / "mount", "ext4", f"loop,{LATE}", disk) as place:
        archive = Server("qrscp", place / "archive")
        try:
            standing, sent = Standing(archive.port, archive.folder), dict[str, bytes]()
            for number in range(OBJECTS):
                uid = f"1.2.3.{number}"
                sent[uid] = instance(uid, SIZES[number % len(SIZES)])
                assert standing.store(uid, sent[uid]) == 0
            shutil.copyfile(disk, tmp_path / "after")
        finally:
            archive.kill()
    with mounted(tmp_path / "anew", "ext4", "loop", tmp_path / "after") as place:
        with closing(sqlite3.connect(place / "archive" / "index.sqlite")) as index:
            rows = dict(index.execute("SELECT SOPInstanceUID, file FROM instances"))
        assert {uid: stored(place / "archive" / file) for uid, file in rows.items()} == sent


def test_without_flushes_it_does_not(tmp_path: Path) -> None:
    """The test can tell: what is not flushed is not in the copy."""
    assert len(lost_by_cuts("storescp", tmp_path, "--no-flush")) >= OBJECTS
