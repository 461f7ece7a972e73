"""The tables of faults that the tests try into those of docs/reliability.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from html import escape

from tests.faults.established import ESTABLISHED
from tests.faults.negotiation import NEGOTIATION
from tests.faults.scenarios import LEFT_OUT, SCENARIOS
from tests.faults.test_data_sets import answers as data_sets
from tests.faults.test_load import answers as loads
from tools.docs_tables import table

_WIRE = re.compile(
    r"(\d+ x )?(C-\w+-RSP(?! )|C-\w+-RSP \w{4}|0x\w{4} \w{4})"
    r"|AC( \d+( results)?)?|ABORT(\(\d,\d\))?|RJ\(\d,\d,\d\)|A-RELEASE-RP"
)


def rows(group: str) -> Iterator[tuple[str, str, str]]:
    """Yield row, faults and answer: the faults of a row that have the same answer together."""
    found: dict[tuple[str, str], list[str]] = {}
    for row, fault, answer in _every():
        if row.startswith(group):
            found.setdefault((row, answer), []).append(escape(fault, quote=False))
    for (row, answer), faults in sorted(found.items(), key=lambda each: each[0][0]):
        yield row, "; ".join(dict.fromkeys(faults)), answer


def _every() -> Iterator[tuple[str, str, str]]:
    for case in (*NEGOTIATION, *ESTABLISHED, *SCENARIOS):
        answer = _code(case.answer) if case.answer else "ignored"
        still_open = getattr(case, "still_open", "")
        if still_open:
            answer = f"{answer} (not yet: {_code(still_open)})"
        yield case.row, case.fault, answer
    yield from data_sets()
    yield from loads()


def _code(words: str) -> str:
    """Set what crosses the wire as code."""
    return _WIRE.sub(lambda found: f"`{found[0]}`", words.replace("ReleaseRP", "A-RELEASE-RP"))


def answers(group: str) -> str:
    """Return the table of a group."""
    return table(("row", "fault", "answer"), rows(group))


def left_out() -> str:
    """Return the table of rows that are not tried."""
    return table(("row", "fault", "why"), ((row, *words) for row, words in LEFT_OUT.items()))


TABLES: dict[str, Callable[[], str]] = {
    **{f"faults-{group}": partial(answers, group) for group in "TNPFXL"},
    "faults-left-out": left_out,
}
