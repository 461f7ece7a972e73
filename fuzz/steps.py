"""Bytes into steps of two programs and of what is between them: legal ones, and all others.

Each step is an octet and what it takes. Whatever is asked for at the wrong time has to be refused
with an error of `protocol.errors`, and move nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import MOST_CANCELLED, Connection
from dicomwire.protocol.errors import (
    AssociateTimedOut,
    ConnectTimedOut,
    DimseTimedOut,
    Ended,
    Error,
    IdleTimedOut,
    Lost,
)
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    ImplementationClassUID,
    ImplementationVersionName,
    MaximumLength,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UnknownItem,
    UserIdentity,
    UserIdentityResponse,
)
from dicomwire.protocol.messages import Dropped, Message
from dicomwire.protocol.pdus import Abort, AssociateRJ, AssociateRQ, ReleaseRP, ReleaseRQ
from dicomwire.protocol.validate import is_valid_ae_title, is_valid_uid
from fuzz.talks import PROPOSED, VERIFICATION, Quiet, answered, feed

MOST = 64
"""Steps of one input."""


class Between:
    """Two connections, and the bytes that are on their way."""

    def __init__(self) -> None:
        self.sides = Connection(True), Connection(False)
        self.way = bytearray(), bytearray()
        self.events: list[object] = []

    def step(self, code: int, take: Callable[[int], bytes]) -> None:
        """Do one step on one of the sides."""
        side, what = code & 1, _STEPS[(code >> 1) % len(_STEPS)]
        connection = self.sides[side]
        before = connection.machine.state, len(connection.out), connection.artim
        try:
            what(self, side, take)
        except Error as error:
            assert str(error)
            assert (connection.machine.state, len(connection.out), connection.artim) == before
        self.way[side].extend(b"".join(connection.out))
        connection.out.clear()
        assert len(connection.cancelled) <= MOST_CANCELLED
        assert str(connection.ended)

    def associate(self, side: int, take: Callable[[int], bytes]) -> None:
        """Ask for an association, also with what cannot be sent."""
        kind, text = take(2), _text(take)
        contexts = PROPOSED * (1 if kind[0] & 15 else 20)
        items = [make(kind[1], text) for number, make in enumerate(_ITEMS) if kind[0] >> number & 1]
        title = text if kind[1] & 1 else "ACCEPTOR"
        request = AssociateRQ(title, "REQUESTOR", contexts, [MaximumLength(kind[1] * 8), *items])
        self.sides[side].step(request)

    def connected(self, side: int, take: Callable[[int], bytes]) -> None:
        """The transport connection stands."""
        self.sides[side].connected()

    def answer(self, side: int, take: Callable[[int], bytes]) -> None:
        """Answer what was asked for."""
        request = self.sides[side].request or AssociateRQ("ACCEPTOR", "REQUESTOR", PROPOSED)
        answered(self.sides[side], request)

    def pdu(self, side: int, take: Callable[[int], bytes]) -> None:
        """Ask for a PDU."""
        kind, number = take(2)
        pdus = (
            ReleaseRQ(),
            ReleaseRP(),
            Abort(number & 3, number >> 2),
            AssociateRJ(number & 3, number >> 2 & 3, number >> 4),
        )
        self.sides[side].step(pdus[kind % len(pdus)])

    def message(self, side: int, take: Callable[[int], bytes]) -> None:
        """Send a message, or its command set."""
        kind, context_id = take(2)
        command: Command = {
            "AffectedSOPClassUID": VERIFICATION,
            "CommandField": (0x30, 0x8030, 1, 0x0FFF, 0x7777, None, "no", 0x10000)[kind & 7],
            "MessageIDBeingRespondedTo" if kind & 3 in (1, 3) else "MessageID": context_id,
            "Status": 0 if kind & 1 else None,
            "ErrorComment": "ü" * 70 if kind & 8 else None,
            "AttributeIdentifierList": [0x00100010] if kind & 16 else 5 if kind & 32 else None,
            "MoveDestination": _text(take) if kind & 64 else None,
        }
        connection = self.sides[side]
        connection.pads_titles = bool(kind & 16)
        if kind & 128:
            connection.send_command(context_id & 15, command)
        else:
            connection.send_message(context_id & 15, command, take(8) if kind & 4 else None)

    def data(self, side: int, take: Callable[[int], bytes]) -> None:
        """Send a part of a data set."""
        kind, context_id = take(2)
        size = (0, 1, 7, 100, 16370, 16371, 40000, 300000)[kind & 7]
        self.sides[side].send_data(context_id & 15, bytes(size), last=bool(kind & 8))

    def deliver(self, side: int, take: Callable[[int], bytes]) -> None:
        """Let some bytes arrive at the other side."""
        count = take(1)[0]
        size = count if count < 128 else (count - 127) * 4096
        data, self.way[side][:size] = bytes(self.way[side][:size]), b""
        feed(self.sides[1 - side], data)

    def garbage(self, side: int, take: Callable[[int], bytes]) -> None:
        """Let bytes arrive that nobody sent."""
        feed(self.sides[side], take(take(1)[0]))

    def closed(self, side: int, take: Callable[[int], bytes]) -> None:
        """The transport connection is gone."""
        self.sides[side].closed(OSError(104, "reset") if take(1)[0] & 1 else None)

    def expired(self, side: int, take: Callable[[int], bytes]) -> None:
        """The ARTIM timer expires, if it runs."""
        kind, seconds = take(2)
        if self.sides[side].artim:
            self.sides[side].timer_expired(_EXPIRED[kind % len(_EXPIRED)](seconds or None))

    def settings(self, side: int, take: Callable[[int], bytes]) -> None:
        """Change what may be changed at any time."""
        kind, number = take(2)
        connection = self.sides[side]
        if kind & 1:
            connection.watch(Quiet() if kind & 2 else None)
        if kind & 4:
            connection.announce(number * 128)
        if kind & 8:
            connection.reader.assembly.choose_sink = lambda context_id, command: Dropped()

    def heard(self, side: int, take: Callable[[int], bytes]) -> None:
        """Take the events, as a driver does, and look at what one asks of a connection."""
        connection = self.sides[side]
        while connection.events:
            event = connection.events.popleft()
            if isinstance(event, Message) and event.data is not None:
                event.data.discard()
        assert connection.established == (connection.machine.state == "Sta6")
        assert connection.is_sending in (False, True)
        assert connection.reader.in_message in (False, True)


_STEPS = (
    Between.associate,
    Between.connected,
    Between.answer,
    Between.pdu,
    Between.message,
    Between.data,
    Between.deliver,
    Between.deliver,
    Between.garbage,
    Between.closed,
    Between.expired,
    Between.settings,
    Between.heard,
)
_EXPIRED: tuple[Callable[[float | None], Ended], ...] = (
    AssociateTimedOut,
    ConnectTimedOut,
    DimseTimedOut,
    IdleTimedOut,
    lambda seconds: Lost("it took too long"),
)
_ITEMS: tuple[Callable[[int, str], AnyUserItem], ...] = (
    lambda number, text: MaximumLength(-number),
    lambda number, text: ImplementationClassUID(text),
    lambda number, text: AsynchronousOperationsWindow(number, number << 9),
    lambda number, text: RoleSelection(text, bool(number & 1), bool(number & 2)),
    lambda number, text: ImplementationVersionName(text),
    lambda number, text: SOPClassExtendedNegotiation(text, bytes(number << 8 | 255)),
    lambda number, text: SOPClassCommonExtendedNegotiation(text, text, [text] * number),
    lambda number, text: (
        UserIdentity(number & 7, bool(number & 8), bytes(number << 9))
        if number & 16
        else UserIdentityResponse(bytes(number << 9))
        if number & 32
        else UnknownItem(number, bytes(number << 9))
    ),
)


def _text(take: Callable[[int], bytes]) -> str:
    text = take(take(1)[0] & 31).decode("latin-1")
    assert is_valid_uid(text) in (False, True)
    assert is_valid_ae_title(text) in (False, True)
    return text


def steps(data: bytes) -> None:
    """Do the steps; then both connections are closed, and over."""
    subject, position = Between(), 0

    def take(count: int) -> bytes:
        nonlocal position
        piece = data[position : position + count]
        position += count
        return piece.ljust(count, b"\0")

    for _ in range(MOST):
        if position >= len(data):
            break
        subject.step(take(1)[0], take)
    for connection in subject.sides:
        begun = connection.machine.state not in ("Sta1", "Sta4")
        connection.closed()
        assert connection.machine.state == "Sta1"
        assert connection.ended is not None or not begun
