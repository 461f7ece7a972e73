"""Requests into responses, as service class provider (PS3.7 9.2, 10.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import DimseError, LimitReached
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import ReleaseRQ
from dicomwire.services.association import abort, answer_release
from dicomwire.services.normalized import operate
from dicomwire.services.query import find
from dicomwire.services.responding import Refusal, drop, read_status, respond
from dicomwire.services.wants import (
    FLUSH,
    FLUSH_MORE,
    RECEIVE_IDLE,
    Call,
    Close,
    Conversation,
    HandlerRaised,
    Notify,
    PutOff,
)
from dicomwire.standard.dimse import (
    BY_COMMAND_FIELD,
    C_ECHO,
    C_STORE,
    RESPONSE,
    SERVICES,
    Service,
    message_name,
)
from dicomwire.standard.service_classes import UnifiedProcedureStepServiceClass
from dicomwire.standard.sop_classes import service_class_of

MISSING_ATTRIBUTE = 0x0120  # PS3.7 Annex C
SOP_CLASS_NOT_SUPPORTED = 0x0122
DUPLICATE_INVOCATION = 0x0210
UNRECOGNISED_OPERATION = 0x0211
RESOURCE_LIMITATION = 0x0213
OUT_OF_RESOURCES = 0xA700  # PS3.4 Tables B.2-1 and C.4-1
MOST_PUT_OFF = 16  # requests whose response is still to come, though more were granted


def serve(connection: Connection) -> Conversation[None]:
    """Answer what the peer asks until it releases.

    Raises
    ------
    Ended
        When the association ends in another way.
    """
    under_way: deque[PutOff] = deque()
    while True:
        event: Message | ReleaseRQ = yield RECEIVE_IDLE
        if isinstance(event, ReleaseRQ):
            yield from _settle(under_way)
            yield from answer_release(connection)
            return
        yield from _serve_one(connection, event, under_way)
        if connection.ended is not None:
            raise connection.ended


def _serve_one(
    connection: Connection, message: Message, under_way: deque[PutOff]
) -> Conversation[None]:
    """Answer one request; C-STORE requests may be answered later, as many as were granted."""
    most = min(connection.may_perform or MOST_PUT_OFF, MOST_PUT_OFF)
    if most == 1 or message.command["CommandField"] != C_STORE.command_field:
        yield from _settle(under_way)
        yield from answer(connection, message)
        return
    put_off = yield from _answer(connection, message, may_put_off=True)
    if put_off is not None:
        under_way.append(put_off)
    if len(under_way) >= most:
        yield Close(under_way.popleft())


def _settle(under_way: deque[PutOff]) -> Conversation[None]:
    """Wait until all that was put off is done, and answered."""
    while under_way:
        yield Close(under_way.popleft())


def attend(connection: Connection) -> Conversation[None]:
    """Answer what has arrived while nobody waited for anything."""
    while connection.events:
        event = connection.events.popleft()
        if isinstance(event, ReleaseRQ):
            yield from answer_release(connection)
        elif isinstance(event, Message):
            yield from answer(connection, event)


def answer(connection: Connection, message: Message) -> Conversation[None]:
    """Answer one request; dispatch is by the Command Field, never by the SOP class."""
    yield from _answer(connection, message)


def _answer(
    connection: Connection, message: Message, may_put_off: bool = False
) -> Conversation[PutOff | None]:
    """Answer one request; return what stands for work that the handler of a C-STORE put off."""
    command = message.command
    field = command["CommandField"]
    if field & RESPONSE:
        name = message_name(field)
        yield from abort(connection, DimseError(f"Received {name} that nobody asked for"))
        return None
    service = BY_COMMAND_FIELD.get(field)
    converse = _CONVERSATIONS.get(service.name) if service else None
    if service is None or converse is None:
        drop(message)
        comment = f"0x{field:04X} is no request that is served here"
        yield from respond(connection, message, UNRECOGNISED_OPERATION, {"ErrorComment": comment})
        return None
    status, comment = _refusal(connection, message, service)
    if status:
        drop(message)
        yield from respond(connection, message, status, {"ErrorComment": comment})
        return None
    if service is C_STORE:  # which says by itself that it could not be written
        return (yield from store(connection, message, may_put_off))
    error = getattr(message.data, "error", None)
    if error is not None:
        yield from _not_held(connection, message, service, error)
        return None
    yield from converse(connection, message)
    connection.cancelled.discard(command["MessageID"])
    return None


def _not_held(
    connection: Connection, message: Message, service: Service, error: Exception
) -> Conversation[None]:
    """Refuse a request whose data set there is no room for."""
    drop(message)
    if isinstance(error, LimitReached):
        yield Notify("limit reached", limit=error)
        comment = "the data set is too long"
    else:
        yield Notify("data set not written", error=error)
        comment = "the data set cannot be written"
    status = _NO_ROOM.get(service.name, RESOURCE_LIMITATION)
    yield from respond(connection, message, status, {"ErrorComment": comment})


# PS3.4 Tables C.4-1 to C.4-3; the last two: unable to calculate the number of matches
_NO_ROOM = {"C-FIND": OUT_OF_RESOURCES, "C-GET": 0xA701, "C-MOVE": 0xA701}
_TAKEN = 0, ""


def _refusal(connection: Connection, message: Message, service: Service) -> tuple[int, str]:
    """Return status and comment for a request that no handler should see; 0 for all others."""
    command = message.command
    if message.is_repeated:
        return DUPLICATE_INVOCATION, f"message {command['MessageID']} was not answered yet"
    uids, fields = _DEMANDED[service.name]
    missing = [name for name in uids if not command.get(name)]
    missing += [name for name in fields if command.get(name) is None]
    if missing:
        return MISSING_ATTRIBUTE, f"the request is without {missing[0]}"
    if not service.may_have_data(message.data is not None):
        there = "a" if message.data is not None else "no"
        return MISSING_ATTRIBUTE, f"the request has {there} data set"
    if service.name.startswith("N-"):
        return _TAKEN  # a Meta SOP Class lends its context to other SOP classes (PS3.4 H.3.2.2)
    context = connection.contexts[message.context_id]
    if not context.as_scp:
        return SOP_CLASS_NOT_SUPPORTED, "the other side is the SCP, by role selection"
    if command[service.class_uid] == context.abstract_syntax:
        return _TAKEN
    # and so do the SOP classes of a Unified Procedure Step to each other (PS3.4 CC.2)
    if service_class_of(context.abstract_syntax) is UnifiedProcedureStepServiceClass:
        return _TAKEN
    return SOP_CLASS_NOT_SUPPORTED, "the presentation context is for another SOP class"


_DEMANDED = {row.name: (row.demanded, row.demanded_fields) for row in SERVICES}


def echo(connection: Connection, message: Message) -> Conversation[None]:
    """Answer a C-ECHO request (PS3.7 9.1.5): a handler that raises changes nothing."""
    try:
        status, extra = read_status((yield Call(C_ECHO.event, message=message)), C_ECHO)
    except HandlerRaised:
        status, extra = C_ECHO.on_error, {}
    yield from respond(connection, message, status, extra)


def store(
    connection: Connection, message: Message, may_put_off: bool = False
) -> Conversation[PutOff | None]:
    """Answer a C-STORE request (PS3.7 9.1.1), unless its handler put off what there is to do."""
    outcome: Any
    try:
        error = getattr(message.data, "error", None)
        if error is None:
            more = {"may_put_off": True} if may_put_off else {}
            outcome = yield Call(C_STORE.event, message=message, **more)
        else:
            yield Notify("data set not written", error=error)
            outcome = Refusal(OUT_OF_RESOURCES, "the data set cannot be written")
    except HandlerRaised as error:
        outcome = error
    except BaseException:
        drop(message)
        raise
    if isinstance(outcome, PutOff):
        return outcome
    yield from stored(connection, message, outcome)
    return None


def stored(connection: Connection, message: Message, outcome: Any) -> Conversation[None]:
    """Answer a C-STORE request that a handler has seen.

    Parameters
    ----------
    connection : Connection
        The association.
    message : Message
        The request.
    outcome : int, Dataset, Refusal or HandlerRaised
        What came of it.
    """
    drop(message)
    if isinstance(outcome, HandlerRaised):
        status, extra = C_STORE.on_error, {"ErrorComment": outcome.comment}
    else:
        status, extra = read_status(outcome, C_STORE)
    # of a requestor with several requests under way the next may be here: it is answered at once
    flush = FLUSH_MORE if connection.events else FLUSH
    yield from respond(connection, message, status, extra, flush=flush)
    connection.cancelled.discard(message.command["MessageID"])


def retrieve(connection: Connection, message: Message) -> Conversation[None]:
    """Answer a C-GET or C-MOVE request (PS3.7 9.1.3, 9.1.4)."""
    from dicomwire.services.retrieve import retriever  # only archives answer such requests

    yield from retriever(answer)(connection, message)


_CONVERSATIONS: dict[str, Callable[..., Conversation[Any]]] = {
    "C-ECHO": echo,
    "C-STORE": store,
    "C-FIND": find,
    "C-GET": retrieve,
    "C-MOVE": retrieve,
    **{row.name: operate for row in SERVICES if row.name.startswith("N-")},
}
