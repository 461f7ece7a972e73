"""What the picture shows."""

from __future__ import annotations

from pathlib import Path

from bench.plot import plot, shown
from bench.report import OURS, Bar, Row

ROWS = [
    Row("store", "s", {OURS: [1.0, 1.2], "DCMTK": [2.0, 2.1]}, (Bar(0.45, "DCMTK"),)),
    Row("store", "s", {OURS: [1.0], "pynetdicom": [90.0], "Orthanc": []}),
    Row("cost", "ms", {OURS: [-0.1, 1.0], "100 objects": [1.0, 1.0]}),
    Row("memory", "MB", {OURS: [20.0]}, (Bar(60),)),
]


def test_only_ratios_are_shown() -> None:
    assert [(each.row.work, each.other) for each in shown(ROWS)] == [
        ("store", "DCMTK"),
        ("store", "pynetdicom"),
    ]


def test_a_picture_is_written(tmp_path: Path) -> None:
    path = tmp_path / "images" / "benchmark.png"
    plot(ROWS, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_ratios_there_is_none(tmp_path: Path) -> None:
    plot(ROWS[2:], tmp_path / "benchmark.png")
    assert not (tmp_path / "benchmark.png").exists()
