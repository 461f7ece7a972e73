"""Files and folders into what is sent, what is skipped and what is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.apps.options import WrongUse
from dicomwire.apps.selection import MEDIA_STORAGE_DIRECTORY, find_files, scan
from tests.apps.conftest import dicom_file
from tests.dataset.samples import explicit, part10, uids_explicit

pytestmark = pytest.mark.no_socket


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.dcm", "a.dcm", "sub/c.dcm", "sub/deep/d.txt"):
        dicom_file(tmp_path / name)
    return tmp_path


def names(tree: Path, found: list[tuple[Path, bool]]) -> list[str]:
    return [str(path.relative_to(tree)) for path, _ in found]


def test_a_folders_own_files_sorted(tree: Path) -> None:
    assert names(tree, find_files([str(tree)])) == ["a.dcm", "b.dcm"]


def test_folders_of_folders(tree: Path) -> None:
    found = find_files([str(tree)], recurse=True)
    assert names(tree, found) == ["a.dcm", "b.dcm", "sub/c.dcm", "sub/deep/d.txt"]


def test_a_pattern_is_for_folders(tree: Path) -> None:
    paths = [str(tree), str(tree / "sub/deep/d.txt")]
    found = find_files(paths, recurse=True, pattern="[ac].dcm")
    assert names(tree, found) == ["a.dcm", "sub/c.dcm", "sub/deep/d.txt"]


def test_each_file_once_and_named_counts(tree: Path) -> None:
    found = find_files([str(tree), str(tree / "a.dcm"), str(tree)])
    assert found == [(tree / "a.dcm", True), (tree / "b.dcm", False)]


def test_each_file_once_however_it_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    found = find_files([".", "./sub", "sub//c.dcm", "./a.dcm"], recurse=True)
    expected = {"a.dcm": True, "b.dcm": False, "sub/c.dcm": True, "sub/deep/d.txt": False}
    assert found == [(Path(name), named) for name, named in expected.items()]


def test_what_is_not_there(tree: Path) -> None:
    with pytest.raises(WrongUse, match="there is no file or folder"):
        find_files([str(tree / "none")])


def scanned(path: Path, named: bool, **options: bool) -> tuple[int, int, int]:
    found = scan([(path, named)], **options)
    return len(found.headers), found.skipped, len(found.unreadable)


@pytest.mark.parametrize("named", [True, False])
def test_an_object(tmp_path: Path, named: bool) -> None:
    assert scanned(dicom_file(tmp_path / "x"), named) == (1, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"some text that is no DICOM",
        part10(b"\0" * 8, sop_class=MEDIA_STORAGE_DIRECTORY, instance="1.2", syntax="1.2.3"),
    ],
)
def test_what_is_no_object_is_an_error_only_where_it_was_named(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    assert scanned(tmp_path / "x", True) == (0, 0, 1)
    assert scanned(tmp_path / "x", False) == (0, 1, 0)


@pytest.mark.parametrize(
    "content",
    [
        part10(b""),
        part10(explicit(0x00100010, "PN", b"Nobody"), syntax="1.2.840.10008.1.2.1"),
        part10(uids_explicit(), sop_class="1.2", instance="1.2"),
    ],
    ids=["cut off", "without SOP Instance UID", "without transfer syntax"],
)
def test_no_dicom_file_of_a_folder_is_lost_silently(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    headers, skipped, unreadable = scanned(tmp_path / "x", False)
    assert (skipped, headers + unreadable) == (0, 1)


def test_a_broken_link_in_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "gone")
    assert scanned(tmp_path / "x", False) == (0, 0, 1)


def test_bare_data_sets_on_demand(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(uids_explicit())
    assert scanned(tmp_path / "x", False) == (1, 0, 0)
    assert scanned(tmp_path / "x", False, part10_only=True) == (0, 1, 0)
