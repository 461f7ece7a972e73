"""The exit codes: what the code says, what the help says and what the README says are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dicomwire.apps.exits import MEANINGS, Exit
from tests.apps.conftest import Tool

pytestmark = pytest.mark.no_socket
README = Path(__file__).parents[2] / "README.md"


def test_every_code_has_a_meaning() -> None:
    assert list(MEANINGS) == list(Exit)


def test_the_readme_has_the_same_table() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", README.read_text(), re.MULTILINE)
    assert rows == [(str(code.value), text) for code, text in MEANINGS.items()]


def test_the_help_has_the_same_table(tool: Tool) -> None:
    page = tool("echoscu", "--help-all").out
    for code, text in MEANINGS.items():
        assert f"  {code.value:<4}{text}\n" in page


def test_they_stay_what_they_are() -> None:
    assert {code.name: code.value for code in Exit} == {
        "DONE": 0,
        "NO_ASSOCIATION": 1,
        "WRONG_USE": 2,
        "FAILED": 3,
        "ENDED_EARLY": 4,
        "NOT_HERE": 5,
        "INTERRUPTED": 130,
    }
