"""What coverage.py has measured into the share of the branches of each room that was reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coverage import Coverage

SOURCE = Path(__file__).parents[1] / "src" / "dicomwire"


def sources(rooms: Sequence[str]) -> list[str]:
    """Return the folders of rooms, as coverage.py takes them."""
    return [str(SOURCE / room) for room in rooms]


def shares(report: dict[str, Any], rooms: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many branches were reached, and how many there are, by room.

    Parameters
    ----------
    report : dict
        coverage.py's report as JSON.
    rooms : sequence of str
        Folders of the package.
    """
    found = dict.fromkeys(rooms, (0, 0))
    for name, file in report["files"].items():
        room = Path(name).parent.name
        if room in found:
            reached, there = found[room]
            summary = file["summary"]
            found[room] = (
                reached + summary["covered_branches"],
                there + summary["num_branches"],
            )
    return found


def show(coverage: Coverage, rooms: Sequence[str], bar: float) -> int:
    """Print what is missing, and a line a room; return 1 when one is below the bar.

    Parameters
    ----------
    coverage : Coverage
        Has measured, branches too.
    rooms : sequence of str
        Folders of the package.
    bar : float
        Per cent of its branches that each has to reach.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(path))
        found = shares(json.loads(path.read_text()), rooms)
    coverage.report(show_missing=True, skip_covered=True, precision=1)
    low = False
    for room, (reached, there) in found.items():
        share = 100 * reached / max(there, 1)
        low = low or share < bar
        print(f"{room}/: {reached} of {there} branches, {share:.1f} %; at least {bar:g} %")
    return int(low)
