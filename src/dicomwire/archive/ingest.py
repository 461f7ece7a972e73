"""C-STORE requests into objects that are durable when they are acknowledged (PS3.4 B.2.2).

Success is sent only after this: the file whole and on the disk, its name on the disk, the row
committed. A crash before loses nothing that was acknowledged, and leaves nothing half there.
"""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from dicomwire.archive.attributes import UNIQUE_KEYS, Level
from dicomwire.archive.index import Index, Outcome, Record
from dicomwire.archive.scan import Scanned, scan
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.sinks import Written
from dicomwire.protocol.validate import is_valid_uid

SUCCESS = 0x0000
DUPLICATE_SOP_INSTANCE = 0x0111  # PS3.7 C.5.7
INVALID_OBJECT_INSTANCE = 0x0117  # PS3.7 C.5.11
OUT_OF_RESOURCES = 0xA700  # PS3.4 Table B.2-1
DOES_NOT_MATCH_SOP_CLASS = 0xA900
CANNOT_UNDERSTAND = 0xC000

_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_DISK_FAILED = {errno.EIO}
_OUTCOMES = {
    Outcome.STORED: SUCCESS,
    Outcome.SAME: SUCCESS,
    Outcome.REPLACED: SUCCESS,
    Outcome.KEPT_FIRST: DUPLICATE_SOP_INSTANCE,
}


class Answer(NamedTuple):
    """The answer to a C-STORE request.

    Attributes
    ----------
    status : int
        Its status.
    comment : str
        What there is to say, for the log and, of a failure, for the peer.
    """

    status: int
    comment: str


class Ingest:
    """Takes received objects into an archive.

    After an input/output error of the disk nothing more is taken: what the kernel has dropped is
    not there at a second fsync, whatever that says.

    Parameters
    ----------
    index : Index
        The archive's.
    replace : bool
        Whether an object takes the place of one of the same SOP Instance UID and other contents;
        otherwise the first is kept, and the second refused.
    """

    def __init__(self, index: Index, replace: bool = False) -> None:
        self._index = index
        self._replace = replace
        self._failed = ""

    def take(
        self, received: Written, transfer_syntax: str, sop_class_uid: str, sop_instance_uid: str
    ) -> Answer:
        """Take a received file.

        Parameters
        ----------
        received : Written
            The Part 10 file, under its temporary name in `Files.incoming`.
        transfer_syntax : str
            How its data set is encoded.
        sop_class_uid, sop_instance_uid : str
            What the request says that it is.
        """
        if not is_valid_uid(sop_instance_uid):
            return Answer(INVALID_OBJECT_INSTANCE, "the SOP Instance UID is none")
        if self._failed:
            return Answer(OUT_OF_RESOURCES, self._failed)
        try:
            with received:
                scanned = scan(received, transfer_syntax)
            problem = _problem(scanned, sop_class_uid, sop_instance_uid)
            if problem:
                return Answer(DOES_NOT_MATCH_SOP_CLASS, problem)
            outcome = self._index.add(_record(received, transfer_syntax, scanned), self._replace)
            return Answer(_OUTCOMES[outcome], outcome.value)
        except DataSetError as error:
            return Answer(CANNOT_UNDERSTAND, str(error))
        except OSError as error:
            return self._disk_failed(error)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR:
                self._failed = f"the index cannot be written: {error}"
            return Answer(OUT_OF_RESOURCES, f"the index cannot be written: {error}")

    def _disk_failed(self, error: OSError) -> Answer:
        text = f"the disk failed: {error.strerror}"
        if error.errno in _DISK_FAILED:
            self._failed = text
        return Answer(OUT_OF_RESOURCES, text)


def _record(received: Written, transfer_syntax: str, scanned: Scanned) -> Record:
    return Record(
        scanned.values,
        transfer_syntax,
        scanned.digest,
        received.offset,
        scanned.length,
        received.path,
    )


def _problem(scanned: Scanned, sop_class_uid: str, sop_instance_uid: str) -> str:
    """Return what keeps an object from being what the request says; empty if nothing does."""
    values: Mapping[str, str] = scanned.values
    if values.get("SOPClassUID") != sop_class_uid:
        return "the SOP Class UID is not the request's"
    if values.get("SOPInstanceUID") != sop_instance_uid:
        return "the SOP Instance UID is not the request's"
    for level in (Level.STUDY, Level.SERIES):
        if not _UID.fullmatch(values.get(UNIQUE_KEYS[level], "")):
            return f"the {UNIQUE_KEYS[level]} is missing, or is none"
    return ""
