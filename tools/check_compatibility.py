"""docs/compatibility.md and the tests' `box` marks into what is wrong with them.

`python -m tools.check_compatibility` exits 1 when a kept box has no test, when a mark names no row,
or when the counts at the head are not true; with `--write` it writes the counts. Nothing is run:
pytest only collects. A row is `| 3.7 | what | verdict | remark |`. A row whose number is a
section's and a position in it, or `D.<module>.<class>`, is one box; row `A` is 261; `3.t` and the
like are none.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.collected import TOP, collect

PAGE = TOP / "docs" / "compatibility.md"
VERDICTS = ("kept", "differs", "not offered", "not yet")
NAMES_OF_SOP_CLASSES = 261  # row A: 252 SOP classes and 9 well-known instances

_ROW = re.compile(r"^\| ((?:\d+|[A-Z])(?:\.[\w.]+)?) \|[^|]*\| ([a-z ]+) \|", re.MULTILINE)
_BOX = re.compile(r"\d+\.\d+|D\.\w+\.\w+")
_HEAD = re.compile(r"(?<=<!-- counts -->\n).*(?=\n<!-- /counts -->)", re.DOTALL)


class Row(NamedTuple):
    """A row of the page."""

    name: str
    verdict: str

    @property
    def weight(self) -> int:
        """How many boxes it stands for."""
        if self.name == "A":
            return NAMES_OF_SOP_CLASSES
        return 1 if _BOX.fullmatch(self.name) else 0


def marks_of(items: Iterable[pytest.Item]) -> dict[str, set[str]]:
    """Return the tests of each row that a mark names."""
    marks: dict[str, set[str]] = {}
    for item in items:
        for mark in item.iter_markers("box"):
            for name in mark.args:
                marks.setdefault(name, set()).add(item.nodeid)
    return marks


def rows(page: str) -> list[Row]:
    """Return the rows of the page."""
    return [Row(*match.groups()) for match in _ROW.finditer(page)]


def head(found: list[Row]) -> str:
    """Return the line that counts the boxes."""
    counts = Counter[str]()
    for row in found:
        counts[row.verdict] += row.weight
    total = counts.total()
    share = 100 * counts["kept"] / total if total else 0.0
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"**{total} boxes: {said}. Kept: {share:.1f} %.**"


def faults(page: str, marks: dict[str, set[str]]) -> list[str]:
    """Return what is wrong, a line each."""
    found = rows(page)
    known = Counter(row.name for row in found)
    said = _HEAD.search(page)
    lines = [f"row {name} stands there {count} times" for name, count in known.items() if count > 1]
    lines += [
        f"row {row.name}: '{row.verdict}' is no verdict"
        for row in found
        if row.verdict not in VERDICTS
    ]
    lines += [
        f"row {row.name} is kept, and no test is marked box({row.name!r})"
        for row in found
        if row.verdict == "kept" and row.weight and row.name not in marks
    ]
    lines += [
        f"{min(tests)} is marked with {name}, which is no row"
        for name, tests in sorted(marks.items())
        if name not in known
    ]
    if said is None or said.group() != head(found):
        lines.append("the counts are not true: run python -m tools.check_compatibility --write")
    return lines


def main(arguments: list[str], target: Path = PAGE) -> int:
    """Check the page, after writing its counts with ``--write``; return the exit code."""
    page = target.read_text(encoding="utf-8")
    if "--write" in arguments:
        page = _HEAD.sub(lambda _: head(rows(page)), page)
        target.write_text(page, encoding="utf-8", newline="\n")
    found = faults(page, marks_of(collect()))
    for line in found:
        print(f"{target.name}: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
