"""A short soak: 64 senders, aborts, resets, kills; nothing leaks, nothing acknowledged is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.soak import Soak, summary

pytestmark = [
    pytest.mark.socket,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process has"),
]

SECONDS = 10.0
WARM = 200  # associations
MOST_GROWTH = 20.0  # MB: in this time not all threads have had their share (see `test_load.py`)


@pytest.mark.timeout(400)
def test_a_short_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soak = Soak(tmp_path, seed=7, seconds=SECONDS, most_growth=MOST_GROWTH, warm=WARM)
    problems = soak.run()
    with capsys.disabled():
        sys.stdout.write(f"\n{summary(soak)}\n")
    assert problems == []
    assert all(soak.told.stored.values())
    assert soak.killed["server"]
    assert soak.killed["senders"]
