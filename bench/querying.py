"""Queries of every peer, in turn, into rows of the table."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from bench.objects import make_studies
from bench.peers import DCMTK, PYNETDICOM, Scp
from bench.place import KEYS, MOST_STUDIES, SLOWER, Absent, Place, entered
from bench.recorded import record, replaying
from bench.report import OURS, Bar, Row
from bench.turns import Turn, in_turn

MATCHES = 10_000
A_SECOND = 10_000  # matches of our SCP
TAKEN = 16_000  # matches a second that our SCU takes
NO_SLOWER = 1.10  # than findscu, with what Orthanc has
WHOLE = dict.fromkeys(KEYS, "")


def query(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare the answers to a query: as they are sent, and as they are taken."""
    count = MATCHES // 10 if quick else MATCHES
    place = Place(scratch, make_studies(scratch / "studies", count), count)
    return [_sent(place, runs, count), *_received(place, runs, count)]


def _sent(place: Place, runs: int, count: int) -> Row:
    """Have every SCP answer findscu; the others have fewer matches, and their rate counts."""
    few = min(max(count // SLOWER, 1), MOST_STUDIES)
    data = make_studies(place.scratch / "few" / "studies", few)
    smaller = Place(data.parent, data, few)
    none = place.scratch / "none"
    none.mkdir()
    checked: set[int] = set()

    def rate(scp: Scp | Absent, matches: int) -> float:
        if scp.port not in checked:
            place.check_found(scp.port, matches, **WHOLE)
            checked.add(scp.port)
        return matches / place.by_dcmtk(scp.port, "find", **WHOLE)

    with ExitStack() as stack:
        ours = entered(stack, lambda: place.library(OURS, count, none))
        theirs = entered(stack, smaller.dcmtk)
        slow = entered(stack, lambda: place.library("pynetdicom", few, none))
        turns = [
            Turn(OURS, lambda: rate(ours, count)),
            Turn(DCMTK.name, lambda: rate(theirs, few), note=f"{few} matches"),
            Turn(PYNETDICOM.name, lambda: rate(slow, few), note=f"{few} matches"),
        ]
        found = in_turn(runs, turns)
    bars = (Bar(A_SECOND, least=True),)
    work = f"C-FIND, {count:,} matches of our SCP to findscu"
    return Row(work, "1/s", found.figures, bars, found.notes)


def _received(place: Place, runs: int, count: int) -> list[Row]:
    """Have every SCU ask Orthanc, and ours a socket that has Orthanc's answers in memory."""
    flow: list[float] = []
    taken: list[float] = []
    with ExitStack() as stack:
        orthanc = entered(stack, place.orthanc)

        def asked(library: str) -> float:
            found = place.ask(library, orthanc.port, "find")
            if library == OURS:
                flow.append(count / (found["seconds"] - found["first"]))
            return count / found["seconds"]

        turns = [
            Turn(OURS, lambda: asked(OURS)),
            Turn(DCMTK.name, lambda: count / place.by_dcmtk(orthanc.port, "find", **WHOLE)),
            Turn(PYNETDICOM.name, lambda: asked("pynetdicom"), 1),
        ]
        found = in_turn(runs, turns)
        if found.figures[OURS]:
            said = record(orthanc.port, lambda port: place.ask(OURS, port, "find"))
            with replaying(said) as port:
                spent = [place.ask(OURS, port, "find")["seconds"] for _ in range(runs + 1)]
                taken = [count / seconds for seconds in spent]
    enough = (Bar(TAKEN, least=True),)
    work = f"C-FIND, {count:,} matches of Orthanc to our SCU"
    return [
        Row(work, "1/s", found.figures, (Bar(NO_SLOWER, DCMTK.name),), found.notes),
        Row("the same, from the first match on", "1/s", {OURS: flow[1:]}, enough),
        Row("the same answers from memory, by a bare socket", "1/s", {OURS: taken[1:]}, enough),
    ]
