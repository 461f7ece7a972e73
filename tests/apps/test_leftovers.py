"""What a killed receiver has left goes, unless another one may still be writing it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from dicomwire.apps.leftovers import receiving_into
from dicomwire.apps.output import shown
from dicomwire.dataset.sinks import FileSink

pytestmark = pytest.mark.no_socket


def leftover(folder: Path) -> Path:
    """Do what a program does that is killed in the middle of a data set."""
    sink = FileSink(folder, b"HEAD")
    sink.write([memoryview(b"begun")])
    sink.finish()
    assert sink.path is not None
    return sink.path


def test_they_go_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = leftover(tmp_path)
    others = [".dicomwire-mine.part", ".x-0011223344556677.part", "CT.1.2.3", f"{path.name}x"]
    for name in others:
        (tmp_path / name).write_bytes(b"")
    with shown(logging.WARNING), receiving_into(tmp_path):
        assert sorted(each.name for each in tmp_path.iterdir()) == sorted(others)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["W: Removed 1 file that an earlier run had begun and not acknowledged"]


def test_a_file_with_both_names_keeps_its_own(tmp_path: Path) -> None:
    path = leftover(tmp_path)
    (tmp_path / "CT.1").hardlink_to(path)
    with receiving_into(tmp_path):
        assert [each.name for each in tmp_path.iterdir()] == ["CT.1"]


@pytest.mark.skipif(sys.platform == "win32", reason="there an open file cannot be removed")
def test_they_stay_while_another_program_receives_there(tmp_path: Path) -> None:
    with receiving_into(tmp_path):
        path = leftover(tmp_path)
        with receiving_into(tmp_path):
            assert path.exists()
        assert path.exists()
    with receiving_into(tmp_path), receiving_into(tmp_path):
        assert not path.exists()


def test_no_folder_no_leftovers() -> None:
    with receiving_into(None):
        pass
