"""The tables of faults: every row of the matrix is in one, and every scenario has its test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.established import ESTABLISHED
from tests.faults.negotiation import NEGOTIATION
from tests.faults.scenarios import (
    BEGINNINGS,
    FUZZED,
    IN_MEMORY,
    LEFT_OUT,
    MESSAGES,
    OUTSIDE,
    REQUESTORS,
    SCENARIOS,
    SECURED,
    TRANSPORT,
)
from tests.faults.test_data_sets import answers as data_sets
from tests.faults.test_load import answers as loads

pytestmark = pytest.mark.no_socket

HERE = Path(__file__).parent
GROUPS = {"T": 23, "N": 56, "P": 40, "F": 32, "X": 18, "L": 12}


def played_in(path: Path) -> dict[str, str]:
    """The tests of a file, each with the lines of decorators before it."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"((?:^@.*\n)*)^(?:async )?def test_(\w+)", text, re.MULTILINE)
    return {name: marks for marks, name in found}


def test_every_row_is_tried_or_says_why_not() -> None:
    tried = {each.row for each in (*NEGOTIATION, *ESTABLISHED, *SCENARIOS)}
    tried |= {row for row, _, _ in (*data_sets(), *loads())}
    every = {f"{group}{n:02}" for group, count in GROUPS.items() for n in range(1, count + 1)}
    assert tried | set(LEFT_OUT) == every
    assert tried & set(LEFT_OUT) == set()


@pytest.mark.parametrize(
    ("table", "file"),
    [(TRANSPORT, "transport"), (BEGINNINGS, "beginnings"), (MESSAGES, "messages")],
    ids=["T", "N", "P"],
)
def test_every_scenario_is_played(table: dict[str, object], file: str) -> None:
    found = played_in(HERE / f"test_{file}.py")
    assert set(found) == set(table)
    for name, marks in found.items():
        assert ("still_open" in marks) == bool(table[name].still_open), name  # type: ignore[attr-defined]


def test_every_bad_answer_has_its_script() -> None:
    text = (HERE / "test_requestors.py").read_text(encoding="utf-8")
    assert [name for name in REQUESTORS if f'"{name}": (' not in text] == []


@pytest.mark.parametrize("where", {**IN_MEMORY, **SECURED, **OUTSIDE, **FUZZED})
def test_what_is_played_elsewhere_is_there(where: str) -> None:
    path, _, name = where.partition("::")
    assert name.removeprefix("test_") in played_in(HERE.parents[1] / path)
