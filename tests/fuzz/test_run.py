"""What libFuzzer and atheris print, into a line."""

from __future__ import annotations

import sys

import pytest

from fuzz import __main__ as tool
from fuzz import run
from fuzz.run import Outcome, read

STATS = "stat::number_of_executed_units: 1200\nstat::new_units_added:          7\n"
RAISED = """
 === Uncaught Python exception: ===
AssertionError: one is not two
Traceback (most recent call last):
==99== ERROR: libFuzzer: fuzz target exited
Test unit written to .fuzz/found/pdus-crash-12ab
"""


@pytest.mark.parametrize(
    ("printed", "code", "outcome"),
    [
        (STATS, 0, Outcome("pdus", 60, 1200, 7)),
        (
            RAISED + STATS,
            77,
            Outcome(
                "pdus", 60, 1200, 7, "AssertionError: one is not two", ".fuzz/found/pdus-crash-12ab"
            ),
        ),
        (
            "==1== ERROR: libFuzzer: timeout after 20 seconds\nTest unit written to x-timeout-1\n",
            70,
            Outcome("pdus", 60, 0, 0, "timeout after 20 seconds", "x-timeout-1"),
        ),
        ("ImportError: no\n", 1, Outcome("pdus", 60, 0, 0, "exit code 1: ImportError: no")),
        ("", -1, Outcome("pdus", 60, 0, 0, "exit code -1: nothing was printed")),
        ("", 0, Outcome("pdus", 60, 0, 0, "exit code 0: nothing was printed")),
    ],
)  # fmt: skip
def test_what_is_printed_is_read(printed: str, code: int, outcome: Outcome) -> None:
    assert read("pdus", 60, printed, code) == outcome


def test_a_line_says_what_came_of_it() -> None:
    good, bad = Outcome("pdus", 60, 1200, 7), read("pdus", 60, RAISED, 77)
    assert str(good) == "pdus          60 s       1,200 inputs       20/s      7 new  no fault"
    assert str(bad).endswith(
        "FAULT: AssertionError: one is not two"
        ' - make fuzz ARGS="--replay .fuzz/found/pdus-crash-12ab"'
    )


@pytest.mark.parametrize(("options", "code"), [([], 2), (["--where-possible"], 0)])
def test_without_atheris_one_line_says_so(
    options: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["fuzz", *options])
    monkeypatch.setattr("fuzz.targets.be_quiet", lambda: None)
    assert tool.main() == code
    said = "".join(capsys.readouterr())
    assert said.count("\n") == 1
    assert "needs atheris" in said


def test_an_unknown_target_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "--target", "pdu"])
    monkeypatch.setattr("fuzz.targets.be_quiet", lambda: None)
    assert tool.main() == 2
    assert "there is no target pdu: pdus commands " in capsys.readouterr().err
