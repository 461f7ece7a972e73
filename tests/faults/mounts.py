"""File systems of our own into places of tests, where the machine allows it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import LEFT_OUT, require_program


@contextmanager
def mounted(place: Path, kind: str, options: str, source: str | Path = "none") -> Iterator[Path]:
    """Mount a file system until the end of the block.

    Where that is forbidden the test is left out, and the closing line of the run says so.
    """
    mount = require_program("mount")
    place.mkdir(exist_ok=True)
    command = [mount, "-t", kind, "-o", options, str(source), str(place)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{LEFT_OUT}the permission to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
