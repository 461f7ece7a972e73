"""The asyncio API beside the blocking one, in the same works, into rows of the table."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.objects import make_objects
from bench.peers import Peer, check_arrived, printed, python, scp_of
from bench.report import OURS, Bar, Row
from bench.storing import BIG, CT, SMALL
from bench.turns import Found, Turn, in_turn

REACHES = 1 / 0.8  # of the time of the threads, the most
THREADS, ASYNCIO = "threads", "asyncio"
ECHOES, ASSOCIATIONS = 10_000, 2_000


def has_asyncio() -> bool:
    """Return whether there is an asyncio API."""
    return importlib.util.find_spec("dicomwire.aio") is not None


@dataclass(frozen=True)
class Pair:
    """An SCP and an SCU of one API."""

    side: str

    def peer(self) -> Peer:
        """Return what runs them as processes."""
        return Peer(
            self.side,
            lambda port, out: python("bench.sides", self.side, "scp", port, out),
            lambda port, data: python("bench.sides", self.side, "scu", port, data),
        )

    def store(self, data: Path, scratch: Path) -> float:
        """Send a folder; return the seconds from the request for an association on."""
        peer = self.peer()
        with scp_of(peer, scratch / "out") as server:
            seconds = float(printed(peer.scu(server.port, data)))
            check_arrived(scratch / "out", len(list(data.iterdir())))
        return seconds

    def echo(self, how: str, count: int, scratch: Path) -> float:
        """Echo; return the seconds."""
        with scp_of(self.peer(), scratch / "out") as server:
            return float(printed(python("bench.sides", self.side, how, server.port, count)))


def side_by_side(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare both APIs, each with itself at the other end."""
    if not has_asyncio():
        return [Row("asyncio beside threads", "s", {}, notes={OURS: "there is no dicomwire.aio"})]
    rows = []
    for work in (CT, BIG, SMALL):
        done = work.tenth() if quick else work
        data = make_objects(scratch / "data", done.count, done.size)
        rows.append(_row(done.name, runs, partial(Pair.store, data=data, scratch=scratch)))
        shutil.rmtree(data)
    for name, how, whole in (
        ("C-ECHO on an association", "open", ECHOES),
        ("associate, C-ECHO and release", "each", ASSOCIATIONS),
    ):
        count = whole // 10 if quick else whole
        rows.append(
            _row(
                f"{count:,} x {name}",
                runs,
                partial(Pair.echo, how=how, count=count, scratch=scratch),
            )
        )
    return rows


def _row(name: str, runs: int, work: Callable[[Pair], float]) -> Row:
    turns = [Turn(side, partial(work, Pair(side))) for side in (ASYNCIO, THREADS)]
    found: Found[float] = in_turn(runs, turns)
    notes = {OURS if side == ASYNCIO else side: note for side, note in found.notes.items()}
    figures = {OURS: found.figures[ASYNCIO], THREADS: found.figures[THREADS]}
    return Row(f"asyncio: {name}", "s", figures, (Bar(REACHES, THREADS),), notes)
