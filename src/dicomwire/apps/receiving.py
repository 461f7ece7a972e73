"""Data sets that have arrived in temporary files into files under their final names."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dicomwire.apps.options import Option, WrongUse, anyway, flag, option, refused
from dicomwire.apps.output import log
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.network.requests import StoreEvent
from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.sop_classes import file_prefix
from dicomwire.standard.uids import name_of

SUCCESS = 0x0000
INVALID_OBJECT_INSTANCE = 0x0117  # PS3.7 C.5.11
OUT_OF_RESOURCES = 0xA700  # PS3.4 Table B.2-1
_BLOCK = 1 << 18  # bytes
PERFORMED = 16  # operations that a requestor may have under way; those that wait, wait for the disk

_AS_RECEIVED = "data sets are written as they come; convert the files afterwards"

FORMAT: tuple[Option, ...] = (
    anyway("+B --bit-preserving", "write data sets exactly as they come"),
    anyway("-B --normal", "allow conversions, though none is made"),
    anyway("+F --write-file", "write the file meta information"),
    refused("-F --write-dataset", "files have file meta information (PS3.10), so all can read it"),
    anyway("+t= --write-xfer-same", "write the transfer syntax received"),
    *(
        refused(f"+t{letter} --write-xfer-{name}", _AS_RECEIVED)
        for letter, name in (("e", "little"), ("b", "big"), ("i", "implicit"), ("d", "deflated"))
    ),
    anyway("+u --enable-new-vr", "write the VRs received"),
    refused("-u --disable-new-vr", _AS_RECEIVED),
    refused("+g= --group-length-recalc", _AS_RECEIVED),
    refused("+g --group-length-create", _AS_RECEIVED),
    refused("-g --group-length-remove", _AS_RECEIVED),
    refused("+e --length-explicit", _AS_RECEIVED),
    refused("-e --length-undefined", _AS_RECEIVED),
    anyway("-p --padding-off", "add no padding"),
    refused("+p --padding-create", _AS_RECEIVED, 2),
    anyway("-uc --retain-un", "keep UN elements"),
    refused("+uc --convert-un", _AS_RECEIVED),
    refused("+cl --compression-level", _AS_RECEIVED, 1),
)
"""How the files of objects are written: as they come."""

OUTPUT: tuple[Option, ...] = (
    option(
        "-od --output-directory",
        "folder to write to, made when missing (default: .)",
        common=True,
        default=".",
        metavar="FOLDER",
    ),
    option(
        "-fe --filename-extension",
        "end file names with this",
        common=True,
        default="",
        metavar=".EXT",
        dest="extension",
    ),
    flag("--ignore", "receive, but store nothing", common=True),
    anyway("-uf --default-filenames", "name files by their SOP Instance UIDs"),
    flag("+uf --unique-filenames", "give each file a name of its own; replace none"),
    flag("--replace", "let an object that comes again with other contents replace the first"),
    *FORMAT,
)
"""Where objects are written to, and how."""


def check_extension(extension: str) -> None:
    """Check what file names shall end with.

    Raises
    ------
    WrongUse
        When it would lead elsewhere.
    """
    if Path(f"x{extension}").name != f"x{extension}" or "\\" in extension:
        raise WrongUse(f"-fe {extension} is a path: give what names end with, as in -fe .dcm")


def storage_contexts(*groups: Sequence[str]) -> list[PresentationContext]:
    """Return contexts of all storage SOP classes, retired ones too; those of common images first.

    Parameters
    ----------
    *groups : sequence of str
        Transfer syntaxes: each SOP class has a context for each group.
    """
    lists = ("Storage", "AllStorage", "NonPatientObject")
    uids = dict.fromkeys(
        uid for name in lists for uid in CONTEXT_LISTS[f"{name}PresentationContexts"]
    )
    likely = sorted(uids, key=lambda uid: (file_prefix(uid) == "UN", "Image" not in name_of(uid)))
    return [build_context(uid, list(group)) for uid in likely for group in groups]


def writable(folder: Path, instead: str = "-od FOLDER") -> Path | None:
    """Make a folder and try to write there; when that cannot be, say why and return None.

    Parameters
    ----------
    folder : Path
        For files that are to come.
    instead : str
        What the user may type to have another one.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        log.error("%s cannot be written to: %s. Check: %s", folder, error.strerror, instead)
        return None


@dataclass(frozen=True)
class Receiver:
    """Handles C-STORE requests; what was stored once is never written over.

    An object that comes again is acknowledged again. One of the same SOP Instance UID with other
    contents gets a file of its own besides, named by its digest.

    Parameters
    ----------
    folder : Path or None
        Where the files go, on the file system of the temporary ones; None keeps nothing.
    extension : str
        What a file's name ends with.
    unique : bool
        Whether each file gets a name of its own, whatever its SOP Instance UID.
    replaces : bool
        Whether it takes the place of the first instead, at once.
    delay : float
        Seconds to wait before the response, for tests of others.
    abort : bool
        Whether to abort the association instead of responding, likewise.
    """

    folder: Path | None
    extension: str = ""
    unique: bool = False
    replaces: bool = False
    delay: float = 0.0
    abort: bool = False

    def __call__(self, event: StoreEvent) -> int | Callable[[], int]:
        """Keep one object; return the status of the response, or what waits for the disk."""
        name = self._name(event)
        keep = partial(self._respond, event, name)
        return keep if name and event.assoc.options.flush_stores else keep()

    def _respond(self, event: StoreEvent, name: str | None) -> int:
        status = INVALID_OBJECT_INSTANCE if name is None else self._keep(event, name)
        if self.delay:
            time.sleep(self.delay)
        if self.abort:
            event.assoc.abort()
        return status

    def _name(self, event: StoreEvent) -> str | None:
        """Return the name of an object's file, empty if it is not kept; None if it has none."""
        try:
            name = event.file_name
        except ValueError as error:  # what a peer sends may be "../../etc/passwd"
            log.error("Refused: %s. Check: the software of the peer", error)
            return None
        prefix = name.partition(".")[0]
        log.info("Received Store Request (MsgID %d, %s)", event.message_id, prefix)
        if self.folder is None:
            return ""
        return f"{prefix}.2.25.{uuid.uuid4().int}" if self.unique else name

    def _keep(self, event: StoreEvent, name: str) -> int:
        if not name:
            return SUCCESS
        path = f"{self.folder}{os.sep}{name}{self.extension}"
        log.info("Storing DICOM file: %s", path)
        try:
            event.save_as(path, self.replaces)
        except FileExistsError:
            return self._keep_again(event, f"{self.folder}{os.sep}{name}")
        except OSError as error:
            return _not_written(path, error)
        return SUCCESS

    def _keep_again(self, event: StoreEvent, first: str) -> int:
        """Keep an object of which there is a file.

        The same bytes are written again: nobody knows whether the disk has those that are there.
        """
        path = f"{first}{self.extension}"
        try:
            if not event.is_in(path):
                path = f"{first}.other-{_digest(event)}{self.extension}"
                log.warning("Another object of this UID is there: both are kept, this as %s", path)
            event.save_as(path)
        except OSError as error:
            return _not_written(path, error)
        return SUCCESS


def _not_written(path: str, error: OSError) -> int:
    log.error("%s cannot be written: %s", path, error.strerror or error)
    return OUT_OF_RESOURCES


def _digest(event: StoreEvent) -> str:
    """Return 64 bits of the data set's SHA-256, in hexadecimal."""
    digest = hashlib.sha256()
    with event.open_dataset() as received:
        while block := received.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:16]
