"""The parts of the benchmarks, as rows: what each measures, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.among import among
from bench.crowd import crowd
from bench.echoing import echoing
from bench.flushing import flushing
from bench.growth import growth
from bench.nodes import archives
from bench.querying import query
from bench.report import Row
from bench.retrieving import retrieve
from bench.secure import secure
from bench.sidebyside import side_by_side
from bench.storing import crossing, storing

QUICKER = 0.25  # of the time of the whole work: programs do not start ten times as fast


@dataclass(frozen=True)
class Part:
    """A part that can be run alone.

    Parameters
    ----------
    name, what : str
        What `--only` takes, and what it measures.
    measure : callable
        Takes a folder in memory that is not there yet, how many runs count, and whether a tenth
        of the work is enough; returns rows.
    once, a_round : float
        Seconds on two processors: whatever the runs, and for each.
    """

    name: str
    what: str
    measure: Callable[[Path, int, bool], list[Row]]
    once: float
    a_round: float


PARTS = (
    Part("store", "CT objects, small ones, a big one and its memory", storing, 60, 16),
    Part("flush", "the same to a disk, with flushes and without", flushing, 5, 25),
    Part("cross", "our tools with DCMTK's, fast and as they come", crossing, 25, 10),
    Part("growth", "the cost of one object among more and more", growth, 65, 2),
    Part("echo", "C-ECHO on an association, and on one for each", echoing, 35, 16),
    Part("crowd", "1, 8 and 64 senders at once", crowd, 5, 20),
    Part("tls", "CT objects over TLS", secure, 5, 6),
    Part("asyncio", "the asyncio API beside the blocking one", side_by_side, 10, 22),
    Part("among", "C-ECHO among 2,000 associations", among, 5, 8),
    Part("query", "C-FIND of 10,000 matches", query, 60, 8),
    Part("retrieve", "C-GET and C-MOVE of 1,000 objects", retrieve, 40, 25),
    Part("archive", "5,000 studies in archives", archives, 230, 8),
)


def minutes(parts: Sequence[Part], runs: int, quick: bool) -> float:
    """Return about how long parts take, one minute at least."""
    seconds = sum(part.once + part.a_round * (runs + 1) for part in parts)
    return max(1, seconds / 60 * (QUICKER if quick else 1))
