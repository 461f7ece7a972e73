"""Ten and a hundred times as many objects into the cost of one, which has to stay."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.objects import make_objects
from bench.peers import BARE, DICOMWIRE, PYNETDICOM, Peer, store
from bench.report import OURS, Bar, Row
from bench.turns import Found, Turn, in_turn

Value = TypeVar("Value")
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
    ours = _costs(DICOMWIRE, counts, scratch, min(runs, MOST_RUNS))
    # what the machine itself takes more for, when ten times as much memory is filled
    limit = _costs(BARE, counts[1:], scratch, min(runs, MOST_RUNS))
    theirs = _costs(PYNETDICOM, SLOW_COUNTS, scratch, 1)
    names = {counts[-1]: OURS} | {count: f"{count:,} objects" for count in counts[:-1]}
    names_of_limit = {count: f"{BARE.name}, {count:,} objects" for count in counts[1:]}
    names_of_theirs = {count: f"{PYNETDICOM.name}, {count} objects" for count in SLOW_COUNTS}
    return [
        Row(
            f"cost of one of {counts[-1]:,} x 0.5 MB",
            "ms",
            {
                **_named(ours.figures, names),
                **_named(limit.figures, names_of_limit),
                **_named(theirs.figures, names_of_theirs),
            },
            (Bar(FLAT, names[counts[-2]]),),
            {
                **_named(ours.notes, names),
                **_named(limit.notes, names_of_limit),
                **_named(theirs.notes, names_of_theirs),
            },
        )
    ]


def _named(found: dict[str, Value], names: dict[int, str]) -> dict[str, Value]:
    return {name: found[str(count)] for count, name in names.items() if str(count) in found}


def _costs(peer: Peer, counts: tuple[int, ...], scratch: Path, runs: int) -> Found[float]:
    """Return the milliseconds of an object, by how many there were."""
    there = fitting(counts, scratch)
    folders = {
        count: make_objects(scratch / f"{peer.name}-{count}", count, SIZE) for count in (1, *there)
    }
    found = in_turn(
        runs,
        [
            Turn(str(count), partial(_seconds, peer, data, scratch))
            for count, data in folders.items()
        ],
    )
    for data in folders.values():
        shutil.rmtree(data)
    one = found.figures["1"]
    figures = {str(count): costs_of(one, found.figures[str(count)], count) for count in there}
    missing = {str(count): "there is not enough memory" for count in counts if count not in there}
    return Found(figures, {**found.notes, **missing})


def _seconds(peer: Peer, data: Path, scratch: Path) -> float:
    return store(peer, peer, data, scratch).seconds


def costs_of(one: list[float], many: list[float], count: int) -> list[float]:
    """Return the milliseconds of an object from runs with one and with many."""
    start = median(one) if one else 0.0  # of all runs: a hiccup there would count in full
    return [1000 * (seconds - start) / (count - 1) for seconds in many]
