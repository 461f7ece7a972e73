"""Folders of objects, sent by every pair of storescu and storescp, into rows of the table."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.objects import make_objects
from bench.peers import (
    BARE,
    DCMTK,
    DCMTK_AS_IT_COMES,
    DICOMWIRE,
    PYNETDICOM,
    Measured,
    Peer,
    megabytes,
    seconds_of,
    store,
)
from bench.report import OURS, Bar, Row
from bench.turns import Found, Turn, in_turn, scaled

MOST_SLOW_RUNS = 2  # of a peer that takes a hundred times as long
SLOW_OBJECTS = 100  # that it is given
MOST_MEMORY = 60  # MB


@dataclass(frozen=True)
class Work:
    """What is sent: so many objects of one size.

    Parameters
    ----------
    name : str
        In the table.
    count, size : int
        How many objects, and the bytes of each.
    bars : tuple of Bar
        What is demanded of our pair.
    """

    name: str
    count: int
    size: int
    bars: tuple[Bar, ...]

    def tenth(self) -> Work:
        """Return the work of a quick run."""
        count, size = self.count // 10, self.size
        if self.count == 1:
            count, size = 1, self.size // 10
        return Work(f"a tenth of {self.name}", count, size, self.bars)


CT = Work(
    "1,000 x 0.5 MB",
    1000,
    1 << 19,
    (Bar(0.45, "DCMTK"), Bar(1 / 60, "pynetdicom"), Bar(2.0, BARE.name)),
)
BIG = Work("1 x 800 MB", 1, 800 << 20, (Bar(0.45, "DCMTK"),))
SMALL = Work("3,000 x 15 KB", 3000, 15 << 10, (Bar(0.6, "DCMTK"),))


def measured_pair(
    scu: Peer, scp: Peer, data: Path, scratch: Path, with_memory: bool = False
) -> Callable[[], Measured]:
    """Return what sends a folder when it is called."""
    return partial(store, scu, scp, data, scratch, with_memory)


class Few:
    """A slow pair that is given few objects; the time of all is computed from them.

    Parameters
    ----------
    scu, scp : Peer
        The pair.
    work : Work
        What the others do.
    scratch : Path
        A folder in memory.
    """

    def __init__(self, scu: Peer, scp: Peer, work: Work, scratch: Path) -> None:
        self._pair, self._work, self._scratch = (scu, scp), work, scratch
        self._count = min(SLOW_OBJECTS, work.count)
        self._one = 0.0

    @property
    def note(self) -> str:
        """Say what was done."""
        return f"scaled from {self._count} objects"

    def __call__(self) -> Measured:
        """Send one object, the first time, and some; return what all would take."""
        self._one = self._one or min(self._of(1), self._of(1))
        seconds = scaled(self._one, self._of(self._count), self._count, self._work.count)
        return Measured(seconds)

    def _of(self, count: int) -> float:
        folder = self._scratch / f"few-{count}"
        if not folder.exists():
            make_objects(folder, count, self._work.size)
        return store(*self._pair, folder, self._scratch).seconds


def storing(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare pairs of one maker: CT objects, small ones, a big one, and the memory it takes."""
    rows = []
    for work in (CT, SMALL):
        done, place = work.tenth() if quick else work, scratch / str(work.size)
        slow = Few(PYNETDICOM, PYNETDICOM, done, place)
        data = make_objects(place / "data", done.count, done.size)
        turns = [
            *_pairs(data, place),
            Turn(PYNETDICOM.name, slow, MOST_SLOW_RUNS, slow.note),
            Turn(BARE.name, measured_pair(BARE, BARE, data, place)),
        ]
        found = in_turn(runs, turns)
        rows.append(Row(done.name, "s", seconds_of(found), done.bars, found.notes))
        shutil.rmtree(place)
    return [*rows, *_big(scratch / "big", runs, BIG.tenth() if quick else BIG)]


def _pairs(data: Path, place: Path, with_memory: bool = False) -> list[Turn[Measured]]:
    return [
        Turn(peer.name, measured_pair(peer, peer, data, place, with_memory))
        for peer in (DICOMWIRE, DCMTK)
    ]


def _big(place: Path, runs: int, work: Work) -> list[Row]:
    found = in_turn(runs, _pairs(make_objects(place / "data", work.count, work.size), place, True))
    shutil.rmtree(place)
    sides = {"SCU": "scu_mb", "SCP": "scp_mb"}
    memory = [
        Row(
            f"{work.name}: peak memory of the {side}",
            "MB",
            megabytes(found, attribute),
            (Bar(MOST_MEMORY),),
            found.notes,
        )
        for side, attribute in sides.items()
    ]
    return [Row(work.name, "s", seconds_of(found), work.bars, found.notes), *memory]


def crossing(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare one tool of ours with one of DCMTK's at the other end, fast or as it comes."""
    work = CT.tenth() if quick else CT
    data = make_objects(scratch / "data", work.count, work.size)
    fast = in_turn(
        runs,
        [
            Turn("ours to theirs", measured_pair(DICOMWIRE, DCMTK, data, scratch)),
            Turn("theirs to ours", measured_pair(DCMTK, DICOMWIRE, data, scratch)),
            Turn("theirs", measured_pair(DCMTK, DCMTK, data, scratch)),
        ],
    )
    slow = Few(DCMTK_AS_IT_COMES, DCMTK_AS_IT_COMES, work, scratch)
    slow_scu = Few(DCMTK_AS_IT_COMES, DICOMWIRE, work, scratch)
    installed = in_turn(
        runs,
        [
            Turn("ours to theirs", measured_pair(DICOMWIRE, DCMTK_AS_IT_COMES, data, scratch)),
            Turn("theirs to ours", slow_scu, MOST_SLOW_RUNS, slow_scu.note),
            Turn("theirs", slow, MOST_SLOW_RUNS, slow.note),
        ],
    )
    shutil.rmtree(scratch)
    quickly, commonly = DCMTK.name, DCMTK_AS_IT_COMES.name
    to_theirs, to_ours = "ours to theirs", "theirs to ours"
    return [
        _cross(f"{work.name}, {to_theirs}", fast, to_theirs, Bar(0.8, quickly)),
        _cross(f"{work.name}, {to_ours}", fast, to_ours, Bar(0.8, quickly)),
        _cross(f"{work.name}, {to_theirs} as it comes", installed, to_theirs, Bar(0.1, commonly)),
        _cross(f"{work.name}, {to_ours}, theirs as it comes", installed, to_ours, None),
    ]


def _cross(work: str, found: Found[Measured], pair: str, bar: Bar | None) -> Row:
    """Make a row of a mixed pair beside a pair of theirs."""
    seconds = seconds_of(found)
    names = {OURS: pair, bar.against if bar else DCMTK_AS_IT_COMES.name: "theirs"}
    notes = {name: found.notes[key] for name, key in names.items() if key in found.notes}
    figures = {name: seconds[key] for name, key in names.items()}
    return Row(work, "s", figures, (bar,) if bar else (), notes)
