"""A C-GET or C-MOVE request into C-STORE sub-operations and responses, as service class provider.

Both are one conversation (PS3.7 9.1.3, 9.1.4; PS3.4 C.4.2, C.4.3). They differ in where the
sub-operations go: over the same association, or over a new one to the move destination.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dicomwire.dataset.bulk import without_bulk_data
from dicomwire.dataset.byte_order import unshared
from dicomwire.dataset.part10 import FileHeader, read_header
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Ended, LocalError
from dicomwire.protocol.messages import Message
from dicomwire.services.responding import (
    category_for,
    drop,
    encoded,
    is_data_set,
    read_status,
    respond,
)
from dicomwire.services.scu import AnswerRequest, command_for
from dicomwire.services.sending import outgoing
from dicomwire.services.wants import (
    END,
    Call,
    Close,
    Conversation,
    HandlerRaised,
    Hang,
    Next,
    Open,
    Settle,
    Store,
)
from dicomwire.services.window import Window
from dicomwire.standard.dimse import BY_COMMAND_FIELD, C_STORE, PRIORITY_LOW, Service
from dicomwire.standard.statuses import Category, category_of

SUCCESS, PENDING = 0x0000, 0xFF00
ALL_FAILED = 0xA702  # PS3.4 Table C.4-2: out of resources, unable to perform sub-operations
SOME_FAILED = 0xB000
DESTINATION_UNKNOWN = 0xA801
MOST = 0xFFFF  # a count is an element of VR US

# What a handler may do wrong, by service, as status codes that pynetdicom's users know.
_NO_NUMBER = {"C-GET": 0xC413, "C-MOVE": 0xC513}
_TOO_MANY = {"C-GET": 0xC416, "C-MOVE": 0xC516}
_NO_DESTINATION = 0xC514
_BAD_DESTINATION = 0xC515

WITHOUT_BULK_DATA = "1.2.840.10008.5.1.4.1.2.5.3"


@dataclass
class SubOperations:
    """How the sub-operations of one request stand (PS3.7 9.1.3.1.6 to 9.1.3.1.9)."""

    remaining: int = 0
    completed: int = 0
    failed: int = 0
    warning: int = 0
    failed_uids: list[str] = field(default_factory=list)

    def count(self, category: Category, instance_uid: str) -> None:
        """Take note of one that is over."""
        self.remaining = max(self.remaining - 1, 0)
        if category is Category.SUCCESS:
            self.completed += 1
        elif category is Category.WARNING:
            self.warning += 1
        else:
            self.failed += 1
        if category is not Category.SUCCESS and instance_uid:
            self.failed_uids.append(instance_uid)

    def elements(self, with_remaining: bool) -> Command:
        """Return the counts as elements of a response; they stop at what the VR can hold."""
        return {
            "NumberOfRemainingSuboperations": min(self.remaining, MOST) if with_remaining else None,
            "NumberOfCompletedSuboperations": min(self.completed, MOST),
            "NumberOfFailedSuboperations": min(self.failed, MOST),
            "NumberOfWarningSuboperations": min(self.warning, MOST),
        }

    @property
    def status(self) -> int:
        """The status of the last response when everything was tried."""
        if not self.failed and not self.warning:
            return SUCCESS
        return SOME_FAILED if self.completed or self.warning else ALL_FAILED


class _GaveUp(Exception):
    """The request cannot be served; carries the status and the elements that say why."""

    def __init__(self, status: int, why: str | Command) -> None:
        super().__init__(f"0x{status:04X}: {why}")
        self.status = status
        self.elements: Command = {"ErrorComment": why} if isinstance(why, str) else why


class _Carrier(Protocol):
    """Where the sub-operations of a request go."""

    most: int
    """How many may be under way at once."""

    def send(self, instance: Any, number: int) -> Conversation[None]:
        """Send an instance; raises what keeps it from being sent."""

    def settle(self) -> Conversation[tuple[int, Category]]:
        """Wait until one is over; return its number and how it went."""


@dataclass
class _Retrieval:
    """One request under way."""

    connection: Connection
    message: Message
    service: Service
    answer: AnswerRequest
    values: Any = None
    destination: Any = None
    counts: SubOperations = field(default_factory=SubOperations)
    under_way: dict[int, tuple[str, Command]] = field(default_factory=dict)
    """Number of a sub-operation -> SOP Instance UID, further elements of its response."""

    def next(self) -> Conversation[Any]:
        """Ask the handler for its next value."""
        return (yield Next(self.service.event, self.values))

    def message_id(self, number: int) -> int:
        """Return the Message ID of a sub-operation."""
        asked: int = self.message.command["MessageID"]
        return (asked + number - 1) % MOST + 1


def retriever(answer: AnswerRequest) -> Callable[[Connection, Message], Conversation[None]]:
    """Return what answers C-GET and C-MOVE requests.

    Parameters
    ----------
    answer : callable
        The conversation that answers what the peer asks while a sub-operation is under way.
    """

    def retrieve(connection: Connection, message: Message) -> Conversation[None]:
        service = BY_COMMAND_FIELD[message.command["CommandField"]]
        retrieval = _Retrieval(connection, message, service, answer)
        try:
            yield from _serve(retrieval)
        except HandlerRaised as error:
            comment = {"ErrorComment": error.comment}
            yield from respond(connection, message, service.on_error, comment)
        except _GaveUp as gave_up:
            yield from respond(connection, message, gave_up.status, gave_up.elements)
        finally:
            drop(message)
            yield Close(retrieval.values)
            if retrieval.destination is not None:
                yield Hang(retrieval.destination)

    return retrieve


def _serve(retrieval: _Retrieval) -> Conversation[None]:
    connection, message = retrieval.connection, retrieval.message
    retrieval.values = yield Call(retrieval.service.event, message=message)
    if retrieval.values is None:
        yield from respond(connection, message, SUCCESS, SubOperations().elements(False))
        return
    where = None
    if retrieval.service.name == "C-MOVE":
        where = _destination((yield from _unless_refused(retrieval)))
    number = yield from _unless_refused(retrieval)
    if not isinstance(number, int):
        raise _GaveUp(
            _NO_NUMBER[retrieval.service.name], "the handler gave no number of sub-operations"
        )
    if number < 1:
        yield from respond(connection, message, SUCCESS, SubOperations().elements(False))
        return
    if number > MOST and not connection.counts_bind:
        raise _GaveUp(_TOO_MANY[retrieval.service.name], f"{number} are too many sub-operations")
    retrieval.counts.remaining = number
    carrier: _Carrier = _SameAssociation(retrieval)
    if where is not None:
        retrieval.destination, most = yield from _open(retrieval, where)
        carrier = _Destination(retrieval, most)
    try:
        last = yield from _sub_operations(retrieval, carrier)
    except HandlerRaised:
        yield from _settle_all(retrieval, carrier)
        raise
    yield from _settle_all(retrieval, carrier)
    yield from _conclude(retrieval, *last)


def _unless_refused(retrieval: _Retrieval) -> Conversation[Any]:
    """Ask the handler for the destination or the number; a Dataset with a Status refuses."""
    value = yield from retrieval.next()
    if is_data_set(value):
        raise _GaveUp(*read_status(value, retrieval.service))
    return value


def _destination(value: Any) -> tuple[str, int, dict[str, Any]]:
    """Read where a C-MOVE handler wants the instances to go."""
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise _GaveUp(_NO_DESTINATION, "the handler gave no destination")
    host, port, *settings = value
    if host is None or port is None:
        raise _GaveUp(DESTINATION_UNKNOWN, "the move destination is unknown")
    asked = settings[0] if settings else {}
    if not isinstance(host, str) or not isinstance(port, int) or not isinstance(asked, Mapping):
        raise _GaveUp(_BAD_DESTINATION, "the handler gave what is no destination")
    return host, port, dict(asked)


def _open(
    retrieval: _Retrieval, where: tuple[str, int, dict[str, Any]]
) -> Conversation[tuple[Any, int]]:
    host, port, settings = where
    settings.setdefault("ae_title", retrieval.message.command["MoveDestination"])
    try:
        handle, most = yield Open(host, port, settings)
    except (Ended, LocalError, OSError):
        raise _GaveUp(DESTINATION_UNKNOWN, "the move destination cannot be reached") from None
    except (TypeError, ValueError, AttributeError, RuntimeError):
        raise _GaveUp(_BAD_DESTINATION, "the handler gave what is no destination") from None
    return handle, most


def _sub_operations(
    retrieval: _Retrieval, carrier: _Carrier
) -> Conversation[tuple[int | None, Command, Any]]:
    """Run the sub-operations; return the status, elements and data set that a handler ends with.

    The status is None when it has yielded everything: then the counts decide.
    """
    number = 0
    while (value := (yield from retrieval.next())) is not END:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise HandlerRaised
        status, extra = read_status(value[0], retrieval.service)
        category = category_for(retrieval.message, retrieval.service, status)
        if category is Category.SUCCESS:
            break
        if category is not Category.PENDING:
            return status, extra, value[1]
        if len(retrieval.under_way) >= retrieval.counts.remaining:
            continue  # more than was announced: PS3.7 has no place for it
        number += 1
        yield from _begin(retrieval, carrier, value[1], number, extra)
        while len(retrieval.under_way) >= carrier.most:
            yield from _settle(retrieval, carrier)
        if retrieval.connection.ended is not None:
            raise retrieval.connection.ended
    return None, {}, None


def _begin(
    retrieval: _Retrieval, carrier: _Carrier, instance: Any, number: int, extra: Command
) -> Conversation[None]:
    """Begin a sub-operation; one that cannot be sent is over at once, and the rest go on."""
    try:
        if isinstance(instance, str | Path):
            instance = read_header(instance)
        if instance is None:
            raise LocalError("There is no instance")
        if retrieval.message.command["AffectedSOPClassUID"] == WITHOUT_BULK_DATA:
            instance = without_bulk_data(instance)
        yield from carrier.send(instance, number)
    except (LocalError, ValueError, AttributeError, TypeError):
        if retrieval.connection.ended is not None:
            raise retrieval.connection.ended from None
        yield from _count(retrieval, Category.FAILURE, _instance_uid(instance), extra)
    else:
        retrieval.under_way[number] = _instance_uid(instance), extra


def _settle(retrieval: _Retrieval, carrier: _Carrier) -> Conversation[None]:
    """Wait until a sub-operation is over, and say how it went."""
    number, category = yield from carrier.settle()
    yield from _count(retrieval, category, *retrieval.under_way.pop(number))


def _settle_all(retrieval: _Retrieval, carrier: _Carrier) -> Conversation[None]:
    while retrieval.under_way:
        yield from _settle(retrieval, carrier)


def _count(
    retrieval: _Retrieval, category: Category, instance_uid: str, extra: Command
) -> Conversation[None]:
    """Take note of a sub-operation that is over, and tell the peer how they stand."""
    retrieval.counts.count(category, instance_uid)
    pending = {**extra, **retrieval.counts.elements(True)}
    yield from respond(retrieval.connection, retrieval.message, PENDING, pending)


class _SameAssociation:
    """Sub-operations of a C-GET, over the association that it came on (PS3.4 C.4.3)."""

    def __init__(self, retrieval: _Retrieval) -> None:
        self._retrieval = retrieval
        self._window: Window[int] = Window(retrieval.connection, retrieval.answer)
        self.most = self._window.most

    def send(self, instance: Any, number: int) -> Conversation[None]:
        """Send an instance."""
        retrieval = self._retrieval
        with outgoing(retrieval.connection, instance, decompress=True) as what:
            command = command_for(
                C_STORE,
                retrieval.message_id(number),
                what.sop_class_uid,
                Priority=retrieval.message.command.get("Priority", PRIORITY_LOW),
                AffectedSOPInstanceUID=what.sop_instance_uid,
            )
            yield from self._window.send(what, command, number)

    def settle(self) -> Conversation[tuple[int, Category]]:
        """Wait for a response."""
        number, message = yield from self._window.settle()
        return number, category_of(message.command["Status"])


class _Destination:
    """Sub-operations of a C-MOVE, over the association with its destination (PS3.4 C.4.2)."""

    def __init__(self, retrieval: _Retrieval, most: int) -> None:
        self._retrieval = retrieval
        self.most = most

    def send(self, instance: Any, number: int) -> Conversation[None]:
        """Send an instance."""
        retrieval = self._retrieval
        try:
            yield Store(
                retrieval.destination,
                instance,
                number,
                msg_id=retrieval.message_id(number),
                originator_aet=_originator(retrieval.connection),
                originator_id=retrieval.message.command["MessageID"],
                decompress=True,
            )
        except (Ended, RuntimeError) as error:  # it ended now, or some time ago
            raise LocalError("The association with the move destination is over") from error

    def settle(self) -> Conversation[tuple[int, Category]]:
        """Wait for a response."""
        try:
            number, status = yield Settle(self._retrieval.destination)
        except (Ended, RuntimeError):
            return next(iter(self._retrieval.under_way)), Category.FAILURE
        return number, category_of(status)


def _originator(connection: Connection) -> str | None:
    """Return the AE title of whoever asked for the move (PS3.7 9.1.1.1.10)."""
    return connection.request.calling_ae_title if connection.request else None


def _instance_uid(dataset: Any) -> str:
    if is_data_set(dataset):
        return str(dataset.get("SOPInstanceUID") or "")
    return dataset.sop_instance_uid if isinstance(dataset, FileHeader) else ""


def _conclude(
    retrieval: _Retrieval, status: int | None, extra: Command, dataset: Any
) -> Conversation[None]:
    """Send the last response (PS3.4 C.4.2.1.4, C.4.3.1.4)."""
    counts = retrieval.counts
    if status is None:
        if retrieval.connection.counts_bind:
            counts.failed += counts.remaining  # announced and never yielded
        counts.remaining = 0
        status = counts.status
    category = category_for(retrieval.message, retrieval.service, status)
    if category is Category.FAILURE:
        counts.failed += counts.remaining
    elements = {**extra, **counts.elements(with_remaining=category is Category.CANCEL)}
    data = None
    if category is not Category.SUCCESS:
        data = encoded(
            retrieval.connection, retrieval.message, _failed_list(dataset, counts.failed_uids)
        )
    yield from respond(retrieval.connection, retrieval.message, status, elements, data)


def _failed_list(dataset: Any, uids: list[str]) -> Any:
    """Return the identifier of a last response: the list of instances that failed."""
    from pydicom.dataset import Dataset

    identifier = unshared(dataset) if is_data_set(dataset) else Dataset()
    if "FailedSOPInstanceUIDList" not in identifier:
        identifier.FailedSOPInstanceUIDList = uids
    return identifier
