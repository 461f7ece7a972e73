"""C-GET and C-MOVE of every peer, in turn, into rows of the table."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.objects import make_objects
from bench.peers import DCMTK, PYNETDICOM, Scp
from bench.place import SLOWER, STUDY, Absent, Place, entered
from bench.report import OURS, Bar, Row
from bench.turns import Turn, Unfit, in_turn

OBJECTS, SIZE = 1_000, 1 << 19


def retrieve(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare C-GET and C-MOVE, from files to files."""
    count = OBJECTS // 10 if quick else OBJECTS
    few = max(count // SLOWER, 1)
    data = make_objects(scratch / "objects", count, SIZE)
    fewer = make_objects(scratch / "few", few, SIZE)
    place = Place(scratch, data, 0)

    def by_us(scp: Scp | Absent, what: str) -> float:
        return arrived(place.ask(OURS, scp.port, what)["seconds"])

    def by_dcmtk(scp: Scp | Absent, what: str) -> float:
        return arrived(place.by_dcmtk(scp.port, what, StudyInstanceUID=STUDY))

    def by_pynetdicom(scp: Scp | Absent, what: str) -> float:
        return place.ask("pynetdicom", scp.port, what)["seconds"] * count / few

    def arrived(seconds: float) -> float:
        there = sum(path.is_file() for path in place.inbox.iterdir())
        if there != count:
            raise Unfit(f"{count} objects were asked for, {there} arrived")
        return seconds

    rows = []
    with ExitStack() as stack:
        ours = entered(stack, lambda: place.library(OURS, 0, data))
        slow = entered(stack, lambda: place.library("pynetdicom", 0, fewer))
        theirs = entered(stack, place.dcmtk)
        orthanc = entered(stack, place.orthanc)
        for what in ("get", "move"):
            turns = [
                Turn(OURS, partial(by_us, ours, what)),
                Turn(DCMTK.name, partial(by_dcmtk, theirs, what)),
                Turn("Orthanc", partial(by_dcmtk, orthanc, what)),
                Turn(PYNETDICOM.name, partial(by_pynetdicom, slow, what), 1, f"scaled from {few}"),
            ]
            found = in_turn(runs, turns)
            work = f"C-{what.upper()}, {count:,} x 0.5 MB"
            rows.append(Row(work, "s", found.figures, (Bar(1.0, DCMTK.name),), found.notes))
    return rows
