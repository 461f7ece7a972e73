"""The tests with peers, by their `conformance` marks, into docs/conformance.md.

`python -m tools.generate_conformance` writes the page; with `--check` it exits 1 when the page is
not what it would write. Nothing is run: pytest only collects. To fill a cell, mark a test:
`@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")`, the role being ours; with `api="asyncio"`
when the test uses that API.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from dicomwire.standard.dimse import SERVICES
from tools.collected import TOP, collect

TARGET = TOP / "docs" / "conformance.md"
PEERS = ("DCMTK", "Orthanc", "pynetdicom")
ROLES = ("SCU", "SCP")
APIS = ("threaded", "asyncio")
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

Each row is a service. The columns SCU and SCP name a test in which we have that role, with a
program of somebody else at the other end; *threaded* and *asyncio* one that uses that API. The last
columns name all tests with each of these programs, by our role. **An empty cell has no test**: it
says nothing, good or bad. In italics there is nothing to test: the peer has no such program or
function in the version tested. An N-EVENT-REPORT goes from the SCP to the SCU: our SCU receives it.
The versions are those of `requirements/dev.txt` and of the Debian packages that `.ci/run` installs;
`make test` runs the tests and names the peers that it did not find.

"""


class Mark(NamedTuple):
    """One mark of one test."""

    service: str
    role: str
    peer: str
    file: str
    test: str
    api: str = APIS[0]

    @property
    def link(self) -> str:
        """The test's name, which opens its file."""
        return f"[{self.test.removeprefix('test_')}](../{self.file})"


def marks_of(items: Iterable[pytest.Item]) -> list[Mark]:
    """Return the marks of tests, in their order; the instances of a parametrised one count once."""
    marks: dict[Mark, None] = {}
    for item in items:
        file = item.path.relative_to(TOP).as_posix()
        test = getattr(item, "originalname", None) or item.name
        for mark in item.iter_markers("conformance"):
            service, role, peer = mark.args
            api = mark.kwargs.get("api", APIS[0])
            marks[Mark(service, role, peer, file, test, api)] = None
    return list(marks)


def rows(marks: Iterable[Mark]) -> list[str]:
    """Return the service of each row, in the order of the page.

    Raises
    ------
    ValueError
        When a mark names a service, a role, a peer or an API that the page has not, or what a peer
        lacks.
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
        columns = mark.role in ROLES and mark.peer in PEERS and mark.api in APIS
        if mark.service not in known or not columns:
            raise ValueError(f"{mark.file}: {mark.test}: no cell for {mark[:3]}")
        if mark.service in LACKS.get((mark.peer, mark.role), ()):
            raise ValueError(f"{mark.file}: {mark.test}: {mark.peer} is said to lack it")
    return known


def page(marks: list[Mark]) -> str:
    """Return what the page has to be."""
    table = rows(marks)
    lines = [["Service", *ROLES, *APIS, *PEERS], ["---"] * (1 + len(ROLES + APIS + PEERS))]
    for service in table:
        tests = sorted(mark for mark in marks if mark.service == service)
        shown = [_first(mark for mark in tests if mark.role == role) for role in ROLES]
        shown += [_first(mark for mark in tests if mark.api == api) for api in APIS]
        lines.append([service, *shown, *(_with(peer, service, tests) for peer in PEERS)])
    return HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _first(marks: Iterable[Mark]) -> str:
    """Name one test; none when there is none."""
    return next((mark.link for mark in marks), "")


def _with(peer: str, service: str, marks: list[Mark]) -> str:
    """Name all tests of a service with a peer, by our role."""
    parts = []
    for role in ROLES:
        links = [mark.link for mark in marks if (mark.peer, mark.role) == (peer, role)]
        if service in LACKS.get((peer, role), ()):
            links = [LACKED[role]]
        if links:
            parts.append(f"{role}: " + ", ".join(dict.fromkeys(links)))
    return "<br>".join(parts)


def main(arguments: list[str], target: Path = TARGET) -> int:
    """Write the page, or with ``--check`` compare it; return the exit code."""
    wanted = page(marks_of(collect()))
    if "--check" in arguments:
        if target.exists() and target.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{target.name} is stale: run python -m tools.generate_conformance", file=sys.stderr)
        return 1
    target.write_text(wanted, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
