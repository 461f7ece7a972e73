"""Archives as they are installed, with some thousand studies each, into rows of the table."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from bench.objects import make_studies
from bench.peers import FAST, OURS, Scp, emptied, free_port, run
from bench.querying import KEYS, MOST_STUDIES, Place, in_turn, row, running
from bench.report import Row

DURABLE = """\
What is on the disk when C-STORE is acknowledged:
  dicomwire  the file, its name, and its row (SQLite with synchronous=FULL)
  Orthanc    the file (SyncStorageArea, its default); its row when SQLite next makes a checkpoint
  dcmqrscp   nothing: file and index are in the system's memory"""
QUERIES = 500
MOST_RUNS = 3  # of taking in, which may take half a minute each
JOBS = 4  # associations at once


@contextmanager
def node(folder: Path) -> Iterator[Scp]:
    """Run our archive in a folder."""
    port = free_port()
    command = [*OURS, "qrscp", "-q", "-aet", "ARCHIVE", "-od", str(folder), str(port)]
    with running(command, port) as scp:
        yield scp


def ingest(scp: Scp, data: Path, count: int, jobs: int) -> float:
    """Send a folder to an archive; return the objects a second."""
    options = ["-aec", "ARCHIVE", "--jobs", str(jobs)]
    return count / run([*OURS, "storescu", *options, "127.0.0.1", str(scp.port), str(data)]).seconds


def single(scp: Scp, studies: int) -> float:
    """Ask for one study at a time; return the queries a second."""
    command = [sys.executable, "-m", "bench.single", str(scp.port), "ARCHIVE"]
    return float(subprocess.check_output([*command, str(QUERIES), str(studies)], env=FAST))


def archives(scratch: Path, runs: int, count: int) -> list[Row]:
    """Compare archives: taking studies in, listing all of them, finding one.

    Parameters
    ----------
    scratch : Path
        A folder in memory, for the studies.
    runs : int
        Counted runs.
    count : int
        How many studies.
    """
    print(DURABLE, file=sys.stderr)
    scratch.mkdir()
    data = make_studies(scratch / "studies", count)
    few = min(count, MOST_STUDIES)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:  # on a disk, if /tmp is on one
        return [
            *_taken(Path(folder), data, runs, count),
            *_found(Path(folder), data, runs, count, few),
        ]


def _new_folder(disk: Path) -> Path:
    """Return a folder that is new; what an earlier run has stored stays until all have ended.

    An ext4 without a journal looks for inodes that were not freed in the last seconds, one by one:
    who stores right after thousands of files were removed waits for that.
    """
    return Path(tempfile.mkdtemp(dir=disk))


def _taken(disk: Path, data: Path, runs: int, count: int) -> list[Row]:
    rows = []
    for jobs in (1, JOBS):

        def ours(jobs: int = jobs) -> float:
            with node(_new_folder(disk)) as scp:
                return ingest(scp, data, count, jobs)

        def orthanc(jobs: int = jobs) -> float:
            with Place(_new_folder(disk), data, 0).empty_orthanc() as scp:
                return ingest(scp, data, count, jobs)

        found = in_turn(min(runs, MOST_RUNS), {"dicomwire": ours, "Orthanc": orthanc})
        associations = "1 association" if jobs == 1 else f"{jobs} associations"
        rows.append(_beside_orthanc(f"{count:,} studies into an archive, {associations}", found))
    return rows


def _found(disk: Path, data: Path, runs: int, count: int, few: int) -> list[Row]:
    keys = dict.fromkeys(KEYS, "")
    place = Place(disk, data, 0)
    emptied(disk / "node")
    smaller = Path(disk / "few")
    smaller.mkdir()
    for path in sorted(data.iterdir())[:few]:
        (smaller / path.name).write_bytes(path.read_bytes())
    with (
        node(disk / "node") as ours,
        place.empty_orthanc() as orthanc,
        Place(disk, smaller, 0).dcmtk() as theirs,
    ):
        for scp in (ours, orthanc):
            ingest(scp, data, count, JOBS)
            place.check_found(scp.port, count, **keys)

        def all_of(scp: Scp, there: int) -> float:
            return there / place.by_dcmtk(scp.port, "find", **keys)

        listed = in_turn(
            runs,
            {
                "dicomwire": partial(all_of, ours, count),
                "Orthanc": partial(all_of, orthanc, count),
                f"dcmqrscp ({few} studies)": partial(all_of, theirs, few),
            },
        )
        one = in_turn(
            runs,
            {
                "dicomwire": partial(single, ours, count),
                "Orthanc": partial(single, orthanc, count),
                f"dcmqrscp ({few} studies)": partial(single, theirs, few),
            },
        )
    return [
        _beside_orthanc(f"C-FIND of all {count:,} studies of an archive", listed),
        _beside_orthanc(f"C-FIND of one of {count:,} studies", one),
    ]


def _beside_orthanc(work: str, found: dict[str, list[float]]) -> Row:
    made = row(work, "1/s", found, "at most 1.00 x Orthanc")
    made.against = "Orthanc"
    made.met = median(made.ratios) <= 1.0
    return made
