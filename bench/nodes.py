"""Archives as they are installed, with some thousand studies each, into rows of the table."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.objects import make_studies
from bench.peers import OURS as TOOLS
from bench.peers import Scp, emptied, free_port, printed, python, run
from bench.place import KEYS, MOST_STUDIES, Absent, Place, entered, running
from bench.report import OURS, Bar, Row
from bench.turns import Found, Turn, in_turn

DURABLE = """\
What is on the disk when C-STORE is acknowledged:
  dicomwire  the file, its name, and its row (SQLite with synchronous=FULL)
  Orthanc    the file (SyncStorageArea, its default); its row when SQLite next makes a checkpoint
  dcmqrscp   nothing: file and index are in the system's memory"""
STUDIES = 5_000
QUERIES = 500
MOST_RUNS = 3  # of taking in, which may take half a minute each
JOBS = 4  # associations at once


@contextmanager
def node(folder: Path) -> Iterator[Scp]:
    """Run our archive in a folder, which is emptied."""
    emptied(folder)
    port = free_port()
    command = [*TOOLS, "qrscp", "-q", "-aet", "ARCHIVE", "-od", str(folder), str(port)]
    with running(command, port) as scp:
        yield scp


def ingest(scp: Scp, data: Path, count: int, jobs: int) -> float:
    """Send a folder to an archive; return the objects a second."""
    options = ["-aec", "ARCHIVE", "--jobs", str(jobs)]
    return (
        count / run([*TOOLS, "storescu", *options, "127.0.0.1", str(scp.port), str(data)]).seconds
    )


def single(scp: Scp | Absent, studies: int) -> float:
    """Ask for one study at a time; return the queries a second."""
    return float(printed(python("bench.single", scp.port, "ARCHIVE", QUERIES, studies)))


def archives(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare archives: taking studies in, listing all of them, finding one.

    Parameters
    ----------
    scratch : Path
        A folder in memory, for the studies.
    runs : int
        Counted runs.
    quick : bool
        Whether a tenth of the studies is enough.
    """
    print(DURABLE, file=sys.stderr)
    count = STUDIES // 10 if quick else STUDIES
    data = make_studies(scratch / "studies", count)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:  # on a disk, if /tmp is on one
        disk = Path(folder)
        taken = [_taken(disk, data, min(runs, MOST_RUNS), count, jobs) for jobs in (1, JOBS)]
        return [*taken, *_found(disk, data, runs, count)]


def _taken(disk: Path, data: Path, runs: int, count: int, jobs: int) -> Row:
    def ours() -> float:
        with node(disk / "node") as scp:
            return ingest(scp, data, count, jobs)

    def orthanc() -> float:
        with Place(disk, data, 0).empty_orthanc() as scp:
            return ingest(scp, data, count, jobs)

    found = in_turn(runs, [Turn(OURS, ours), Turn("Orthanc", orthanc)])
    associations = "1 association" if jobs == 1 else f"{jobs} associations"
    return _row(f"{count:,} studies into an archive, {associations}", found)


def _found(disk: Path, data: Path, runs: int, count: int) -> list[Row]:
    keys = dict.fromkeys(KEYS, "")
    place, few = Place(disk, data, 0), min(count, MOST_STUDIES)
    smaller = disk / "few"
    smaller.mkdir()
    for path in sorted(data.iterdir())[:few]:
        (smaller / path.name).write_bytes(path.read_bytes())

    @contextmanager
    def filled(empty: AbstractContextManager[Scp]) -> Iterator[Scp]:
        with empty as scp:
            ingest(scp, data, count, JOBS)
            place.check_found(scp.port, count, **keys)
            yield scp

    def all_of(scp: Scp | Absent, there: int) -> float:
        return there / place.by_dcmtk(scp.port, "find", **keys)

    with ExitStack() as stack:
        there = {
            OURS: (entered(stack, lambda: filled(node(disk / "node"))), count),
            "Orthanc": (entered(stack, lambda: filled(place.empty_orthanc())), count),
            f"dcmqrscp ({few} studies)": (entered(stack, Place(disk, smaller, 0).dcmtk), few),
        }
        listed = in_turn(runs, [Turn(name, partial(all_of, *each)) for name, each in there.items()])
        one = in_turn(runs, [Turn(name, partial(single, *each)) for name, each in there.items()])
    return [
        _row(f"C-FIND of all {count:,} studies of an archive", listed),
        _row(f"C-FIND of one of {count:,} studies", one),
    ]


def _row(work: str, found: Found[float]) -> Row:
    return Row(work, "1/s", found.figures, (Bar(1.0, "Orthanc"),), found.notes)
