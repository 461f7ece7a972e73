"""What is wrong with a file or a data set into a LocalError that says what to do about it."""

from __future__ import annotations

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


class UndecodableDataSet(DataSetError):
    """Bytes that are no data set in the transfer syntax they came in."""
