"""Ten and a hundred times as many objects into the cost of one, which has to stay."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from bench.objects import make_objects
from bench.peers import DICOMWIRE, PYNETDICOM, Peer, store
from bench.report import OURS, Bar, Row
from bench.turns import Turn, in_turn

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
    ours = _row(
        DICOMWIRE, counts, scratch, min(runs, MOST_RUNS), Bar(FLAT, f"{counts[1]:,} objects")
    )
    theirs = _row(PYNETDICOM, SLOW_COUNTS, scratch, 1, None)
    return [ours, theirs]


def _row(peer: Peer, counts: tuple[int, ...], scratch: Path, runs: int, bar: Bar | None) -> Row:
    """Make a row: the cost of one among the most objects, beside that among fewer."""
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
    costs = {
        count: costs_of(found.figures["1"], found.figures[str(count)], count) for count in there
    }
    most = counts[-1]
    figures = {f"{count:,} objects": costs[count] for count in there if count != most}
    notes = {OURS: "" if most in there else "there is not enough memory"}
    notes |= {f"{int(name):,} objects": note for name, note in found.notes.items()}
    notes.pop("1 objects", None)
    who = "" if peer is DICOMWIRE else f" by {peer.name}"
    return Row(
        f"cost of one of {most:,} x 0.5 MB{who}",
        "ms",
        {OURS: costs.get(most, []), **figures},
        (bar,) if bar else (),
        {name: note for name, note in notes.items() if note},
    )


def _seconds(peer: Peer, data: Path, scratch: Path) -> float:
    return store(peer, peer, data, scratch).seconds


def costs_of(one: list[float], many: list[float], count: int) -> list[float]:
    """Return the milliseconds of an object from runs with one and with many."""
    return [1000 * (all_ - first) / (count - 1) for first, all_ in zip(one, many, strict=False)]
