"""Rows of cells into a table of Markdown."""

from __future__ import annotations

from collections.abc import Iterable


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table.

    Parameters
    ----------
    head : iterable of str
        What its columns are called.
    rows : iterable of iterables
        Its cells.
    """
    names = list(head)
    lines = [names, ["---"] * len(names), *([_cell(each) for each in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def code(number: int) -> str:
    """Return a status as pages show it."""
    return f"`0x{number:04X}`"
