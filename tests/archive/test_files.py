"""Files: places, what a crash has left, one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dicomwire.archive.files import Files, InUse
from dicomwire.archive.scan import scan
from dicomwire.dataset.part10 import read_header
from tests.archive.samples import instance, write


def name_of(path: Path) -> str:
    header = read_header(path)
    with path.open("rb") as file:
        file.seek(header.offset)
        return Files.name(scan(file, header.transfer_syntax_uid).digest)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "a")


@pytest.mark.parametrize("digest", ["", "../x", "A" * 64, "g" * 64, "a" * 63, "a" * 63 + "/"])
def test_a_name_comes_from_a_digest_only(digest: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        Files.name(digest)


def test_a_link_has_both_names_until_the_first_goes(files: Files) -> None:
    received = write(files.incoming / ".x.part", instance())
    name = name_of(received)
    files.link(received, name)
    files.sync([name])
    contents = received.read_bytes()
    received.unlink()
    assert files.path(name).read_bytes() == contents
    assert files.path(name).parent.name == name[8:10]
    assert files.path(name).stat().st_mode & 0o111 == 0  # nothing to be run


def test_what_nobody_has_is_replaced(files: Files) -> None:
    received = write(files.incoming / ".x.part", instance())
    name = name_of(received)
    files.path(name).write_bytes(b"what a power cut left")
    files.link(received, name)
    assert files.path(name).read_bytes() == received.read_bytes()


def test_without_hard_links_it_is_renamed(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", none)
    received = write(files.incoming / ".x.part", instance())
    name = name_of(received)
    files.link(received, name)
    assert files.path(name).exists()
    assert not received.exists()


def test_a_place_that_is_gone_is_an_error(files: Files) -> None:
    received = write(files.incoming / ".x.part", instance())
    name = name_of(received)
    files.path(name).parent.rmdir()  # as if the file system were no longer mounted
    with pytest.raises(OSError):
        files.link(received, name)
    assert received.exists()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_leftovers_go_and_their_places_unless_known(files: Files, known: bool, whole: bool) -> None:
    received = write(files.incoming / ".x.part", instance())
    name = name_of(received)
    files.link(received, name)
    if not whole:  # the place is found although the contents are not what it is named after
        received.write_bytes(received.read_bytes()[:-3])
    asked = []

    def is_known(each: str) -> bool:
        asked.append(each)
        return known

    assert files.recover(is_known) == 1
    assert asked == [name]
    assert list(files.incoming.iterdir()) == []
    assert files.path(name).exists() is known


def test_leftovers_without_a_place_go(files: Files) -> None:
    (files.incoming / ".y.part").write_bytes(b"DI")
    write(files.incoming / ".x.part", instance())
    assert files.recover(lambda name: True) == 2
    assert list(files.incoming.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="there is no flock")
def test_one_process_at_a_time(files: Files) -> None:
    with pytest.raises(InUse, match="in use"):
        Files(files.folder)
    files.close()
    Files(files.folder).close()
