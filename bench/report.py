"""Measurements into a table, a JSON file and a plot."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass
class Row:
    """One piece of work as measured on two sides, run by run.

    Parameters
    ----------
    work, unit : str
        What was done, and in which unit it is measured.
    ours, theirs : list of float
        One figure a run, taken in turn.
    bar : str
        What the ratio ours/theirs, or ours alone, is held against.
    met : bool
        Whether it was.
    others : dict
        Figures of peers that stand beside, by name.
    against : str
        The one of them that the ratio is with, when it is not DCMTK.
    """

    work: str
    unit: str
    ours: list[float]
    theirs: list[float] = field(default_factory=list)
    bar: str = ""
    met: bool = True
    others: dict[str, list[float]] = field(default_factory=dict)
    against: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours over theirs in time or memory, run by run: less is better.

        What a noisy machine does to both cancels out. A rate is turned into the time of one.
        """
        theirs = self.others[self.against] if self.against else self.theirs
        pairs = zip(self.ours, theirs, strict=False)
        if self.unit == "1/s":
            return [other / one for one, other in pairs]
        return [one / other for one, other in pairs]


def _cell(figures: list[float]) -> str:
    if not figures:
        return ""
    digits = 0 if median(figures) >= 100 else 2
    if len(figures) == 1:
        return f"{figures[0]:,.{digits}f}"
    low, high = min(figures), max(figures)
    return f"{median(figures):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table: medians, and the spread in brackets."""
    lines = [
        "| work | unit | dicomwire | DCMTK, TCP_NODELAY=1 | others | ratio | bar | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        others = "; ".join(f"{name} {_cell(figures)}" for name, figures in row.others.items())
        measured = (_cell(row.ours), _cell(row.theirs), others, _cell(row.ratios))
        cells = (row.work, row.unit, *measured)
        lines.append(f"| {' | '.join(cells)} | {row.bar} | {'met' if row.met else 'NOT MET'} |")
    return "\n".join(lines)


def save(rows: list[Row], folder: Path) -> None:
    """Write `benchmark.json` and `images/benchmark.png` into a folder."""
    data: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "rows": [{**row.__dict__, "ratios": row.ratios} for row in rows],
    }
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.json").write_text(json.dumps(data, indent=1) + "\n")
    plot(rows, folder / "images" / "benchmark.png")


def plot(rows: list[Row], path: Path) -> None:
    """Draw the ratios: a dot a run, a bar for the median, a line where both are equal."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = [row for row in rows if row.theirs][::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.6 * len(shown)), layout="constrained")
    axes.barh([row.work for row in shown], [median(row.ratios) for row in shown], color="#5b8fb9")
    for position, row in enumerate(shown):
        axes.plot(row.ratios, [position] * len(row.ratios), "o", color="#1b3a57", markersize=4)
    axes.axvline(1, color="#b03a2e", linewidth=1)
    axes.set_xlabel("dicomwire / DCMTK, time or memory, in one run (less is better)")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
