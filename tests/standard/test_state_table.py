"""The table that the library parses says what PS3.8 Table 9-10 says."""

from __future__ import annotations

from dicomwire.standard.state_table import EFFECTS, GRID, TRANSITIONS
from tests.standard.table_9_10 import CELLS, EVENTS, STATES, UNDEFINED


def test_both_have_all_cells() -> None:
    assert len(TRANSITIONS) == len(CELLS) == 123
    assert len(UNDEFINED) == 124
    assert len(EVENTS) * len(STATES) == 247


def test_every_cell_has_the_action_of_the_standard() -> None:
    expected = {place: cells[0].action for place, cells in CELLS.items()}
    assert expected == TRANSITIONS


def test_every_action_does_what_the_standard_says() -> None:
    expected: dict[str, tuple[tuple[str, ...], str]] = {}
    for cells in CELLS.values():
        for mark, cell in zip(("", "!"), cells, strict=False):
            effect = cell.verbs, cell.after
            assert expected.setdefault(cell.action + mark, effect) == effect
    assert expected == EFFECTS
    assert len({action.rstrip("!") for action in EFFECTS}) == 28


def test_the_grid_is_the_page_of_the_standard() -> None:
    header, *rows = [line.split() for line in GRID.strip().splitlines()]
    assert header == [str(number) for number in range(1, 14)]
    assert [row[0] for row in rows] == EVENTS
    assert {len(row) for row in rows} == {14}
