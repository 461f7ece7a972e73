"""A request into its response, as service class user (PS3.7 9.1, 10.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dicomwire.dataset.streams import BytesStream, Stream
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Buffer, Connection
from dicomwire.protocol.errors import DimseError, LocalError
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import ReleaseRQ
from dicomwire.services.association import abort, answer_release
from dicomwire.services.responding import drop
from dicomwire.services.wants import FLUSH, RECEIVE_DIMSE, Conversation
from dicomwire.standard.dimse import C_CANCEL_RQ, RESPONSE, Service, message_name

CHUNK = 0x100000  # bytes of a data set that are read and written at once

AnswerRequest = Callable[[Connection, Message], Conversation[None]]


def command_for(service: Service, message_id: int, class_uid: str, **fields: object) -> Command:
    """Build the command set of a request.

    Parameters
    ----------
    service : Service
        The row of `standard.dimse`.
    message_id : int
        0 to 65,535.
    class_uid : str
        The SOP class; goes where the service wants it.
    **fields
        Further elements by keyword; None leaves one out.
    """
    return {
        service.class_uid: class_uid,
        "CommandField": service.command_field,
        "MessageID": message_id,
        **fields,
    }


def request(
    connection: Connection,
    context_id: int,
    command: Command,
    answer: AnswerRequest,
    data: Buffer | None = None,
) -> Conversation[Message]:
    """Send a request and wait for its response.

    Parameters
    ----------
    connection : Connection
        An established association.
    context_id : int
        The presentation context.
    command : dict
        The request.
    answer : callable
        The conversation that answers what the peer asks meanwhile.
    data : buffer, optional
        The encoded data set.

    Raises
    ------
    Ended
        When the association ended before the response came.
    """
    yield from send(connection, context_id, command, data)
    return (yield from response_to(connection, command, answer))


def send(
    connection: Connection, context_id: int, command: Command, data: Buffer | None
) -> Conversation[None]:
    """Send a request, whose responses somebody else waits for."""
    connection.send_message(context_id, command, data)
    yield FLUSH


def cancel_for(message_id: int) -> Command:
    """Build the command set of a C-CANCEL request (PS3.7 9.3.2.3)."""
    return {"CommandField": C_CANCEL_RQ, "MessageIDBeingRespondedTo": message_id}


def store(
    connection: Connection,
    context_id: int,
    command: Command,
    answer: AnswerRequest,
    stream: Stream,
) -> Conversation[Message]:
    """Send a C-STORE request and wait for its response (PS3.7 9.1.1); see `send_instance`.

    Raises
    ------
    LocalError
        What kept the data set from being read.
    Ended
        When the association ended before the response came.
    """
    yield from send_instance(connection, context_id, command, stream)
    return (yield from response_to(connection, command, answer))


def send_instance(
    connection: Connection, context_id: int, command: Command, stream: Stream
) -> Conversation[None]:
    """Send a C-STORE request whose data set is read while it is sent.

    Memory is constant in the size of the data set. Its beginning is read before anything is sent:
    what cannot be read harms no association. When it cannot be read to its end the association is
    aborted: the message that has begun cannot be completed.

    Raises
    ------
    LocalError
        What kept the data set from being read.
    Ended
        When the association is over.
    """
    size = chunk_length(connection)
    stream.fetch(size)
    whole = stream.whole if isinstance(stream, BytesStream) else None
    connection.send_command(context_id, command, whole)
    left = stream.length
    try:
        for chunk in stream.chunks(size):
            left -= len(chunk)
            last = left <= 0
            connection.send_data(context_id, _even(chunk) if last else chunk, last)
            yield FLUSH
    except LocalError as error:
        yield from abort(connection, error)
        raise
    if not stream.length:
        connection.send_data(context_id, b"", last=True)
        yield FLUSH


def chunk_length(connection: Connection) -> int:
    """Return how many bytes of a data set are read and sent at once: whole fragments."""
    return connection.fragment * max(1, CHUNK // connection.fragment)


def _even(chunk: memoryview) -> Buffer:
    """Return the end of a data set with an even number of bytes, which every fragment has to have.

    A deflated one may be odd in its file (PS3.5 A.5); so are some that somebody damaged.
    """
    return bytes(chunk) + b"\0" if len(chunk) & 1 else chunk


def response_to(
    connection: Connection, command: Command, answer: AnswerRequest
) -> Conversation[Message]:
    """Wait for the response to a request, answering what the peer asks meanwhile."""
    return response_to_any(connection, {command["MessageID"]: command}, answer)


def response_to_any(
    connection: Connection, waiting: Mapping[int, Command], answer: AnswerRequest
) -> Conversation[Message]:
    """Wait for a response to one of several requests, answering what the peer asks meanwhile.

    Parameters
    ----------
    connection : Connection
        An established association.
    waiting : mapping
        Message ID -> the request; not empty.
    answer : callable
        The conversation that answers what the peer asks meanwhile.
    """
    while True:
        event: Message | ReleaseRQ = yield RECEIVE_DIMSE
        if isinstance(event, ReleaseRQ):
            yield from answer_release(connection)
            continue  # the next wait tells that it is over
        field = event.command["CommandField"]
        if not field & RESPONSE:
            yield from answer(connection, event)
            continue
        mismatch = _mismatch(event.command, waiting)
        if mismatch:
            drop(event)
            raise (yield from abort(connection, DimseError(mismatch)))
        return event


def _mismatch(response: Command, waiting: Mapping[int, Command]) -> str:
    """Say why a response is none to any of the requests, if so (PS3.7 9.3, 10.3)."""
    answered = response["MessageIDBeingRespondedTo"]
    command = waiting.get(answered) or next(iter(waiting.values()))
    wanted = command["CommandField"] | RESPONSE
    if response["CommandField"] != wanted:
        return (
            f"Received {message_name(response['CommandField'])} from the peer "
            f"instead of {message_name(wanted)}"
        )
    if answered not in waiting:
        which = " or ".join(map(str, waiting))
        return f"Received a response to message {answered} from the peer instead of {which}"
    return ""
