"""Bytes of a peer into a whole association, as acceptor and as requestor, without a socket.

The upper layer has to say the same however its bytes are cut, and the conversations upon it have to
end: with what was asked for, or with one of the errors of `protocol.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from dicomwire.dataset.streams import BytesStream
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Error
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    MaximumLength,
    RoleSelection,
)
from dicomwire.protocol.negotiation import (
    AcceptedContext,
    SupportedContext,
    answer_contexts,
    check_request,
    maximum_length,
    proposed_roles,
)
from dicomwire.protocol.pdus import (
    HEADER,
    AssociateAC,
    AssociateRQ,
    PDataTF,
    ProposedContext,
    decode_pdu,
)
from dicomwire.services import association, scp, scu
from dicomwire.services.response import Response
from dicomwire.services.sending import Outgoing
from dicomwire.services.wants import (
    END,
    Call,
    Close,
    Conversation,
    Flush,
    HandlerRaised,
    Next,
    Notify,
    Open,
    Receive,
    Settle,
    Store,
)
from dicomwire.services.window import Window
from dicomwire.standard.dimse import BY_COMMAND_FIELD, BY_NAME
from dicomwire.standard.statuses import Category
from fuzz.handlers import answers
from fuzz.wire import pieces, said, sizes

SWITCHES, PLAN = 2, 2
"""Bytes at the beginning of an input: what this side is like, and how the peer's bytes are cut."""

VERIFICATION = "1.2.840.10008.1.1"
CT, SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
STEP, PRINTER = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.5.1.1.16"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
CLASSES = (VERIFICATION, CT, SECONDARY_CAPTURE, FIND, MOVE, GET, STEP, PRINTER)
PROPOSED = [
    ProposedContext(2 * number + 1, uid, (IMPLICIT, EXPLICIT)) for number, uid in enumerate(CLASSES)
]
SUPPORTED = {uid: SupportedContext((EXPLICIT, IMPLICIT), True, True) for uid in CLASSES}
INSTANCE = "1.2.826.0.1.3680043.10.1.1"


class Quiet:
    """A tap that looks at everything and keeps nothing."""

    wants_data = True
    wants_messages = True

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *seen: None


# -- the upper layer alone ---------------------------------------------------------------------


def feed(connection: Connection, data: bytes) -> None:
    """Let bytes arrive."""
    while data:
        view = connection.get_buffer()
        assert len(view), "no room to receive into"
        taken, data = data[: len(view)], data[len(view) :]
        view[: len(taken)] = taken
        connection.received(len(taken))


def _first(stream: bytes) -> int:
    """Where the first PDU ends: an answer is due there, whatever else has come."""
    if len(stream) < HEADER.size:
        return len(stream)
    return HEADER.size + int(HEADER.unpack_from(stream)[1])


def _heard(connection: Connection, stream: bytes, plan: list[int], answer: bool) -> list[Any]:
    """What a connection makes of a stream."""
    end, events = _first(stream), []
    for piece in pieces(stream[:end], plan):
        feed(connection, piece)
    events += connection.events
    connection.events.clear()
    if answer:
        for event in events:
            answered(connection, event)
    for piece in pieces(stream[end:], plan):
        feed(connection, piece)
    connection.closed()
    events += connection.events
    machine = connection.machine
    sent = b"".join(connection.out)
    end_state = machine.state, connection.wants_close, str(connection.ended), connection.cancelled
    return [*map(said, events), sent, *end_state]


def answered(connection: Connection, request: Any) -> None:
    if not isinstance(request, AssociateRQ):
        return
    rejection = check_request(request)
    if rejection is not None:
        connection.step(rejection)
        return
    roles = proposed_roles(request.user_information)
    answer = answer_contexts(request.presentation_contexts, SUPPORTED, roles, lambda uid: True)
    titles = request.called_ae_title, request.calling_ae_title
    items: list[AnyUserItem] = [MaximumLength(16382), *answer.roles]
    try:
        connection.accept(AssociateAC(*titles, answer.results, items), answer.accepted)
    except Error:  # text that cannot be sent back
        connection.step(_UNTRANSLATABLE)


_UNTRANSLATABLE = association.Abort()


def _same_in_any_cut(make: Callable[[bool], Connection], stream: bytes, plan: list[int]) -> None:
    whole = _heard(make(False), stream, [max(len(stream), 1)], True)
    cut = _heard(make(False), stream, plan, True)
    assert cut == whole, f"{whole} was cut to {cut}"


# -- conversations -----------------------------------------------------------------------------


class Stage:
    """Performs what a conversation wants, with a peer whose bytes are there already."""

    def __init__(self, connection: Connection, incoming: Iterable[bytes], switches: bytes) -> None:
        self.connection = connection
        self.sent = bytearray()
        self._incoming = iter(incoming)
        self._switches = switches
        self._moved: list[int] = []

    def run(self, conversation: Conversation[Any]) -> Any:
        """Run a conversation to its end; return its result, raise what it raises."""
        want, throw = next(conversation), None
        while True:
            try:
                answer = self._perform(want)
            except (Error, HandlerRaised) as error:  # what a driver throws into the conversation
                throw = error
            try:
                want = conversation.throw(throw) if throw else conversation.send(answer)
            except StopIteration as stop:
                return stop.value
            throw = None

    def _perform(self, want: Any) -> Any:
        if isinstance(want, Receive):
            return self._receive()
        if isinstance(want, Flush):
            self.flush()
        elif isinstance(want, Notify):
            return None
        elif isinstance(want, Call):
            return answers(want, self.connection, self._switches)
        elif isinstance(want, Next):
            return self._next(want)
        elif isinstance(want, Close):
            if hasattr(want.values, "close"):
                want.values.close()
        elif isinstance(want, Open | Store | Settle):
            return self._move(want)
        return None

    def _receive(self) -> Any:
        connection = self.connection
        while not connection.events:
            if connection.ended is not None:
                raise connection.ended
            piece = next(self._incoming, None)
            if piece is None:
                connection.closed()
            else:
                feed(connection, piece)
        return connection.events.popleft()

    def _next(self, want: Next) -> Any:
        try:
            return next(want.values)
        except StopIteration:
            return END
        except ZeroDivisionError as error:
            raise HandlerRaised from error

    def _move(self, want: Open | Store | Settle) -> Any:
        """Play the destination of a C-MOVE."""
        if isinstance(want, Open):
            return self, 2
        if isinstance(want, Store):
            self._moved.append(want.tag)
            return None
        return self._moved.pop(0), self._switches[0] << 8

    def flush(self) -> None:
        """Write."""
        out, self.connection.out = self.connection.out, []
        self.sent += b"".join(out)

    def check_sent(self) -> None:
        """What this side sent are PDUs, and none longer than the peer can take."""
        self.flush()
        view, position = memoryview(self.sent), 0
        peer = self.connection.answer if self.connection.is_requestor else self.connection.request
        most = maximum_length(peer.user_information if peer else ())
        while position < len(view):
            pdu_type, length = HEADER.unpack_from(view, position)
            position += HEADER.size + length
            pdu = decode_pdu(pdu_type, view[position - length : position])
            if isinstance(pdu, PDataTF) and most:
                assert length <= max(most, 16), f"{length} bytes, the peer takes {most}"
        assert position == len(view)


def _acceptor(watched: bool, switches: bytes = b"\0\0") -> Connection:
    connection = Connection(False, 0 if switches[0] & 8 else 16382, Quiet() if watched else None)
    connection.counts_bind = not switches[0] & 16
    connection.pads_titles = bool(switches[0] & 32)
    return connection


def acceptor(data: bytes) -> None:
    """Be called, negotiate and serve until the peer's bytes are over."""
    switches, plan, stream = _parted(data)

    def make(watched: bool) -> Connection:
        connection = _acceptor(watched, switches)
        connection.connected()
        return connection

    _same_in_any_cut(make, stream, plan)
    connection = _acceptor(bool(switches[0] & 4), switches)
    stage = Stage(connection, pieces(stream, plan), switches)
    accept_any = None if switches[1] & 1 else (lambda uid: True)
    policy = association.Policy(
        association.Identity(16382, "1.2.3", "FUZZED"),
        SUPPORTED,
        called_title="ACCEPTOR" if switches[1] & 2 else None,
        calling_titles=("REQUESTOR",) if switches[1] & 4 else (),
        accept_any=accept_any,
        claim_slot=lambda: switches[1] & 0xF8 != 0xF8,
        window=(switches[1] >> 4, 1),
    )
    with suppress(Error):
        if stage.run(association.accept(connection, policy)):
            stage.run(scp.serve(connection))
    _ends(stage)


def _parted(data: bytes) -> tuple[bytes, list[int], bytes]:
    head = data[: SWITCHES + PLAN].ljust(SWITCHES + PLAN, b"\0")
    return head[:SWITCHES], sizes(head[SWITCHES:]), data[SWITCHES + PLAN :]


def _ends(stage: Stage) -> None:
    """Whatever happened, a closed transport connection is the end of it."""
    connection = stage.connection
    if connection.ended is None and connection.machine.state != "Sta1":
        connection.closed()
    if connection.artim:
        connection.timer_expired()
    elif connection.machine.state == "Sta13":
        connection.closed()
    assert connection.ended is not None
    stage.check_sent()


# -- the requestor -----------------------------------------------------------------------------


def proposal(switches: bytes = b"\0\0") -> AssociateRQ:
    """What the requestor asks for; recorded peers were asked the same."""
    items: list[AnyUserItem] = [MaximumLength(16382)]
    items += [RoleSelection(uid, True, True) for uid in (CT, SECONDARY_CAPTURE)]
    if switches[0] & 1:
        items.append(AsynchronousOperationsWindow(4, 4))
    return AssociateRQ("ACCEPTOR", "REQUESTOR", PROPOSED, items)


def _context(uid: str) -> int:
    return 2 * CLASSES.index(uid) + 1


REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("C-ECHO", VERIFICATION, {}),
    ("C-STORE", CT, {"AffectedSOPInstanceUID": INSTANCE, "Priority": 2}),
    ("C-FIND", FIND, {"Priority": 2}),
    ("C-GET", GET, {"Priority": 2}),
    ("C-MOVE", MOVE, {"Priority": 2, "MoveDestination": "REQUESTOR"}),
    ("N-CREATE", STEP, {"AffectedSOPInstanceUID": INSTANCE}),
    ("N-GET", PRINTER, {"RequestedSOPInstanceUID": "1.2.840.10008.5.1.1.17"}),
)
"""Service, SOP class and fields of each request; a bit of the second switch chooses each."""

DataOf = Callable[[str, str], bytes]
"""Service and transfer syntax into an encoded data set."""


def converse(
    connection: Connection, switches: bytes, data_of: DataOf = lambda service, syntax: b""
) -> Conversation[None]:
    """Ask for an association, make the requests that the switches choose, release or abort."""
    yield from association.request(connection, proposal(switches))
    for bit, (name, uid, fields) in enumerate(REQUESTS):
        context = connection.contexts.get(_context(uid))
        if context is None or not switches[1] >> bit & 1:
            continue
        command = scu.command_for(BY_NAME[name], bit + 1, uid, **fields)
        data = data_of(name, context.transfer_syntax)
        if name == "C-STORE":
            yield from _store(connection, context.context_id, command, data)
        else:
            has_data = bool(BY_NAME[name].data_in)
            yield from _ask(connection, context, command, data if has_data else None)
    if switches[1] & 0x80:
        yield from association.abort(connection)
        return
    yield from association.release(connection)


def _ask(
    connection: Connection, context: AcceptedContext, command: Command, data: bytes | None
) -> Conversation[None]:
    service, context_id = BY_COMMAND_FIELD[command["CommandField"]], context.context_id
    message = yield from scu.request(connection, context_id, command, scp.answer, data)
    for number in range(8):
        response = Response(service, message, context.transfer_syntax)
        _looked_at(response)
        if response.category is not Category.PENDING:
            return
        if number == 4:
            cancel = scu.cancel_for(command["MessageID"])
            yield from scu.send(connection, context_id, cancel, None)
        message = yield from scu.response_to(connection, command, scp.answer)


def _store(
    connection: Connection, context_id: int, command: Command, data: bytes
) -> Conversation[None]:
    window: Window[int] = Window(connection, scp.answer)
    command_2 = {**command, "MessageID": 20}
    for tag, one in enumerate((command, command_2)):
        if not window.is_full:
            what = Outgoing(context_id, CT, INSTANCE, BytesStream(data))
            yield from window.send(what, one, tag)
    while len(window):
        _, message = yield from window.settle()
        _looked_at(Response(BY_NAME["C-STORE"], message))


def _looked_at(response: Response) -> None:
    """Look at a response as a program would; what it holds may be damaged."""
    assert str(response)
    with suppress(Error):
        response.check()
        response.dataset()
        response.decode()


def requestor(data: bytes) -> None:
    """Call, negotiate, ask, and take what the peer answers until its bytes are over."""
    switches, plan, stream = _parted(data)

    def make(watched: bool) -> Connection:
        connection = Connection(True, 0 if switches[0] & 8 else 16382)
        connection.step(proposal(switches))
        connection.connected()
        connection.out.clear()
        return connection

    _same_in_any_cut(make, stream, plan)
    connection = Connection(
        True, 0 if switches[0] & 8 else 16382, Quiet() if switches[0] & 4 else None
    )
    stage = Stage(connection, pieces(stream, plan), switches)
    with suppress(Error):
        stage.run(converse(connection, switches))
    _ends(stage)
