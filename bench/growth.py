"""Ten and a hundred times as many objects into the cost of one, which has to stay."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from statistics import median

from bench.objects import make_objects
from bench.peers import BARE, DICOMWIRE, PYNETDICOM, Peer, store
from bench.report import OURS, Bar, Row
from bench.turns import Found, Turn, in_turn

SIZE = 1 << 19
COUNTS = (100, 1_000, 10_000)
SLOW_COUNTS = (25, 50, 100)  # of pynetdicom, whose time for 1,000 is computed from 100
MOST_RUNS = 3
FLAT = 1.1  # times the cost of one among a tenth as many
ROOM = 2.4  # times the size of the objects: sent and received, both in memory


def available() -> float:
    """Return how many bytes of memory are free; infinite when the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable"))


def fitting(counts: tuple[int, ...], scratch: Path) -> tuple[int, ...]:
    """Return those numbers of objects for which there is room."""
    free = min(available(), shutil.disk_usage(scratch).free)
    return tuple(count for count in counts if count * SIZE * ROOM < free)


def growth(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Measure what an object costs, start of the processes left out, by how many there are."""
    counts = tuple(count // 10 for count in COUNTS) if quick else COUNTS
    scratch.mkdir()
    # beside the bare socket: what the machine itself takes more for, when more memory is filled
    works = [(DICOMWIRE, count) for count in counts] + [(BARE, count) for count in counts[1:]]
    found = _costs(works, scratch, min(runs, MOST_RUNS))
    theirs = _costs([(PYNETDICOM, count) for count in SLOW_COUNTS], scratch, 1)
    figures, notes = {**found.figures, **theirs.figures}, {**found.notes, **theirs.notes}
    names = {_name(DICOMWIRE, counts[-1]): OURS}
    names |= {_name(DICOMWIRE, count): f"{count:,} objects" for count in counts[:-1]}
    names = {name: names.get(name, name) for name in (*names, *figures, *notes)}
    return [
        Row(
            f"cost of one of {counts[-1]:,} x 0.5 MB",
            "ms",
            {shown: figures[name] for name, shown in names.items() if name in figures},
            (Bar(FLAT, f"{counts[-2]:,} objects"),),
            {shown: notes[name] for name, shown in names.items() if name in notes},
        )
    ]


def _name(peer: Peer, count: int) -> str:
    return f"{peer.name}, {count:,} objects"


def _costs(works: list[tuple[Peer, int]], scratch: Path, runs: int) -> Found[float]:
    """Return the milliseconds of an object, by who sent it and how many there were."""
    there = fitting(tuple(sorted({count for _, count in works})), scratch)
    folders = {count: make_objects(scratch / str(count), count, SIZE) for count in (1, *there)}
    peers = {peer.name: peer for peer, _ in works}
    done = [(peer, 1) for peer in peers.values()] + [work for work in works if work[1] in there]
    found = in_turn(
        runs,
        [
            Turn(_name(peer, count), partial(_seconds, peer, folders[count], scratch))
            for peer, count in done
        ],
    )
    for folder in folders.values():
        shutil.rmtree(folder)
    figures = {
        _name(peer, count): costs_of(
            found.figures[_name(peer, 1)], found.figures[_name(peer, count)], count
        )
        for peer, count in done
        if count > 1
    }
    missing = {
        _name(peer, count): "there is not enough memory"
        for peer, count in works
        if count not in there
    }
    return Found(figures, {**found.notes, **missing})


def _seconds(peer: Peer, data: Path, scratch: Path) -> float:
    return store(peer, peer, data, scratch).seconds


def costs_of(one: list[float], many: list[float], count: int) -> list[float]:
    """Return the milliseconds of an object from runs with one and with many."""
    start = median(one) if one else 0.0  # of all runs: a hiccup there would count in full
    return [1000 * (seconds - start) / (count - 1) for seconds in many]
