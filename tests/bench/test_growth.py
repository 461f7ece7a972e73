"""Times into the cost of one object; memory into how many there may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import growth


def test_the_start_of_the_processes_is_no_cost_of_an_object() -> None:
    assert growth.costs_of([0.5, 9.0, 0.5], [1.5, 2.5], 101) == pytest.approx([10.0, 20.0])


def test_what_does_not_fit_into_memory_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "available", lambda: 1000 * growth.SIZE * growth.ROOM + 1)
    assert growth.fitting((1, 1000, 1001), tmp_path) == (1, 1000)


def test_memory_is_known_or_without_limit() -> None:
    assert growth.available() > 0
