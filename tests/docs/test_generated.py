"""The tables that the documentation repeats from the rows: all used, stale ones seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.standard.service_classes import SERVICE_CLASSES
from tests.docs.pages import DOCS
from tools.docs_statement import ANNEX, BY_TOOL, _entities, associations, entities, services
from tools.docs_tables import table
from tools.generate_docs import TABLES, filled, main

pytestmark = pytest.mark.no_socket


def test_every_table_stands_on_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert [name for name in TABLES if f"<!-- rows: {name} -->" not in text] == []


def test_the_pages_are_fresh() -> None:
    assert main(["--check"]) == 0, "run python -m tools.generate_docs"


def test_a_stale_page_is_seen_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- rows: exits -->\nold\n<!-- /rows -->\nkept\n")
    assert main(["--check"], tmp_path) == 1
    assert "page.md is stale" in capsys.readouterr().err
    assert main([], tmp_path) == main(["--check"], tmp_path) == 0
    assert page.read_text() == filled(page.read_text())
    assert "| 130 | " in page.read_text()
    assert page.read_text().endswith("\nkept\n")


def test_a_table_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="nothing"):
        filled("<!-- rows: nothing -->\n<!-- /rows -->")


def test_a_cell_keeps_its_bars() -> None:
    assert table(("a", "b"), [(1, "x|y")]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n"


def test_every_service_class_has_its_annex_and_a_row() -> None:
    names = {each.__name__.removesuffix("ServiceClass") for each in SERVICE_CLASSES[1:]}
    assert set(ANNEX) == names
    assert set(BY_TOOL) <= names
    assert len(services().splitlines()) == len(names) + 2


def test_every_tool_that_talks_to_peers_has_a_title_and_a_length() -> None:
    found = {each.tool: each for each in _entities()}
    assert set(found) >= {name for pair in BY_TOOL.values() for names in pair for name in names}
    assert (found["qrscp"].title, found["qrscp"].port) == ("QRSCP", 11112)
    assert {each.longest for each in found.values()} == {16382}
    assert "SUPPRESS" not in entities() + associations()
