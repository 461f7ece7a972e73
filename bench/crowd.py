"""One, eight and sixty-four senders at once to one SCP, into rows of the table."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from bench.objects import make_objects
from bench.peers import DCMTK, DICOMWIRE, FAST, OURS, Peer, check_arrived, printed, python, scp_of
from bench.report import OURS as NAME
from bench.report import Bar, Row
from bench.turns import Found, Turn, in_turn

OBJECTS, SIZE = 1_024, 1 << 19
CROWDS = (1, 8, 64)
SEVERAL = replace(
    DICOMWIRE,
    name="dicomwire, 2 processes",
    scp=lambda port, out: [*DICOMWIRE.scp(port, out), "--workers", "2"],
)
FORKING = replace(
    DCMTK, name="DCMTK, --fork", scp=lambda port, out: [*DCMTK.scp(port, out), "--fork"]
)


@cache
def has_workers() -> bool:
    """Return whether our storescp serves with several processes."""
    said = subprocess.run([*OURS, "storescp", "--help-all"], env=FAST, capture_output=True)
    return b"--workers" in said.stdout


def deal(data: Path, hands: Path, senders: int) -> Path:
    """Deal the files of a folder out to as many folders; return the folder with those."""
    place = hands / str(senders)
    for number, path in enumerate(sorted(data.iterdir())):
        hand = place / f"{number % senders:02}"
        hand.mkdir(parents=True, exist_ok=True)
        (hand / path.name).hardlink_to(path)
    return place


def crowd(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare SCPs; the senders are ours, and nothing may be refused or lost."""
    count = OBJECTS // 8 if quick else OBJECTS
    data = make_objects(scratch / "data", count, SIZE)
    peers = [DICOMWIRE, *([SEVERAL] if has_workers() else []), FORKING]
    turns = []
    for senders in CROWDS:
        folder = deal(data, scratch / "hands", senders)

        for peer in peers:

            def work(peer: Peer = peer, folder: Path = folder) -> float:
                with scp_of(peer, scratch / "out") as server:
                    seconds = float(printed(python("bench.senders", server.port, folder)))
                    check_arrived(scratch / "out", count)
                return seconds

            turns.append(Turn(f"{peer.name} {senders}", work))
    found = in_turn(runs, turns)
    rows = []
    for senders in CROWDS:
        names = {peer.name: f"{peer.name} {senders}" for peer in peers}
        who = "1 sender" if senders == 1 else f"{senders} senders at once"
        rows.append(_row(f"{count:,} x 0.5 MB from {who}", found, names))
    many, fewer = CROWDS[-1], CROWDS[1]
    names = {NAME: f"{NAME} {many}", f"{fewer} senders": f"{NAME} {fewer}"}
    beside = _row(f"{count:,} x 0.5 MB from {many} senders", found, names)
    beside.bars = (Bar(1.0, f"{fewer} senders"),)
    return [*rows, beside]


def _row(work: str, found: Found[float], names: dict[str, str]) -> Row:
    """Make a row; `names` says whose figures are found under which name."""
    notes = {name: found.notes[key] for name, key in names.items() if key in found.notes}
    return Row(work, "s", {name: found.figures[key] for name, key in names.items()}, notes=notes)
