"""A received data set into the status that refuses it, if it is not what its request says.

What a storage SCP may check before it takes an object (PS3.4 B.2.3, Table B.2-1).
"""

from __future__ import annotations

from io import SEEK_END
from typing import Any, BinaryIO

from dicomwire.dataset.elements import SOP_CLASS_UID, SOP_INSTANCE_UID, encoding_of, tag_text
from dicomwire.dataset.errors import DataSetError, TooLong
from dicomwire.dataset.framing import SERIES_INSTANCE_UID, STUDY_INSTANCE_UID, Framing, ReadAt
from dicomwire.dataset.sinks import FileSink, HeldSink, Written
from dicomwire.protocol.limits import DEFAULT, Limits
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.validate import is_valid_uid
from dicomwire.services.responding import Refusal
from dicomwire.standard.service_classes import StorageServiceClass
from dicomwire.standard.sop_classes import service_class_of

INVALID_OBJECT_INSTANCE = 0x0117  # PS3.7 C.5.11
OUT_OF_RESOURCES = 0xA700  # PS3.4 Table B.2-1
DOES_NOT_MATCH_SOP_CLASS = 0xA900
CANNOT_UNDERSTAND = 0xC000


class Inspection:
    """A look through the data set of a C-STORE request.

    Parameters
    ----------
    message : Message
        The request.
    transfer_syntax : str
        How the data set is encoded.
    limits : Limits
        How deep its sequences may stand, and how long it may be once it is inflated.

    Attributes
    ----------
    refusal : Refusal or None
        Why it is refused; known when `go_on` has told that it is done.
    takes_long : bool
        Whether a few elements of it may take long: it has to be inflated.
    """

    def __init__(self, message: Message, transfer_syntax: str, limits: Limits = DEFAULT) -> None:
        self.refusal: Refusal | None = None
        self._class = message.command["AffectedSOPClassUID"]
        self._instance = message.command["AffectedSOPInstanceUID"]
        self._written: Written | BinaryIO | None = None
        self._framing: Framing | None = None
        sink, encoding = message.data, encoding_of(transfer_syntax)
        read_at: ReadAt
        self.takes_long = encoding.deflated
        if isinstance(sink, FileSink):
            self._written = written = sink.open()
            read_at, length = written.read_at, sink.length
        elif isinstance(sink, HeldSink):
            self._written = held = sink.open()
            read_at, length = _reading(held), held.seek(0, SEEK_END)
        elif isinstance(sink, Memory):
            data = sink.data
            read_at, length = (lambda at, count: bytes(data[at : at + count])), len(data)
        else:
            return
        self._framing = Framing(read_at, length, encoding, limits.depth, limits.inflated)

    @property
    def odd(self) -> str:
        """The first element whose length is odd, which is against PS3.5 7.1.1; else empty."""
        return tag_text(self._framing.odd) if self._framing and self._framing.odd else ""

    def go_on(self, most: int = 0) -> bool:
        """Look on; tell whether it is done.

        Parameters
        ----------
        most : int
            After about how many elements to pause; 0 is no limit.
        """
        try:
            if not is_valid_uid(self._instance):
                self.refusal = Refusal(INVALID_OBJECT_INSTANCE, "the SOP Instance UID is none")
            elif self._framing is None:  # it was dropped
                pass
            elif self._framing.go_on(most):
                self.refusal = self._problem(self._framing.uids)
            else:
                return False
        except TooLong as error:
            self.refusal = Refusal(OUT_OF_RESOURCES, _comment(error))
        except DataSetError as error:
            self.refusal = Refusal(CANNOT_UNDERSTAND, _comment(error))
        except OSError:
            self.refusal = Refusal(OUT_OF_RESOURCES, "the data set cannot be read back")
        self.close()
        return True

    def _problem(self, uids: dict[int, str]) -> Refusal | None:
        problem = ""
        if not uids and not self._length:
            return Refusal(CANNOT_UNDERSTAND, "the data set is empty")
        if uids.get(SOP_CLASS_UID) != self._class:
            problem = "the SOP Class UID is not the request's"
        elif uids.get(SOP_INSTANCE_UID) != self._instance:
            problem = "the SOP Instance UID is not the request's"
        elif service_class_of(self._class) is StorageServiceClass:
            for tag, name in _IDENTIFYING.items():
                if not uids.get(tag):
                    problem = f"the {name} Instance UID is missing"
        return Refusal(DOES_NOT_MATCH_SOP_CLASS, problem) if problem else None

    @property
    def _length(self) -> int:
        return 0 if self._framing is None else self._framing.length

    def close(self) -> None:
        """Close what was opened to look."""
        if self._written is not None:
            self._written.__exit__(None, None, None)


_IDENTIFYING: dict[int, Any] = {STUDY_INSTANCE_UID: "Study", SERIES_INSTANCE_UID: "Series"}


def _reading(file: BinaryIO) -> ReadAt:
    """Return what reads a file at a position."""

    def read_at(position: int, count: int) -> bytes:
        file.seek(position)
        return file.read(count)

    return read_at


def _comment(error: DataSetError) -> str:
    """Return what fits into an Error Comment (PS3.7 C.4: LO)."""
    return str(error.args[0])[:64]
