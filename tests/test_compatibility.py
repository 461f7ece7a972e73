"""The compatibility page: what its checker counts, and what it does not let pass."""

from __future__ import annotations

import pytest

from tools.check_compatibility import NAMES_OF_SOP_CLASSES, PAGE, faults, head, marks_of, rows

ROWS = """\
| 1.1 | a thing | kept | a remark |
| 1.2 | another | differs | a reason |
| 1.t | a table | kept | |
| A | names | kept | |
| D.pdu.A_ABORT | a class | not yet | |
| what | it is | no row | |
"""
MARKS = {"1.1": {"test_one"}, "A": {"test_names"}}
TOTAL = NAMES_OF_SOP_CLASSES + 3


def test_the_page_and_the_tests_agree(every_item: list[pytest.Item]) -> None:
    assert faults(PAGE.read_text(encoding="utf-8"), marks_of(every_item)) == []


def page(text: str = ROWS, counts: str = "") -> str:
    return f"<!-- counts -->\n{counts or head(rows(text))}\n<!-- /counts -->\n\n{text}"


def test_rows_are_counted_as_boxes() -> None:
    assert [row.weight for row in rows(ROWS)] == [1, 1, 0, NAMES_OF_SOP_CLASSES, 1]
    said = f"{TOTAL} boxes: {TOTAL - 2} kept, 1 differs, 0 not offered, 1 not yet"
    assert head(rows(ROWS)) == f"**{said}. Kept: 99.2 %.**"
    assert faults(page(), MARKS) == []


@pytest.mark.parametrize(
    ("text", "marks", "fault"),
    [
        (ROWS, {"A": {"t"}}, "row 1.1 is kept, and no test is marked"),
        (ROWS, {**MARKS, "9.9": {"t"}}, "t is marked with 9.9, which is no row"),
        (ROWS.replace("differs", "varies"), MARKS, "row 1.2: 'varies' is no verdict"),
        (ROWS + ROWS.splitlines()[1] + "\n", MARKS, "row 1.2 stands there 2 times"),
    ],
)
def test_what_is_wrong_is_said(text: str, marks: dict[str, set[str]], fault: str) -> None:
    (said,) = faults(page(text), marks)
    assert said.startswith(fault)


def test_counts_that_are_not_true_are_a_fault() -> None:
    (said,) = faults(page(counts="**all of them**"), MARKS)
    assert "counts are not true" in said
