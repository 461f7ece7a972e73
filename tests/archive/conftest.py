"""An archive that ends with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.archive.samples import Store

Open = Callable[..., Store]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """`opened(replace=True)`: open an archive in the test's folder."""
    with ExitStack() as ends:

        def start(folder: Path | None = None, replace: bool = False) -> Store:
            store = Store(folder or tmp_path / "archive", replace)
            ends.callback(store.close)
            return store

        yield start


@pytest.fixture
def store(opened: Open) -> Store:
    """An empty archive."""
    return opened()
