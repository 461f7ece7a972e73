"""Calls of a conversation into what handlers might return, right and wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset

from dicomwire.dataset.codec import decode
from dicomwire.dataset.errors import DataSetError
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.messages import Memory
from dicomwire.services.wants import Call, HandlerRaised, Unbound

EXPLICIT = "1.2.840.10008.1.2.1"


def _instance(number: int) -> Dataset:
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    made.SOPInstanceUID = f"1.2.826.0.1.3680043.10.1.{number}"
    made.PatientName = "Fuzz^Test"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = EXPLICIT
    return made


def _status(code: int) -> Dataset:
    made = Dataset()
    made.Status = code
    made.ErrorComment = "as was asked for"
    return made


INSTANCES = [_instance(number) for number in range(1, 4)]
STATUS = _status(0xB000)


def answers(want: Call, connection: Connection, switches: bytes) -> Any:
    """Answer a call; the second switch decides how well."""
    message = want.attributes.get("message")
    how = switches[1] >> 4
    if how == 15:
        raise Unbound
    if message is not None and isinstance(message.data, Memory) and how & 1:
        _look(bytes(message.data.data), connection, message.context_id)
    answer = _ANSWERS.get(want.event)
    if answer is None:
        raise Unbound
    try:
        returned = answer(how)
    except ZeroDivisionError as error:
        raise HandlerRaised from error
    return returned


def _look(data: bytes, connection: Connection, context_id: int) -> None:
    """Decode a data set as `event.dataset` does."""
    try:
        decode(data, connection.contexts[context_id].transfer_syntax)
    except DataSetError as error:  # which is documented; all else is a fault
        raise HandlerRaised from error


def _one_of(*values: Any) -> Callable[[int], Any]:
    return lambda how: values[how % len(values)]


def _find(how: int) -> Iterator[Any]:
    if how == 3:
        yield 1 // 0
    if how == 5:
        yield "no pair"
    yield 0xFF00, b"\x10\x00\x20\x00\x02\x00\x00\x00X "
    yield 0xFF01, INSTANCES[0]
    yield (0xFF00, None) if how == 7 else (STATUS if how == 9 else 0xFF00, INSTANCES[1])
    yield 0xFE00 if how == 11 else 0x0000, None


def _get(how: int) -> Iterator[Any]:
    yield (len(INSTANCES), "many", 0, STATUS, 0x10000)[how % 5]
    for each in INSTANCES:
        yield 0xFF00, each if how != 7 else None
    yield (0xFE00, 0x0000, STATUS)[how % 3], None


def _move(how: int) -> Iterator[Any]:
    yield (("127.0.0.1", 104), (None, None), "nowhere", ("127.0.0.1", 104, {}), (1, 2))[how % 5]
    yield from _get(how // 2)


_N_DATA = _one_of(
    (0, INSTANCES[0]), (0x0107, None), "no pair", (STATUS, INSTANCES[1]), (0, "none"), (0x0110, 0)
)
_ANSWERS: dict[str, Callable[[int], Any]] = {
    "EVT_C_ECHO": _one_of(0, STATUS, "none", Dataset(), 0x0122),
    "EVT_C_STORE": _one_of(0, STATUS, None, 0xA700, 0x1FFFF),
    "EVT_C_FIND": _find,
    "EVT_C_GET": _get,
    "EVT_C_MOVE": _move,
    "EVT_N_CREATE": _N_DATA,
    "EVT_N_SET": _N_DATA,
    "EVT_N_GET": _N_DATA,
    "EVT_N_ACTION": _N_DATA,
    "EVT_N_EVENT_REPORT": _N_DATA,
    "EVT_N_DELETE": _one_of(0, STATUS, None),
    "EVT_USER_ID": _one_of((True, b"ticket"), (True, None), (False, None), None),
    "EVT_SOP_EXTENDED": _one_of({}, {"1.2.840.10008.5.1.4.1.2.2.1": b"\1\1"}, None),
    "EVT_SOP_COMMON": _one_of({}, None),
    "EVT_ASYNC_OPS": _one_of((1, 1), (5, 5), None, (0x10000, 1)),
}
