"""The tests of a folder into the items that pytest collects of them; nothing is run."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
TESTS = TOP / "tests"


class _Plugin:
    """What pytest tells of its items."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep all items."""
        self.items = list(session.items)


def collect(folder: Path = TESTS) -> list[pytest.Item]:
    """Return the tests in a folder, each instance of a parametrised one by itself.

    Raises
    ------
    SystemExit
        When a test file cannot be imported.
    """
    found, printed = _Plugin(), io.StringIO()
    quietly = ["--collect-only", "--quiet", "--assert=plain", "-p", "no:cacheprovider"]
    with contextlib.redirect_stdout(printed):
        code = pytest.main([f"--rootdir={TOP}", *quietly, str(folder)], plugins=[found])
    if code:
        sys.exit(f"pytest cannot collect the tests:\n{printed.getvalue()}")
    return found.items


def are_all(items: list[pytest.Item], folder: Path = TESTS) -> bool:
    """Tell whether a run has collected every test file of a folder."""
    return {item.path for item in items} >= set(folder.rglob("test_*.py"))
