"""Status rows: a code of a service class, of the general table, and of none."""

from __future__ import annotations

import pytest

from dicomwire.standard import statuses
from dicomwire.standard.statuses import Category, category_of, describe, row_of


@pytest.mark.parametrize(
    ("code", "table", "category", "text"),
    [
        (0x0000, statuses.GENERAL_STATUS, Category.SUCCESS, ""),
        (
            0xA7FF,
            statuses.STORAGE_SERVICE_CLASS_STATUS,
            Category.FAILURE,
            "Refused: Out of Resources",
        ),
        (0x0110, statuses.STORAGE_SERVICE_CLASS_STATUS, Category.FAILURE, "Processing Failure"),
        (
            0xA801,
            statuses.QR_MOVE_SERVICE_CLASS_STATUS,
            Category.FAILURE,
            "Move destination unknown",
        ),
        (0xA801, statuses.QR_GET_SERVICE_CLASS_STATUS, Category.FAILURE, ""),
        (0xB123, statuses.STORAGE_SERVICE_CLASS_STATUS, Category.WARNING, ""),
        (0xFF00, statuses.GENERAL_STATUS, Category.PENDING, ""),
        (0x0002, statuses.GENERAL_STATUS, Category.UNKNOWN, ""),
    ],
)
def test_describe(code: int, table: statuses.StatusTable, category: Category, text: str) -> None:
    assert describe(code, table) == (category, text)


def test_a_code_outside_the_table_has_no_row() -> None:
    assert row_of(0xB123, statuses.STORAGE_SERVICE_CLASS_STATUS) is None
    row = row_of(0xC123, statuses.STORAGE_SERVICE_CLASS_STATUS)
    assert row is not None
    assert (row.first, row.last) == (0xC000, 0xCFFF)


@pytest.mark.box("C.t")
def test_every_row_agrees_with_the_general_rules_on_its_category() -> None:
    tables = [getattr(statuses, name) for name in dir(statuses) if name.endswith("_STATUS")]
    assert len(tables) == 18
    for row in {row for table in tables for row in table}:
        assert row.first <= row.last
        assert {category_of(row.first), category_of(row.last)} == {row.category}
