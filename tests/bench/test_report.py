"""Figures into ratios, verdicts, a table and a file."""

from __future__ import annotations

import json
from pathlib import Path

from bench.report import (
    MET,
    NOT_MEASURED,
    NOT_MET,
    OURS,
    Bar,
    Row,
    all_met,
    comparisons,
    save,
    spread,
    table,
)


def store_row(limit: float) -> Row:
    return Row(
        "store", "s", {OURS: [1.0, 3.0, 2.0], "DCMTK": [4.0, 4.0, 4.0]}, (Bar(limit, "DCMTK"),)
    )


def test_a_ratio_is_of_times_run_by_run() -> None:
    assert store_row(1.0).ratios("DCMTK") == [0.25, 0.75, 0.5]


def test_a_rate_is_turned_into_a_time() -> None:
    row = Row("echo", "1/s", {OURS: [200.0], "DCMTK": [100.0]})
    assert row.ratios("DCMTK") == [0.5]


def test_a_peer_that_did_fewer_runs_is_compared_in_those() -> None:
    row = Row("store", "s", {OURS: [1.0, 2.0, 3.0], "pynetdicom": [100.0]})
    assert row.ratios("pynetdicom") == [0.01]


def test_the_median_ratio_is_held_against_the_bar() -> None:
    verdicts = [next(store_row(limit).comparisons()).verdict for limit in (0.5, 0.49)]
    assert verdicts == [MET, NOT_MET]


def test_ours_alone_is_held_against_the_most_or_the_least() -> None:
    def verdict(bar: Bar) -> str:
        return next(Row("work", "MB", {OURS: [50.0, 60.0, 70.0]}, (bar,)).comparisons()).verdict

    assert verdict(Bar(60)) == verdict(Bar(60, least=True)) == MET
    assert verdict(Bar(59)) == verdict(Bar(61, least=True)) == NOT_MET


def test_what_has_no_figures_is_not_met() -> None:
    row = Row("store", "s", {OURS: [1.0], "DCMTK": []}, (Bar(0.5, "DCMTK"),))
    assert [each.verdict for each in row.comparisons()] == [NOT_MEASURED]
    assert not all_met([row])


def test_a_bar_against_somebody_without_figures_is_a_line_too() -> None:
    row = Row("store", "s", {OURS: [1.0]}, (Bar(0.5, "DCMTK"),))
    assert [(each.other, each.verdict) for each in row.comparisons()] == [("DCMTK", NOT_MEASURED)]


def test_all_is_met_when_nothing_is_demanded() -> None:
    assert all_met([Row("store", "s", {OURS: [1.0], "DCMTK": [0.5]})])


def test_a_small_bar_is_said_as_a_fraction() -> None:
    bars = (Bar(1 / 60, "pynetdicom"), Bar(0.45, "DCMTK"), Bar(60), Bar(1000, least=True))
    assert list(map(str, bars)) == ["at most 1/60", "at most 0.45", "under 60", "1,000 or more"]


def test_a_spread_is_the_median_and_the_ends() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert spread([1234.5]) == "1,234"
    assert spread([0.0123]) == "0.012"
    assert spread([]) == ""


def test_a_table_has_a_line_for_each_comparison() -> None:
    row = Row(
        "store",
        "s",
        {OURS: [1.0], "DCMTK": [4.0], "pynetdicom": []},
        (Bar(0.45, "DCMTK"),),
        {"pynetdicom": "failed: no | yes"},
    )
    assert table([row]).splitlines()[2:] == [
        "| store | s | 1.00 | DCMTK | 4.00 | 0.25 | at most 0.45 | met |",
        "|  |  |  | pynetdicom | failed: no / yes |  |  |  |",
    ]


def test_the_file_has_every_figure_and_verdict(tmp_path: Path) -> None:
    save([store_row(0.5)], tmp_path / "docs")
    (row,) = json.loads((tmp_path / "docs" / "benchmark.json").read_text())["rows"]
    assert row["figures"] == {OURS: [1.0, 3.0, 2.0], "DCMTK": [4.0, 4.0, 4.0]}
    assert row["compared"] == [
        {"other": "DCMTK", "ratios": [0.25, 0.75, 0.5], "bar": "at most 0.50", "verdict": MET}
    ]


def test_rows_are_compared_in_their_order() -> None:
    found = comparisons([store_row(1.0), Row("memory", "MB", {OURS: [1.0]}, (Bar(2.0),))])
    assert [(each.row.work, each.other) for each in found] == [("store", "DCMTK"), ("memory", "")]
