"""What a C-GET asked for into whether a C-STORE sub-operation is part of it (PS3.4 C.4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomwire.dataset.deflate import Inflater
from dicomwire.dataset.elements import Reader, encoding_of, uids_at
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.sinks import FileSink, HeldSink
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.messages import Memory, Message
from dicomwire.services.responding import drop, respond
from dicomwire.services.scu import AnswerRequest
from dicomwire.services.wants import Conversation, Notify
from dicomwire.standard.dimse import C_STORE

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NOT_AUTHORISED = 0x0124  # PS3.7 9.1.1.1.9: the operation is not one that the peer may ask for

STUDY, SERIES = 0x0020000D, 0x0020000E
_KEYS = {STUDY: "StudyInstanceUID", SERIES: "SeriesInstanceUID"}
_MOST_INFLATED = 1 << 26  # bytes of a deflated data set that are looked through

Wanted = Mapping[str, frozenset[str]]


def wanted_by(identifier: Dataset) -> Wanted:
    """Return the UIDs that an identifier asks for by keyword; what it leaves open is not there."""
    wanted = {}
    for keyword in (*_KEYS.values(), "SOPInstanceUID"):
        value: Any = identifier.get(keyword)
        values = [value] if isinstance(value, str) else value or ()
        uids = frozenset(str(each).strip("\0 ") for each in values)
        if uids - {""} and not any(mark in uid for uid in uids for mark in "*?"):
            wanted[keyword] = uids
    return wanted


def only(identifier: Dataset, answer: AnswerRequest) -> AnswerRequest:
    """Return what answers requests of the peer, and refuses instances that nobody asked for.

    Parameters
    ----------
    identifier : Dataset
        Of the C-GET or C-MOVE under way.
    answer : callable
        The conversation that answers all else.
    """
    wanted = wanted_by(identifier)
    if not wanted:
        return answer

    def answer_asked(connection: Connection, message: Message) -> Conversation[None]:
        stray = ""
        if message.command["CommandField"] == C_STORE.command_field:
            stray = _stray(connection, message, wanted)
        if not stray:
            yield from answer(connection, message)
            return
        drop(message)
        yield Notify(f"instance refused: nobody asked for {stray}")
        comment = {"ErrorComment": f"nobody asked for {stray}"[:64]}  # VR LO
        yield from respond(connection, message, NOT_AUTHORISED, comment)

    return answer_asked


def _stray(connection: Connection, message: Message, wanted: Wanted) -> str:
    """Return the UID by which an instance is none of those wanted; empty if it may be one."""
    instance = message.command.get("AffectedSOPInstanceUID") or ""
    if instance not in wanted.get("SOPInstanceUID", (instance,)):
        return f"instance {instance}"
    if not wanted.keys() - {"SOPInstanceUID"}:
        return ""
    for tag, value in _uids(connection, message).items():
        uid = value.decode("ascii", "replace").strip("\0 ")
        if uid not in wanted.get(_KEYS[tag], (uid,)):
            return f"{_KEYS[tag].removesuffix('InstanceUID').lower()} {uid}"
    return ""


def _uids(connection: Connection, message: Message) -> dict[int, bytes]:
    """Read Study and Series Instance UID; a data set that makes no sense is left to the handler."""
    encoding = encoding_of(connection.contexts[message.context_id].transfer_syntax)
    try:
        with _open(message) as read:
            if encoding.deflated:
                read = Inflater(read, _MOST_INFLATED).read
            return uids_at(Reader(read, encoding), STUDY, SERIES)
    except (DataSetError, OSError):
        return {}


@contextmanager
def _open(message: Message) -> Iterator[Callable[[int], bytes]]:
    """Give a function that reads the data set from its beginning."""
    if isinstance(message.data, FileSink | HeldSink):
        with message.data.open() as written:
            yield written.read
    elif isinstance(message.data, Memory):
        with memoryview(message.data.data) as view:
            yield _reading(view)
    else:
        yield lambda count: b""


def _reading(view: memoryview) -> Callable[[int], bytes]:
    position = 0

    def read(count: int) -> bytes:
        nonlocal position
        start, position = position, position + count
        return bytes(view[start:position])

    return read
