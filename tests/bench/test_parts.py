"""Options into parts; a part that cannot be done into a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import measured, parsed
from bench.parts import PARTS, Part, minutes
from bench.report import OURS, Row, all_met, table
from bench.turns import Unfit


def test_all_parts_go_into_the_documentation() -> None:
    given = parsed([])
    assert given.only == [part.name for part in PARTS]
    assert given.output == Path("docs")


@pytest.mark.parametrize("options", [["--quick"], ["--only", "store", "echo"]])
def test_what_is_not_whole_does_not(options: list[str]) -> None:
    assert parsed(options).output is None
    assert parsed([*options, "--output", "here"]).output == Path("here")


@pytest.mark.parametrize("options", [["--only", "nothing"], ["--runs", "0"]])
def test_what_cannot_be_is_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(options)


def test_names_of_parts_are_different() -> None:
    assert len({part.name for part in PARTS}) == len(PARTS)


def test_every_part_is_in_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "performance.md"
    rows = [line.split("`")[1] for line in page.read_text().splitlines() if line[:3] == "| `"]
    assert rows == [part.name for part in PARTS]


def test_fewer_parts_and_runs_and_less_work_take_less_time() -> None:
    whole = minutes(PARTS, 5, quick=False)
    assert whole > minutes(PARTS, 2, quick=False) > minutes(PARTS[1:], 2, quick=False)
    assert whole > minutes(PARTS, 5, quick=True)


def test_a_part_has_a_folder_that_goes(tmp_path: Path) -> None:
    def measure(scratch: Path, runs: int, quick: bool) -> list[Row]:
        scratch.mkdir()
        return [Row(f"{scratch.name} {runs} {quick}", "s", {OURS: [1.0]})]

    (row,) = measured(Part("some", "", measure, 0, 0), tmp_path, 3, True)
    assert row.work == "some 3 True"
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_fails_is_a_row_that_says_so(tmp_path: Path) -> None:
    def measure(scratch: Path, runs: int, quick: bool) -> list[Row]:
        raise Unfit("Orthanc is not installed")

    rows = measured(Part("some", "", measure, 0, 0), tmp_path, 3, True)
    assert not all_met(rows)
    assert "Orthanc is not installed" in table(rows)
