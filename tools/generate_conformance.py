"""The tests with peers, by their `conformance` marks, into docs/conformance.md.

`generate_conformance.py` writes the page; with `--check` it exits 1 when the page is not what it
would write. Nothing is run: pytest only collects. To fill a cell, mark a test:
`@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")`, the role being ours.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from dicomwire.standard.dimse import SERVICES

TOP = Path(__file__).parents[1]
TARGET = TOP / "docs" / "conformance.md"
PEERS = ("DCMTK", "Orthanc", "pynetdicom")
ROLES = ("SCU", "SCP")
# What is done with several of the services, as users know it.
CLASSES = (
    "Modality worklist",
    "Performed procedure step",
    "Storage commitment",
    "Print management",
    "Unified procedure step",
    "Relevant patient information",
    "Instance availability",
    "Display system",
    "Media creation",
    "RT machine verification",
    "Application event logging",
    "Private SOP class",
)
# What associations do besides the services; TLS comes after each service that is tested over it.
BESIDES = ("User identity", "Association refused", "Association aborted")
_NOT_IN_DCMTK = (
    "N-EVENT-REPORT",
    *(name for name in CLASSES[:-1] if name not in ("Modality worklist", "Print management")),
)
_NOT_IN_ORTHANC = (
    *("N-GET", "N-SET", "N-CREATE", "N-DELETE"),
    *(name for name in CLASSES[:-1] if name not in ("Modality worklist", "Storage commitment")),
)
# What a peer does not do, in the version tested, by peer and our role: it serves what we ask as
# SCU, and asks for what we serve as SCP. Nobody lacks the private SOP class.
LACKS = {
    ("DCMTK", "SCU"): _NOT_IN_DCMTK,
    ("DCMTK", "SCP"): _NOT_IN_DCMTK,
    ("Orthanc", "SCU"): _NOT_IN_ORTHANC,
    ("Orthanc", "SCP"): (*_NOT_IN_ORTHANC, "C-GET"),
}
LACKED = {"SCU": "*does not serve it*", "SCP": "*does not ask for it*"}

HEAD = """\
# What is tested with whom

<!-- Written by tools/generate_conformance.py from the tests' marks: run it, do not edit. -->

Each row is a service and our role in it, each column a program of somebody else that the tests run
as a process of its own, each cell the tests that do so. **An empty cell has no test**: it says
nothing, good or bad. In a cell in italics there is nothing to test: the peer has no such program
or function in the version tested. An N-EVENT-REPORT goes from the SCP to the SCU: our SCU receives
it. The versions are those of `requirements/dev.txt` and of the Debian packages
that `.ci/run` installs; `make test` runs the tests and names the peers that it did not find.

"""


class Mark(NamedTuple):
    """One mark of one test."""

    service: str
    role: str
    peer: str
    file: str
    test: str


class Collected:
    """A plugin of pytest that reads the marks of the tests it collects."""

    def __init__(self) -> None:
        self.marks: dict[Mark, None] = {}  # a set in the order of the files

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read all marks; the instances of a parametrised test count as one test."""
        for item in session.items:
            file = item.path.relative_to(TOP).as_posix()
            test = getattr(item, "originalname", None) or item.name
            for mark in item.iter_markers("conformance"):
                service, role, peer = mark.args
                self.marks[Mark(service, role, peer, file, test)] = None


def collect(folder: Path = TOP / "tests") -> list[Mark]:
    """Return the marks of all tests in a folder.

    Raises
    ------
    SystemExit
        When a test file cannot be imported.
    """
    found, printed = Collected(), io.StringIO()
    arguments = ["--collect-only", "--quiet", "-p", "no:cacheprovider", str(folder)]
    with contextlib.redirect_stdout(printed):
        code = pytest.main([f"--rootdir={TOP}", *arguments], plugins=[found])
    if code:
        sys.exit(f"pytest cannot collect the tests:\n{printed.getvalue()}")
    return list(found.marks)


def rows(marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """Return service and role of each row, in the order of the page.

    Raises
    ------
    ValueError
        When a mark names a service, a role or a peer that the page has not, or what a peer lacks.
    """
    used = {mark.service for mark in marks}
    services = [
        name
        for service in SERVICES
        for name in (service.name, f"{service.name} over TLS")
        if name == service.name or name in used
    ]
    known = [*services, *CLASSES, *BESIDES]
    for mark in marks:
        if mark.service not in known or mark.role not in ROLES or mark.peer not in PEERS:
            raise ValueError(f"{mark.file}: {mark.test}: no cell for {mark[:3]}")
        if mark.service in LACKS.get((mark.peer, mark.role), ()):
            raise ValueError(f"{mark.file}: {mark.test}: {mark.peer} is said to lack it")
    return [(service, role) for service in known for role in ROLES]


def page(marks: list[Mark]) -> str:
    """Return what the page has to be."""
    cells: dict[tuple[str, str, str], list[str]] = {}
    for mark in sorted(marks):
        link = f"[{mark.test.removeprefix('test_')}](../{mark.file})"
        cells.setdefault(mark[:3], []).append(link)
    for (peer, role), names in LACKS.items():
        cells.update({(name, role, peer): [LACKED[role]] for name in names})
    table = rows(marks)
    lines = [["Service", "Our role", *PEERS], ["---"] * (2 + len(PEERS))]
    lines += [
        [*row, *("<br>".join(cells.get((*row, peer), [])) for peer in PEERS)] for row in table
    ]
    return HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(arguments: list[str], target: Path = TARGET) -> int:
    """Write the page, or with ``--check`` compare it; return the exit code."""
    wanted = page(collect())
    if "--check" in arguments:
        if target.exists() and target.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{target.name} is stale: run tools/generate_conformance.py", file=sys.stderr)
        return 1
    target.write_text(wanted, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
