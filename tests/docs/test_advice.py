"""Troubleshooting: every code of the standard and every way an association ends is on the page."""

from __future__ import annotations

import re

import pytest

from dicomwire.protocol import errors
from dicomwire.protocol.errors import Ended, Lost, Rejected
from dicomwire.standard.rejections import ABORT_REASONS, REJECTIONS
from dicomwire.standard.statuses import GENERAL_STATUS, Category
from tests.docs.pages import DOCS, TOP
from tools.docs_advice import ABORTED, ENDED, TABLES

pytestmark = pytest.mark.no_socket

SOURCE = TOP / "src" / "dicomwire"
PAGE = DOCS.joinpath("troubleshooting.md").read_text(encoding="utf-8")


def test_every_reason_is_there_with_what_to_check() -> None:
    assert set(ABORTED) == set(ABORT_REASONS)
    for row in REJECTIONS:
        assert f"| *{row.text}* |" in PAGE
        assert row.check in PAGE
    for text in ABORT_REASONS.values():
        assert f": {text}* |" in PAGE


def test_every_way_to_end_is_there() -> None:
    ways = {
        kind for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Ended) and kind is not Ended
    }  # fmt: skip
    assert ways == {type(each) for each in ENDED} | {Rejected, Lost}


@pytest.mark.parametrize("name", TABLES)
def test_what_the_page_says_is_what_the_rows_say(name: str) -> None:
    assert TABLES[name]() in PAGE


def test_no_advice_is_about_success() -> None:
    (success,) = [row for row in GENERAL_STATUS if row.category is Category.SUCCESS]
    assert f"| `0x{success.first:04X}` |" not in PAGE


def test_what_it_says_is_in_the_source() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    said = re.sub(r'"\s*\n?\s*f?"', "", written)  # a text goes on in the next line
    below = PAGE[PAGE.index("## Nothing was sent") :]
    quoted = [text for row in below.splitlines() for text in re.findall(r"\*([^*]+)\*", row)]
    pieces = [
        piece.strip()
        for text in quoted
        for piece in re.split(r"\.\.\.|'X'|FILE: |Port 104", text)
        if piece.strip()
    ]
    assert len(pieces) > 8
    assert [piece for piece in pieces if piece not in said] == []
