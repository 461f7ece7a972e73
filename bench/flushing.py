"""Objects to a real disk, with the wait for it before each Success and without, into rows."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.objects import make_objects
from bench.peers import DCMTK, DICOMWIRE, OURS, Peer, seconds_of
from bench.report import Bar, Row
from bench.storing import CT, SMALL, measured_pair
from bench.turns import Turn, in_turn

WITHOUT = "without flushes"
MOST = 2.0  # times as long: the disk works while the next objects come

FLUSHED: Peer = replace(
    DICOMWIRE, scp=lambda port, out: [*OURS, "storescp", str(port), "-od", str(out)]
)


def disk() -> Path:
    """Return a folder that is on a disk, as a rule, and not in memory."""
    kept = Path("/var/tmp")
    return kept if kept.is_dir() else Path(tempfile.gettempdir())


def flushing(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare a storescp that waits for the disk with one that does not, and with DCMTK's."""
    rows = []
    for work in (CT, SMALL):
        done = work.tenth() if quick else work
        data = make_objects(scratch / str(work.size), done.count, done.size)
        with tempfile.TemporaryDirectory(prefix="bench-", dir=disk()) as folder:
            place = Path(folder)
            turns = [
                Turn(DICOMWIRE.name, measured_pair(DICOMWIRE, FLUSHED, data, place)),
                Turn(WITHOUT, measured_pair(DICOMWIRE, DICOMWIRE, data, place)),
                Turn(DCMTK.name, measured_pair(DCMTK, DCMTK, data, place), note="does not flush"),
            ]
            found = in_turn(runs, turns)
        bars = (Bar(MOST, WITHOUT),)
        rows.append(Row(f"{done.name} to the disk", "s", seconds_of(found), bars, found.notes))
    shutil.rmtree(scratch)
    return rows
