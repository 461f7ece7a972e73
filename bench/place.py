"""Archives of every peer over the same files, and what asks them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.peers import FAST, OURS, Scp, dcmtk, emptied, free_port, printed, program, python, run
from bench.turns import Unfit

STUDY = "2.25.2"  # of what `make_objects` writes
KEYS = ["StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID", "StudyInstanceUID"]
MOST_STUDIES = 500  # that dcmqridx takes into the index of dcmqrscp
SLOWER = 10  # how much less work pynetdicom is given


@dataclass(frozen=True)
class Absent:
    """An archive that could not be started: whoever asks for its port learns why."""

    why: str

    @property
    def port(self) -> int:
        """There is none."""
        raise Unfit(self.why)


def entered(stack: ExitStack, start: Callable[[], AbstractContextManager[Scp]]) -> Scp | Absent:
    """Run an archive until the stack is closed."""
    try:
        return stack.enter_context(start())
    except (Unfit, OSError) as error:
        return Absent(str(error))


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
        return running(python("bench.archive", name, port, matches, data, self.own_port), port)

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
        own = (self.inbox, self.own_port)
        said = printed(python("bench.ask", library, port, "ARCHIVE", what, *own))
        found: dict[str, float] = json.loads(said)
        return found

    def by_dcmtk(self, port: int, what: str, **keys: str) -> float:
        """Ask an archive with a tool of DCMTK; the seconds without the start of the process."""
        tool = dcmtk(f"{what}scu")
        start = median(run([tool, "--version"]).seconds for _ in range(3))
        emptied(self.inbox)
        return run([tool, *self._arguments(port, what, **keys)]).seconds - start

    def check_found(self, port: int, count: int, **keys: str) -> None:
        """Check that an archive has so many matches.

        Raises
        ------
        Unfit
            When it has not.
        """
        command = [dcmtk("findscu"), *self._arguments(port, "find", **keys)]
        command.remove("-q")
        said = subprocess.run(command, env=FAST, capture_output=True, check=True).stderr
        if (found := said.count(b"(Pending)")) != count:
            raise Unfit(f"{count} matches were expected, {found} came")

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
