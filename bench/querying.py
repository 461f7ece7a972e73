"""Queries and retrievals by every peer, in turn, into rows of the table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.objects import make_objects, make_studies
from bench.peers import FAST, OURS, Scp, dcmtk, emptied, free_port, program, run
from bench.recorded import record, replaying
from bench.report import Row

STUDY = "2.25.2"  # of what `make_objects` writes
KEYS = ["StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "StudyInstanceUID"]
MOST_STUDIES = 500  # that dcmqridx takes into the index of dcmqrscp
SLOWER = 10  # how much less work pynetdicom is given


@contextmanager
def running(command: list[str], port: int) -> Iterator[Scp]:
    """Run a server until the block is left."""
    scp = Scp(command, port)
    try:
        yield scp
    finally:
        scp.end()


class Place:
    """Where the archives of one comparison listen and store.

    Parameters
    ----------
    scratch : Path
        A folder in memory.
    data : Path
        The files that every archive has.
    matches : int
        How many identifiers ours and pynetdicom's have in memory.
    """

    def __init__(self, scratch: Path, data: Path, matches: int) -> None:
        self.scratch, self.data, self.matches = scratch, data, matches
        self.own_port = free_port()
        self.inbox = scratch / "inbox"

    def library(self, name: str, matches: int, data: Path) -> Any:
        """Run an archive by dicomwire or pynetdicom."""
        port = free_port()
        command = [sys.executable, "-m", "bench.archive", name, str(port), str(matches)]
        return running([*command, str(data), str(self.own_port)], port)

    def dcmtk(self) -> Any:
        """Run DCMTK's archive over the files."""
        port, folder = free_port(), self.scratch / "dcmqrscp"
        if not folder.exists():
            folder.mkdir()
            for path in self.data.iterdir():
                (folder / path.name).hardlink_to(path)
            files = [str(path) for path in sorted(folder.iterdir())]
            run([dcmtk("dcmqridx"), str(folder), *files])
        settings = self.scratch / "dcmqrscp.cfg"
        settings.write_text(
            f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
            f"HostTable BEGIN\nbench = (BENCH, 127.0.0.1, {self.own_port})\nHostTable END\n"
            "VendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\nARCHIVE {folder} RW (20000, 1024mb) ANY\nAETable END\n"
        )
        return running([dcmtk("dcmqrscp"), "-c", str(settings)], port)

    @contextmanager
    def orthanc(self) -> Iterator[Scp]:
        """Run Orthanc, and store the files there."""
        with self.empty_orthanc() as scp:
            run([*OURS, "storescu", "127.0.0.1", str(scp.port), str(self.data)])
            yield scp

    @contextmanager
    def empty_orthanc(self) -> Iterator[Scp]:
        """Run Orthanc with its files and its index in the folder; all else is as it comes."""
        port, folder = free_port(), self.scratch / "orthanc"
        emptied(folder)
        settings: dict[str, Any] = {
            "Name": "bench", "StorageDirectory": str(folder), "IndexDirectory": str(folder),
            "Plugins": [], "HttpPort": free_port(), "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False, "DicomAet": "ARCHIVE", "DicomPort": port,
            "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "SaveJobs": False,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {"bench": ["BENCH", "127.0.0.1", self.own_port]},
        }  # fmt: skip
        path = self.scratch / "orthanc.json"
        path.write_text(json.dumps(settings))
        with running([program("Orthanc"), str(path)], port) as scp:
            yield scp

    def ask(self, library: str, port: int, what: str) -> dict[str, float]:
        """Ask an archive with dicomwire or pynetdicom; what `bench.ask` says."""
        emptied(self.inbox)
        command = [sys.executable, "-m", "bench.ask", library, str(port), "ARCHIVE", what]
        said = subprocess.check_output([*command, str(self.inbox), str(self.own_port)], env=FAST)
        found: dict[str, float] = json.loads(said)
        return found

    def by_dcmtk(self, port: int, what: str, **keys: str) -> float:
        """Ask an archive with a tool of DCMTK; the seconds without the start of the process."""
        tool = dcmtk(f"{what}scu")
        start = median(run([tool, "--version"]).seconds for _ in range(3))
        emptied(self.inbox)
        return run([tool, *self._arguments(port, what, **keys)]).seconds - start

    def check_found(self, port: int, count: int, **keys: str) -> None:
        """Check that an archive has so many matches."""
        command = [dcmtk("findscu"), *self._arguments(port, "find", **keys)]
        command.remove("-q")
        said = subprocess.run(command, env=FAST, capture_output=True, check=True).stderr
        if (found := said.count(b"(Pending)")) != count:
            raise SystemExit(f"{count} matches were expected, {found} came")

    def _arguments(self, port: int, what: str, **keys: str) -> list[str]:
        calls = {
            "find": ["-q"],
            "get": ["-od", str(self.inbox)],
            "move": ["-od", str(self.inbox), "-aem", "BENCH", "+P", str(self.own_port)],
        }
        wanted: list[str] = []
        for name, value in {"QueryRetrieveLevel": "STUDY", **keys}.items():
            wanted += ["-k", f"{name}={value}"]
        titles = ["-aet", "BENCH", "-aec", "ARCHIVE", "-S", *calls[what], *wanted]
        return [*titles, "127.0.0.1", str(port)]


def in_turn(runs: int, works: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Do the works one after the other, several times; the first round is not counted."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(runs + 1):
        for name, work in works.items():
            result = work()
            if number:
                found[name].append(result)
    return found


def row(work: str, unit: str, found: dict[str, list[float]], bar: str) -> Row:
    """Make a row of the table; `dicomwire` and `DCMTK` are compared, the others stand beside."""
    others = {
        name: figures for name, figures in found.items() if name not in ("dicomwire", "DCMTK")
    }
    return Row(work, unit, found["dicomwire"], found.get("DCMTK", []), bar, others=others)


def query(scratch: Path, runs: int, count: int) -> list[Row]:
    """Compare the answers to a query."""
    scratch.mkdir()
    data = make_studies(scratch / "studies", count)
    place, few = Place(scratch, data, count), min(max(count // SLOWER, 1), MOST_STUDIES)
    (scratch / "few").mkdir()
    smaller = Place(scratch / "few", make_studies(scratch / "few" / "studies", few), few)
    keys = dict.fromkeys(KEYS, "")
    none = scratch / "none"
    none.mkdir()

    with (
        place.library("dicomwire", count, none) as ours,
        place.library("pynetdicom", few, none) as pynetdicom,
        smaller.dcmtk() as theirs,
    ):
        for port, expected in ((ours.port, count), (pynetdicom.port, few), (theirs.port, few)):
            place.check_found(port, expected, **keys)
        sent = in_turn(
            runs,
            {
                "dicomwire": lambda: count / place.by_dcmtk(ours.port, "find", **keys),
                "DCMTK": lambda: few / place.by_dcmtk(theirs.port, "find", **keys),
                "pynetdicom": lambda: few / place.by_dcmtk(pynetdicom.port, "find", **keys),
            },
        )
    scp = row(f"C-FIND, {count:,} matches of our SCP to findscu", "1/s", sent, "10,000/s or more")
    scp.met = median(scp.ours) >= 10_000
    with place.orthanc() as orthanc:
        flow: list[float] = []

        def ask() -> float:
            found = place.ask("dicomwire", orthanc.port, "find")
            flow.append(count / (found["seconds"] - found["first"]))
            return count / found["seconds"]

        received = in_turn(
            runs,
            {
                "dicomwire": ask,
                "DCMTK": lambda: count / place.by_dcmtk(orthanc.port, "find", **keys),
            },
        )
        received["pynetdicom"] = [count / place.ask("pynetdicom", orthanc.port, "find")["seconds"]]
        said = record(orthanc.port, lambda port: place.ask("dicomwire", port, "find"))
    with replaying(said) as port:
        taken = [count / place.ask("dicomwire", port, "find")["seconds"] for _ in range(runs + 1)]
    whole = row(f"C-FIND, {count:,} matches of Orthanc to our SCU", "1/s", received, "at most 1.10")
    whole.met = median(whole.ratios) <= 1.10
    stream = row(
        "the same, from the first match on", "1/s", {"dicomwire": flow[1:]}, "16,000/s or more"
    )
    stream.met = median(stream.ours) >= 16_000
    replayed = row(
        "the same answers from memory, by a bare socket",
        "1/s",
        {"dicomwire": taken[1:]},
        "16,000/s or more",
    )
    replayed.met = median(replayed.ours) >= 16_000
    return [scp, whole, stream, replayed]


def retrieve(scratch: Path, runs: int, count: int) -> list[Row]:
    """Compare C-GET and C-MOVE of objects of 0.5 MB, from files to files."""
    scratch.mkdir()
    data = make_objects(scratch / "objects", count, 1 << 19)
    few = make_objects(scratch / "few", max(count // SLOWER, 1), 1 << 19)
    place, rows = Place(scratch, data, 0), []

    def by_us(port: int, what: str) -> float:
        return arrived(place.ask("dicomwire", port, what)["seconds"])

    def by_dcmtk(port: int, what: str) -> float:
        return arrived(place.by_dcmtk(port, what, StudyInstanceUID=STUDY))

    def arrived(seconds: float) -> float:
        there = len([path for path in place.inbox.iterdir() if path.is_file()])
        if there != count:
            raise SystemExit(f"{count} objects were asked for, {there} arrived")
        return seconds

    with (
        place.library("dicomwire", 0, data) as ours,
        place.library("pynetdicom", 0, few) as pynetdicom,
        place.dcmtk() as theirs,
        place.orthanc() as orthanc,
    ):
        for what in ("get", "move"):
            works: dict[str, Callable[[], float]] = {
                "dicomwire": partial(by_us, ours.port, what),
                "DCMTK": partial(by_dcmtk, theirs.port, what),
                "Orthanc": partial(by_dcmtk, orthanc.port, what),
            }
            found = in_turn(runs, works)
            slow = place.ask("pynetdicom", pynetdicom.port, what)["seconds"]
            found["pynetdicom"] = [slow * count / len(list(few.iterdir()))]
            work = f"C-{what.upper()}, {count:,} x 0.5 MB"
            rows.append(row(work, "s", found, "at most 1.00"))
            rows[-1].met = median(rows[-1].ratios) <= 1.0
    return rows
