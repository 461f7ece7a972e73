"""What is wrong with a file or a data set into a LocalError that says what to do about it."""

from __future__ import annotations

from functools import cache
from os import PathLike, fspath
from pathlib import Path

from dicomwire.protocol.errors import LocalError


class UnreadableFile(LocalError):
    """A file that is no DICOM file, is damaged, changed while in use, or may not be read.

    Parameters
    ----------
    path : path-like
        The file.
    what : str
        What is wrong with it.
    check : str
        What to look at or to change.
    """

    def __init__(self, path: str | PathLike[str], what: str, check: str = "") -> None:
        super().__init__(f"{fspath(path)}: {what}")
        self.path = Path(path)
        self.check = check or "that it is a DICOM file (PS3.10 7) and was copied whole"


class _Unopened(UnreadableFile):
    @property
    def filename(self) -> str:
        """The file, as an OSError has it."""
        return str(self.path)


class MissingFile(_Unopened, FileNotFoundError):
    """A file that is not there."""


class ForbiddenFile(_Unopened, PermissionError):
    """A file that may not be read."""


class NoFile(_Unopened, IsADirectoryError):
    """A directory, where a file is needed."""


_UNOPENED = (MissingFile, ForbiddenFile, NoFile)


def unopened(path: str | PathLike[str], error: OSError) -> UnreadableFile:
    """Say why a file cannot be opened, with an error that `except OSError` and the like take too.

    Parameters
    ----------
    path : path-like
        The file.
    error : OSError
        What the operating system said.
    """
    if isinstance(error, IsADirectoryError):
        what, check = "is a directory", "the path; name a file"
    else:
        what, check = f"cannot be opened: {error.strerror}", "the path and who may read it"
    same = (each for each in _UNOPENED if isinstance(error, each.__bases__[1]))
    made = next(same, UnreadableFile)(path, what, check)
    if isinstance(made, OSError):
        made.errno = error.errno
    return made


class NotDicom(UnreadableFile):
    """A file that is no DICOM file, or only the beginning of one."""

    def __init__(self, path: str | PathLike[str], what: str) -> None:
        super().__init__(path, what)
        self.text = what

    def as_pydicoms(self) -> UnreadableFile:
        """Return the same as an error that is pydicom's `InvalidDicomError` too."""
        return _pydicoms_kind()(self.path, self.text)


@cache
def _pydicoms_kind() -> type[UnreadableFile]:
    from pydicom.errors import InvalidDicomError  # here: who sends files need not wait for pydicom

    class InvalidFile(NotDicom, InvalidDicomError):
        """A file that is no DICOM file, as programs that know pydicom expect it."""

    return InvalidFile


class DataSetError(LocalError):
    """A data set that cannot be decoded, encoded or sent.

    Parameters
    ----------
    what : str
        What is wrong with it.
    check : str
        What to look at or to change.
    """

    def __init__(self, what: str, check: str = "") -> None:
        super().__init__(what)
        self.check = check or "the data set and its transfer syntax"


class TooLong(DataSetError):
    """A deflated data set that inflates to more than is allowed."""


class UndecodableDataSet(DataSetError):
    """Bytes that are no data set in the transfer syntax they came in."""
