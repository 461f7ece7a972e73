"""Paths that a user names into the headers of the DICOM files to send."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dicomwire.apps.options import WrongUse
from dicomwire.apps.output import log
from dicomwire.dataset.part10 import FileHeader, read_header
from dicomwire.protocol.errors import LocalError
from dicomwire.standard.uids import name_of

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"  # a DICOMDIR, PS3.3 F.2.1


class Selection:
    """What is to be sent, and what cannot be.

    Attributes
    ----------
    headers : list of FileHeader
        What is to be sent, in order.
    skipped : int
        How many files of folders were no DICOM objects.
    unreadable : list of str
        Why each file that should be sent cannot be.
    """

    def __init__(self) -> None:
        self.headers: list[FileHeader] = []
        self.skipped = 0
        self.unreadable: list[str] = []


def find_files(
    paths: Sequence[str], recurse: bool = False, pattern: str = "*"
) -> list[tuple[Path, bool]]:
    """Return the files that paths stand for, sorted, each once.

    Parameters
    ----------
    paths : sequence of str
        Files and folders.
    recurse : bool
        Whether to go into the folders of folders.
    pattern : str
        What the names of a folder's files have to match, as in a shell.

    Returns
    -------
    list of (Path, bool)
        Files, and whether the user named them one by one.

    Raises
    ------
    WrongUse
        When there is nothing at a path.
    """
    found: dict[str, bool] = {}  # a Path of each would take longer to compare than all else here
    for text in paths:
        path = Path(text)
        if path.is_dir():
            for each in _in_folder(str(path), recurse, pattern):
                found.setdefault(each, False)
        elif path.exists():
            found[str(path)] = True
        else:
            raise WrongUse(f"there is no file or folder {text}")
    return [(Path(each), found[each]) for each in sorted(found, key=_parts)]


def _parts(path: str) -> list[str]:
    return path.split(os.sep)


def _in_folder(folder: str, recurse: bool, pattern: str) -> Iterator[str]:
    try:
        for root, _, names in os.walk(folder, onerror=_complain):
            start = os.path.join(root, "").removeprefix(os.path.join(os.curdir, ""))
            for name in names if pattern == "*" else fnmatch.filter(names, pattern):
                yield start + name
            if not recurse:
                return
    except OSError as error:
        raise WrongUse(f"{folder} cannot be read: {error.strerror}") from error


def _complain(error: OSError) -> None:
    raise error


def scan(files: Sequence[tuple[Path, bool]], part10_only: bool = False) -> Selection:
    """Read the headers of files.

    Parameters
    ----------
    files : sequence of (Path, bool)
        See `find_files`: what is no DICOM object is an error only where it was named.
    part10_only : bool
        Whether to leave bare data sets alone.
    """
    selection = Selection()
    for path, named in files:
        try:
            header = read_header(path)
        except LocalError as error:
            _refuse(selection, str(error), named or is_dicom(path, error))
            continue
        if header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            _refuse(selection, f"{path}: a DICOMDIR is not for the network", named)
        elif part10_only and not header.offset:
            _refuse(selection, f"{path}: has no file meta information", named)
        else:
            selection.headers.append(header)
    return selection


def _refuse(selection: Selection, why: str, is_error: bool) -> None:
    if is_error:
        log.error("%s", why)
        selection.unreadable.append(why)
    else:
        log.info("Skipped %s", why)
        selection.skipped += 1


def is_dicom(path: Path, error: LocalError) -> bool:
    """Return whether a file that cannot be sent should have been: no object is lost silently."""
    if isinstance(error.__cause__, OSError):
        return True
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def described(header: FileHeader) -> str:
    """Return what a file holds, in words."""
    syntax = name_of(header.transfer_syntax_uid)
    return f"{header.path} ({name_of(header.sop_class_uid)}, {syntax})"
