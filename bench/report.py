"""Measurements into comparisons, and those into a table and a JSON file."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

OURS = "dicomwire"
MET, NOT_MET, NOT_MEASURED = "met", "NOT MET", "not measured"


@dataclass(frozen=True)
class Bar:
    """What our figure, or its ratio to another's, is held against.

    Parameters
    ----------
    limit : float
        Of the ratio in time or memory, the most; of our figure alone, see `least`.
    against : str
        Whose figure the ratio is with; empty when our figure counts alone.
    least : bool
        Whether our figure has to reach the limit, instead of staying under it.
    """

    limit: float
    against: str = ""
    least: bool = False

    def __str__(self) -> str:
        if self.against:
            # Small ones are easier to read as a fraction.
            few = self.limit < 0.1
            return f"at most {f'1/{1 / self.limit:.0f}' if few else f'{self.limit:.2f}'}"
        return f"{self.limit:,.0f} or more" if self.least else f"under {self.limit:,.0f}"


@dataclass
class Row:
    """One piece of work as measured with several programs, run by run.

    Parameters
    ----------
    work, unit : str
        What was done, and in which unit it is measured.
    figures : dict
        One figure a run, taken in turn, by name; `OURS` is what the others are compared with.
    bars : tuple of Bar
        What is demanded.
    notes : dict
        What there is to say of a figure, by name: that it is scaled, or why there is none.
    """

    work: str
    unit: str
    figures: dict[str, list[float]]
    bars: tuple[Bar, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)

    def ratios(self, other: str) -> list[float]:
        """Return ours over theirs in time or memory, run by run: less is better.

        What a noisy machine does to both cancels out. A rate is turned into the time of one.
        """
        pairs = zip(self.figures.get(OURS, []), self.figures.get(other, []), strict=False)
        if self.unit == "1/s":
            return [theirs / ours for ours, theirs in pairs]
        return [ours / theirs for ours, theirs in pairs]

    def comparisons(self) -> Iterator[Comparison]:
        """Yield ours alone if that is held against something, then ours beside each other."""
        alone = next((bar for bar in self.bars if not bar.against), None)
        others = [name for name in self._names() if name != OURS]
        if alone or not others:
            yield Comparison(self, "", [], alone)
        for name in others:
            bar = next((bar for bar in self.bars if bar.against == name), None)
            yield Comparison(self, name, self.ratios(name), bar)

    def _names(self) -> list[str]:
        """Return whose figures there are, or should be."""
        wanted = [bar.against for bar in self.bars if bar.against]
        return list(dict.fromkeys([*self.figures, *self.notes, *wanted]))


@dataclass(frozen=True)
class Comparison:
    """Our figures beside those of one other, or alone.

    Parameters
    ----------
    row : Row
        The work.
    other : str
        The other; empty for ours alone.
    ratios : list of float
        See `Row.ratios`.
    bar : Bar or None
        What is demanded.
    """

    row: Row
    other: str
    ratios: list[float]
    bar: Bar | None

    @property
    def verdict(self) -> str:
        """Say whether the bar is met; empty when there is none."""
        if self.bar is None:
            return ""
        found = self.ratios if self.other else self.row.figures.get(OURS, [])
        if not found:
            return NOT_MEASURED
        middle, limit = median(found), self.bar.limit
        return MET if (middle >= limit if self.bar.least else middle <= limit) else NOT_MET


def comparisons(rows: list[Row]) -> list[Comparison]:
    """Return all comparisons of all rows."""
    return [each for row in rows for each in row.comparisons()]


def all_met(rows: list[Row]) -> bool:
    """Return whether every bar was measured and met."""
    return all(each.verdict in ("", MET) for each in comparisons(rows))


def number(value: float) -> str:
    """Return a figure with as many digits as say something."""
    digits = 0 if value >= 100 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f}"


def spread(figures: list[float]) -> str:
    """Return the median, and the least and the greatest in brackets."""
    if len(figures) < 2:
        return "".join(map(number, figures))
    return f"{number(median(figures))} ({number(min(figures))} to {number(max(figures))})"


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table: medians, and the spread in brackets."""
    lines = [
        "| work | unit | dicomwire | beside | | ratio | bar | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for place, each in enumerate(row.comparisons()):
            first = (row.work, row.unit, _figures(row, OURS)) if place == 0 else ("", "", "")
            theirs = _figures(row, each.other) if each.other else ""
            bar = str(each.bar) if each.bar else ""
            cells = (*first, each.other, theirs, spread(each.ratios), bar, each.verdict)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _figures(row: Row, name: str) -> str:
    said = (spread(row.figures.get(name, [])), row.notes.get(name, ""))
    return ", ".join(filter(None, said)).replace("|", "/")


def save(rows: list[Row], folder: Path) -> None:
    """Write `benchmark.json` into a folder: every figure of every run, ratios and verdicts."""
    data: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "rows": [_as_data(row) for row in rows],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmark.json").write_text(json.dumps(data, indent=1) + "\n")


def _as_data(row: Row) -> dict[str, Any]:
    compared = [
        {
            "other": each.other,
            "ratios": each.ratios,
            "bar": str(each.bar) if each.bar else "",
            "verdict": each.verdict,
        }
        for each in row.comparisons()
    ]
    return {**asdict(row), "bars": [str(bar) for bar in row.bars], "compared": compared}
