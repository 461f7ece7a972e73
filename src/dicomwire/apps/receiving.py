"""Data sets that have arrived in temporary files into files under their final names."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from dicomwire.apps.output import log
from dicomwire.network.requests import StoreEvent

SUCCESS = 0x0000
INVALID_OBJECT_INSTANCE = 0x0117  # PS3.7 C.5.11
OUT_OF_RESOURCES = 0xA700  # PS3.4 Table B.2-1


def writable(folder: Path) -> Path | None:
    """Make a folder and try to write there; when that cannot be, say why and return None.

    Parameters
    ----------
    folder : Path
        For files that are to come.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        log.error("%s cannot be written to: %s. Check: -od FOLDER", folder, error.strerror)
        return None


@dataclass(frozen=True)
class Receiver:
    """Handles C-STORE requests; an object of the same name is replaced at once.

    Parameters
    ----------
    folder : Path or None
        Where the files go, on the file system of the temporary ones; None keeps nothing.
    extension : str
        What a file's name ends with.
    unique : bool
        Whether each file gets a name of its own, whatever its SOP Instance UID.
    delay : float
        Seconds to wait before the response, for tests of others.
    abort : bool
        Whether to abort the association instead of responding, likewise.
    """

    folder: Path | None
    extension: str = ""
    unique: bool = False
    delay: float = 0.0
    abort: bool = False

    def __call__(self, event: StoreEvent) -> int:
        """Keep one object; return the status of the response."""
        status = self._keep(event)
        if self.delay:
            time.sleep(self.delay)
        if self.abort:
            event.assoc.abort()
        return status

    def _keep(self, event: StoreEvent) -> int:
        try:
            name = event.file_name
        except ValueError as error:  # what a peer sends may be "../../etc/passwd"
            log.error("Refused: %s. Check: the software of the peer", error)
            return INVALID_OBJECT_INSTANCE
        prefix = name.partition(".")[0]
        log.info("Received Store Request (MsgID %d, %s)", event.message_id, prefix)
        if self.folder is None:
            return SUCCESS
        if self.unique:
            name = f"{prefix}.2.25.{uuid.uuid4().int}"
        path = f"{self.folder}{os.sep}{name}{self.extension}"
        log.info("Storing DICOM file: %s", path)
        try:
            event.save_as(path)
        except OSError as error:
            log.error("%s cannot be written: %s", path, error.strerror)
            return OUT_OF_RESOURCES
        return SUCCESS
