"""Turns two connections into a conversation in memory, and one into any state by honest steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dicomwire.protocol.command import Command, encode_command
from dicomwire.protocol.connection import Buffer, Connection
from dicomwire.protocol.items import AnyUserItem, MaximumLength
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.negotiation import SupportedContext, answer_contexts
from dicomwire.protocol.pdus import (
    Abort,
    AnyPDU,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    PresentationDataValue,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
    decode_pdu,
)

VERIFICATION, CT = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
ECHO: Command = {"AffectedSOPClassUID": VERIFICATION, "CommandField": 0x0030, "MessageID": 1}
STORE: Command = {
    "AffectedSOPClassUID": CT,
    "CommandField": 0x0001,
    "MessageID": 7,
    "Priority": 2,
    "AffectedSOPInstanceUID": "1.2.3",
}
SUPPORTED = {uid: SupportedContext((EXPLICIT, IMPLICIT)) for uid in (VERIFICATION, CT)}


def request(*items: AnyUserItem, contexts: list[ProposedContext] | None = None) -> AssociateRQ:
    """A request for Verification (1) and CT (3), with our own maximum length unless items say."""
    proposed = [
        ProposedContext(1, VERIFICATION, (IMPLICIT,)),
        ProposedContext(3, CT, (IMPLICIT, EXPLICIT)),
    ]
    return AssociateRQ("SCP", "SCU", contexts or proposed, [*items] or [MaximumLength(16382)])


def accept(connection: Connection, *items: AnyUserItem) -> None:
    """Answer the request that waits in the connection's events."""
    asked = connection.events.popleft()
    assert isinstance(asked, AssociateRQ)
    answer = answer_contexts(asked.presentation_contexts, SUPPORTED)
    titles = asked.called_ae_title, asked.calling_ae_title
    information = [*items] or [MaximumLength(16382)]
    connection.accept(AssociateAC(*titles, answer.results, information), answer.accepted)


def feed(connection: Connection, data: bytes, step: int = 0) -> None:
    """Let bytes arrive, at most `step` at once (0: as many as the buffer takes)."""
    position = 0
    while position < len(data):
        view = connection.get_buffer()
        count = min(len(view), len(data) - position, step or len(data))
        assert count > 0, "no room to receive into"
        view[:count] = data[position : position + count]
        connection.received(count)
        position += count


def taken(connection: Connection) -> bytes:
    """Take what the connection wants to send."""
    out, connection.out = connection.out, []
    return b"".join(out)


def pump(one: Connection, other: Connection, step: int = 0) -> None:
    """Carry bytes both ways until both are silent; close where one wants it."""
    moved = True
    while moved:
        moved = False
        for sender, receiver in ((one, other), (other, one)):
            data = taken(sender)
            moved = moved or bool(data)
            feed(receiver, data, step)
            if sender.wants_close and receiver.machine.state != "Sta1":
                receiver.closed()
                moved = True


def pdus_of(data: bytes) -> list[AnyPDU]:
    """Read whole PDUs."""
    found = []
    while data:
        end = 6 + int.from_bytes(data[2:6], "big")
        found.append(decode_pdu(data[0], memoryview(data)[6:end]))
        data = data[end:]
    return found


def values_of(data: bytes) -> list[PresentationDataValue]:
    """The presentation data values of whole P-DATA-TF."""
    return [value for pdu in pdus_of(data) if isinstance(pdu, PDataTF) for value in pdu.values]


def associated(
    *items: AnyUserItem, answer: tuple[AnyUserItem, ...] = (), **options: Any
) -> tuple[Connection, Connection]:
    """Two connections with an association between them, nothing left in their events."""
    requestor, acceptor = Connection(True, **options), Connection(False, **options)
    acceptor.connected()
    requestor.step(request(*items))
    requestor.connected()
    pump(requestor, acceptor)
    accept(acceptor, *answer)
    pump(requestor, acceptor)
    assert isinstance(requestor.events.popleft(), AssociateAC)
    return requestor, acceptor


def raw_acceptor(*items: AnyUserItem, maximum_length: int = 16382) -> Connection:
    """An acceptor with an association, whose peer is the test."""
    connection = Connection(False, maximum_length)
    connection.connected()
    feed(connection, request(*items).encode())
    accept(connection)
    connection.out.clear()
    return connection


def values(*parts: tuple[int, int, bytes]) -> bytes:
    """A P-DATA-TF of (context ID, control, fragment)."""
    return PDataTF([PresentationDataValue(*part) for part in parts]).encode()


def message(context_id: int, command: Command, data: bytes | None = None) -> bytes:
    """A whole message in as few PDUs as there can be."""
    kind = 0x0101 if data is None else 1
    found = values((context_id, 3, encode_command({**command, "CommandDataSetType": kind})))
    return found if data is None else found + values((context_id, 2, data))


def data_of(found: Message) -> bytes | None:
    """The data set of a message that went to memory."""
    if found.data is None:
        return None
    assert isinstance(found.data, Memory)
    return bytes(found.data.data)


def plain(event: object) -> Any:
    """An event as something that compares by what it says."""
    if isinstance(event, Message):
        return event.context_id, event.command, data_of(event)
    return event


def in_state(state: str, requestor: bool = True) -> Connection:
    """A connection that PDUs and steps alone brought to a state of PS3.8 Table 9-10.

    The events and buffers of the way there are gone. `requestor` decides where there is a choice.
    """
    if state in ("Sta2", "Sta3", "Sta10", "Sta12"):
        requestor = False
    elif state in ("Sta4", "Sta5", "Sta9", "Sta11"):
        requestor = True
    connection = Connection(requestor)
    for go in _WAYS[state] if state in _WAYS else (*_established(requestor), *_LATER[state]):
        if isinstance(go, tuple):
            feed(connection, go[0].encode())
        elif isinstance(go, AssociateAC):
            accept(connection)
        elif go == "connected":
            connection.connected()
        else:
            connection.step(go)
    connection.out.clear()
    connection.events.clear()
    assert connection.machine.state == state
    return connection


def _established(requestor: bool) -> tuple[Any, ...]:
    answer = answer_contexts(request().presentation_contexts, SUPPORTED)
    came = AssociateAC("SCP", "SCU", answer.results, [MaximumLength(16382)])
    if requestor:
        return request(), "connected", (came,)
    return "connected", (request(),), came


# A PDU in a tuple arrives; a bare one is asked for.
_WAYS: dict[str, tuple[Any, ...]] = {
    "Sta1": (),
    "Sta2": ("connected",),
    "Sta3": ("connected", (request(),)),
    "Sta4": (request(),),
    "Sta5": (request(), "connected"),
}
_RELEASE, _RELEASED = ReleaseRQ(), ReleaseRP()
_LATER: dict[str, tuple[Any, ...]] = {
    "Sta6": (),
    "Sta7": (_RELEASE,),
    "Sta8": ((_RELEASE,),),
    "Sta9": (_RELEASE, (_RELEASE,)),
    "Sta10": (_RELEASE, (_RELEASE,)),
    "Sta11": (_RELEASE, (_RELEASE,), _RELEASED),
    "Sta12": (_RELEASE, (_RELEASE,), (_RELEASED,)),
    "Sta13": (Abort(),),
}
STATES = [f"Sta{number}" for number in range(1, 14)]
ARRIVING: dict[str, bytes] = {
    "Evt3": AssociateAC("SCP", "SCU").encode(),
    "Evt4": AssociateRJ(1, 1, 1).encode(),
    "Evt6": request().encode(),
    "Evt10": message(1, ECHO),
    "Evt12": _RELEASE.encode(),
    "Evt13": _RELEASED.encode(),
    "Evt16": Abort(2, 1).encode(),
    "Evt19": b"\x99\0\0\0\0\0",
}
"""The bytes whose arrival each event of PS3.8 Table 9-10 is."""


@dataclass
class Watcher:
    """A tap that keeps what it sees."""

    wants_data: bool = True
    wants_messages: bool = True
    seen: list[tuple[str, Any, bytes]] = field(default_factory=list)
    messages: list[tuple[str, Any]] = field(default_factory=list)
    moves: list[tuple[str, str, str, str]] = field(default_factory=list)

    def received(self, pdu: AnyPDU, raw: bytes) -> None:
        """Keep a PDU that came."""
        self.seen.append(("received", pdu, raw))

    def sent(self, pdu: AnyPDU, raw: bytes) -> None:
        """Keep a PDU that went."""
        self.seen.append(("sent", pdu, raw))

    def message_received(self, message: Message) -> None:
        """Keep a message that came."""
        self.messages.append(("received", plain(message)))

    def message_sent(self, context_id: int, command: Command, data: Buffer | None) -> None:
        """Keep a message that went."""
        self.messages.append(("sent", (context_id, dict(command), data and bytes(data))))

    def moved(self, event: str, action: str, before: str, after: str) -> None:
        """Keep a step of the state machine."""
        self.moves.append((event, action, before, after))
