"""The results of a transfer into a table: with rich when it is there, else in plain text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

from dicomwire.network.log_text import visible

HEADINGS = ("object", "SOP class", "transfer syntax", "bytes", "ms", "result")
_RIGHT = {"bytes", "ms"}
_SHARES = {"object": 5, "SOP class": 4, "transfer syntax": 4}
_MOST = (44, 38, 38, 12, 8, 60)  # characters a column has in plain text
_WIDTH = 150  # characters of a line when the output is no terminal


class Row(NamedTuple):
    """A line of the table: a cell for each of `HEADINGS`, and whether the result is good."""

    object: str
    sop_class: str
    transfer_syntax: str
    size: str
    milliseconds: str
    result: str
    is_good: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts, safe to print."""
        return tuple(visible(text) for text in self[:6])


def show_table(rows: Sequence[Row]) -> None:
    """Print a table."""
    if find_spec("rich") is None:
        print("\n".join(plain(rows)))
    else:
        _rich(rows)


def plain(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table of plain text."""
    cells = [HEADINGS, *(row.cells for row in rows)]
    widths = [
        min(most, max(len(line[column]) for line in cells)) for column, most in enumerate(_MOST)
    ]
    return [_line(line, widths) for line in cells]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = []
    for heading, text, width in zip(HEADINGS, cells, widths, strict=True):
        cut = text if len(text) <= width else text[: width - 1] + "…"
        parts.append(cut.rjust(width) if heading in _RIGHT else cut.ljust(width))
    return "  ".join(parts).rstrip()


def _rich(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", expand=True, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading in _RIGHT else "left",
            ratio=_SHARES.get(heading),  # the other columns are as wide as what they show
            no_wrap=True,
        )
    for row in rows:
        *cells, result = row.cells
        table.add_row(*map(Text, cells), Text(result, style="green" if row.is_good else "bold red"))
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
