"""Works of several programs into their figures, taken in turn, run by run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Figure = TypeVar("Figure")


class Unfit(Exception):
    """A program is missing, failed, or did not do the work."""


@dataclass(frozen=True)
class Turn(Generic[Figure]):
    """What one program does when it is its turn.

    Parameters
    ----------
    name : str
        Whose figures they are.
    work : callable
        Does the work, and returns a figure.
    runs : int
        How often at most, when it is slow; its first run counts then too. 0: as all.
    note : str
        What there is to say of the figures.
    """

    name: str
    work: Callable[[], Figure]
    runs: int = 0
    note: str = ""


@dataclass
class Found(Generic[Figure]):
    """Figures and notes, by name."""

    figures: dict[str, list[Figure]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def in_turn(runs: int, turns: Sequence[Turn[Figure]]) -> Found[Figure]:
    """Do the works one after the other, several times; the first round is not counted.

    What fails is left out of the rounds that follow, has no figures, and the reason is noted.

    Parameters
    ----------
    runs : int
        Counted rounds.
    turns : sequence of Turn
        In which order.
    """
    found: Found[Figure] = Found({turn.name: [] for turn in turns})
    found.notes = {turn.name: turn.note for turn in turns if turn.note}
    failed: set[str] = set()
    for round_ in range(runs + 1):
        for turn in turns:
            past = turn.runs and not 0 < round_ <= turn.runs
            if past or turn.name in failed:
                continue
            try:
                figure = turn.work()
            except (Unfit, OSError, subprocess.SubprocessError) as error:
                failed.add(turn.name)
                found.figures[turn.name] = []
                found.notes[turn.name] = f"failed: {first_line(error)}"
                continue
            if round_:
                found.figures[turn.name].append(figure)
    return found


def first_line(error: Exception) -> str:
    """Return what fits into a table of why something failed."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def scaled(one: float, some: float, count: int, whole: int) -> float:
    """Return what `whole` objects take when one and some of them were measured.

    Parameters
    ----------
    one, some : float
        What a run with one object takes, and one with `count`.
    count, whole : int
        How many objects.
    """
    return one + (some - one) * (whole - 1) / (count - 1)
