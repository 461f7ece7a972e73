"""Commands into seconds, memory and errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench import peers
from bench.peers import (
    AS_IT_COMES,
    FAST,
    check_arrived,
    fill_and_free,
    peak_mb,
    printed,
    program,
    python,
    run,
)
from bench.turns import Unfit


def test_a_missing_program_is_named() -> None:
    with pytest.raises(Unfit, match="no-such-program"):
        program("no-such-program")


def test_the_memory_of_a_command_is_looked_at_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = tmp_path / "looked"
    peaks = iter([20.0, 30.0])

    def look(process: int) -> float:
        peak = next(peaks, 25.0)
        if peak == 25.0:  # the third time
            looked.touch()
        return peak

    monkeypatch.setattr(peers, "peak_mb", look)
    waits = f"import os\nwhile not os.path.exists({str(looked)!r}): pass"
    assert run([sys.executable, "-c", waits], with_memory=True).scu_mb == 30.0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says it")
def test_the_peak_is_of_the_process_itself() -> None:
    assert peak_mb(os.getpid()) > 1
    assert peak_mb(-1) == 0.0


def test_what_a_failing_command_says_is_kept() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no room')"]
    for work in (run, printed):
        with pytest.raises(Unfit, match="no room"):
            work(command)


def test_what_a_command_prints_is_returned() -> None:
    assert printed([sys.executable, "-c", "print(2.5)"]) == "2.5\n"
    assert python("bench.echo", "open", 1) == [sys.executable, "-m", "bench.echo", "open", "1"]


def test_all_objects_have_to_arrive(tmp_path: Path) -> None:
    (tmp_path / "CT.1").touch()
    (tmp_path / "incoming").touch()
    check_arrived(tmp_path, 1)
    with pytest.raises(Unfit, match="2 objects were sent, 1 arrived"):
        check_arrived(tmp_path, 2)


def test_one_environment_is_fast_and_one_as_it_comes() -> None:
    assert FAST["TCP_NODELAY"] == "1"
    assert "TCP_NODELAY" not in AS_IT_COMES
    assert "PYTHONDONTWRITEBYTECODE" not in {*FAST, *AS_IT_COMES}


def test_memory_is_filled_and_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled: list[int] = []
    unlink = Path.unlink

    def seen(path: Path) -> None:
        filled.append(path.stat().st_size)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", seen)
    fill_and_free(tmp_path, 2_500_001)
    assert filled == [2_500_001]
    assert list(tmp_path.iterdir()) == []
