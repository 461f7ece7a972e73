"""Comparisons into a picture of ratios, with what is demanded of each."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from bench.report import MET, Comparison, Row, comparisons

BETTER, WORSE, FREE = "#2f6f9f", "#b03a2e", "#8fa3b0"
DEMAND, RUN = "#1b1b1b", "#0d2233"
ROW_HEIGHT = 0.26  # inches


def shown(rows: list[Row]) -> list[Comparison]:
    """Return the comparisons that have ratios, all greater than 0, as the axis is logarithmic."""
    return [each for each in comparisons(rows) if each.ratios and min(each.ratios) > 0]


def plot(rows: list[Row], path: Path) -> None:
    """Draw the ratios: a bar for the median, a dot a run, a tick where the demand is.

    Parameters
    ----------
    rows : list of Row
        What was measured.
    path : Path
        Of the PNG file; its folder is made when missing.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawn = shown(rows)
    if not drawn:
        return
    height = 1.3 + ROW_HEIGHT * (len(drawn) + len({id(each.row) for each in drawn}) * 0.4)
    figure, axes = pyplot.subplots(figsize=(10, height), layout="constrained")
    _draw(axes, drawn)
    _explain(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw(axes: Any, drawn: list[Comparison]) -> None:
    position, places, names = 0.0, [], []
    last: Row | None = None
    for each in drawn:
        position += 1 if each.row is last else 1.4
        name = f"{each.row.work}  /  {each.other}" if each.row is not last else f"/  {each.other}"
        last = each.row
        places.append(position)
        names.append(name)
        middle = median(each.ratios)
        colour = FREE if each.bar is None else BETTER if each.verdict == MET else WORSE
        # On a logarithmic axis a bar begins where both are equal.
        axes.barh(position, middle - 1, left=1, height=0.72, color=colour, alpha=0.85)
        axes.plot(each.ratios, [position] * len(each.ratios), "o", color=RUN, markersize=2.5)
        axes.annotate(
            f"{middle:.2f}" if middle >= 0.095 else f"1/{1 / middle:.0f}",
            (1.0, position), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
        if each.bar is not None:
            axes.plot([each.bar.limit] * 2, [position - 0.5, position + 0.5], color=DEMAND, lw=2)
    axes.set_xscale("log")
    _scale(axes, [ratio for each in drawn for ratio in each.ratios])
    axes.axvline(1, color=DEMAND, linewidth=0.8)
    axes.set_yticks(places, names, fontsize=8)
    axes.set_ylim(position + 0.9, 0.4)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel("time or memory of dicomwire / of the other: less is better", fontsize=9)


def _explain(figure: Any) -> None:
    """Say below the picture what its marks are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks = [
        Patch(color=BETTER, label="median, bar met"),
        Patch(color=WORSE, label="bar not met"),
        Patch(color=FREE, label="no bar"),
        Line2D([], [], color=DEMAND, lw=2, label="bar: the most allowed"),
        Line2D([], [], color=RUN, marker="o", markersize=2.5, lw=0, label="a run"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=5, fontsize=8, frameon=False)


def _scale(axes: Any, ratios: list[float]) -> None:
    """Mark the axis with ratios that people read easily."""
    marks = [1 / 500, 1 / 200, 1 / 100, 1 / 50, 1 / 20, 1 / 10, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    low, high = min(*ratios, 0.4) / 1.15, max(*ratios, 1.2) * 1.15
    axes.set_xlim(low, high)
    within = [mark for mark in marks if low <= mark <= high]
    axes.set_xticks(within, [f"1/{1 / m:.0f}" if m < 0.2 else f"{m:g}" for m in within])
    axes.minorticks_off()
