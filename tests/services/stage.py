"""Turns conversations and connections in memory into a play: no socket, no thread, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import SupportedContext, answer_contexts
from dicomwire.protocol.pdus import AnyPDU
from dicomwire.services.wants import (
    END,
    Call,
    Close,
    Connect,
    Conversation,
    Flush,
    HandlerRaised,
    Hang,
    Next,
    Notify,
    Open,
    Receive,
    Settle,
    Store,
    Timer,
    Unbound,
)
from tests.protocol import pairs
from tests.protocol.pairs import feed, pdus_of, taken

Handler = Callable[..., Any]


@dataclass
class Side:
    """One end: a connection, the conversation that runs on it, and who answers its calls.

    `heard` lists the notifications and calls in order, `timers` what bounded each wait. What
    `attended` flushes ends up in `sent`.
    """

    connection: Connection
    conversation: Conversation[Any]
    handlers: dict[str, Handler] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    sent: list[AnyPDU] = field(default_factory=list)
    result: Any = None
    error: BaseException | None = None
    done: bool = False
    _want: Any = None
    _wire: bytes = b""

    def advance(self) -> bool:
        """Go on until the conversation waits or is over; tell whether anything happened."""
        if self.done or (isinstance(self._want, Receive) and not self._has_news()):
            return False
        while not self.done and not (isinstance(self._want, Receive) and not self._has_news()):
            try:
                answer = self._perform(self._want)
            except BaseException as error:  # noqa: BLE001 - thrown into the conversation
                self._resume(self.conversation.throw, error)
            else:
                self._resume(self.conversation.send, answer)
        return True

    def _has_news(self) -> bool:
        return bool(self.connection.events) or self.connection.ended is not None

    def _resume(self, go: Callable[[Any], Any], value: Any) -> None:
        try:
            self._want = go(value)
        except StopIteration as stop:
            self.result, self.done = stop.value, True
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error, self.done = error, True
        if isinstance(self._want, Receive) and not self.done:
            self.timers.append(self._want.timer)

    def _perform(self, want: Any) -> Any:
        if want is None or isinstance(want, Connect):
            return None
        if isinstance(want, Receive):
            if self.connection.events:
                return self.connection.events.popleft()
            assert self.connection.ended is not None
            raise self.connection.ended
        if isinstance(want, Flush):
            self.flush()
            return None
        if isinstance(want, Next):
            return self._next(want)
        if isinstance(want, Close):
            if hasattr(want.values, "close"):
                want.values.close()
            return None
        if isinstance(want, Open | Store | Settle | Hang):
            name = type(want).__name__
            self.heard.append(name)
            return self.handlers[name](want)
        assert isinstance(want, Call), want
        self.heard.append(want.event)
        handler = self.handlers.get(want.event)
        if handler is None:
            if isinstance(want, Notify):
                return None
            raise Unbound
        try:
            returned = handler(**want.attributes)
            yields = want.event in ("EVT_C_FIND", "EVT_C_GET", "EVT_C_MOVE")
            return iter(returned) if yields and returned is not None else returned
        except Exception as error:
            raise HandlerRaised from error

    def _next(self, want: Next) -> Any:
        try:
            return next(want.values)
        except StopIteration:
            return END
        except Exception as error:
            raise HandlerRaised from error

    def flush(self) -> None:
        """Put what the connection wants to send on the wire."""
        data = taken(self.connection)
        self.sent += pdus_of(data)
        self._wire += data

    def wire(self) -> bytes:
        """Take what is on the wire."""
        data, self._wire = self._wire, b""
        return data


def play(one: Side, other: Side) -> None:
    """Let both go on until neither can; bytes go both ways, and a close is seen by the other."""
    other.advance()  # an acceptor listens before anybody calls
    moved = True
    while moved:
        moved = False
        for side, peer in ((one, other), (other, one)):
            moved = side.advance() or moved
            side.flush()  # an abort that the connection decided on by itself
            data = side.wire()
            if data:
                feed(peer.connection, data)
                moved = True
            if side.connection.wants_close and peer.connection.machine.state not in (
                "Sta1",
                "Sta4",
            ):
                peer.connection.closed()
                moved = True


def responses(side: Side) -> list[Command]:
    """The command sets that a side sent, decoded from its PDUs by a connection of the test."""
    from dicomwire.protocol.command import decode_command
    from dicomwire.protocol.pdus import PDataTF

    return [
        decode_command(value.data)
        for pdu in side.sent
        if isinstance(pdu, PDataTF)
        for value in pdu.values
        if value.control & 1
    ]


def message(context_id: int, command: Command, data: Any = None) -> Message:
    """A message as it would arrive."""
    return Message(
        context_id, {"CommandDataSetType": 0x0101 if data is None else 1, **command}, data
    )


def said(side: Side) -> list[tuple[Command, bytes | None]]:
    """The messages that a side sent: command set, and the encoded data set if there is one."""
    from dicomwire.protocol.command import decode_command
    from dicomwire.protocol.pdus import PDataTF

    found: list[tuple[Command, bytes | None]] = []
    for value in (v for pdu in side.sent if isinstance(pdu, PDataTF) for v in pdu.values):
        if value.control & 1:
            found.append((decode_command(bytes(value.data)), None))
        else:
            command, data = found.pop()
            found.append((command, (data or b"") + bytes(value.data)))
    return found


def associated_for(*uids: str, syntax: str = pairs.EXPLICIT) -> tuple[Connection, Connection]:
    """An association for SOP classes with context IDs 1, 3, ...: either side in either role."""
    requestor, acceptor = Connection(True), Connection(False)
    acceptor.connected()
    contexts = [pairs.ProposedContext(2 * n + 1, uid, (syntax,)) for n, uid in enumerate(uids)]
    requestor.step(pairs.request(contexts=contexts))
    requestor.connected()
    pairs.pump(requestor, acceptor)
    asked = acceptor.events.popleft()
    answer = answer_contexts(contexts, {uid: SupportedContext((syntax,)) for uid in uids})
    titles = asked.called_ae_title, asked.calling_ae_title  # type: ignore[union-attr]
    items = [pairs.MaximumLength(16382)]
    acceptor.accept(pairs.AssociateAC(*titles, answer.results, items), answer.accepted)
    pairs.pump(requestor, acceptor)
    requestor.events.clear()
    for connection in (requestor, acceptor):
        for key, context in connection.contexts.items():
            connection.contexts[key] = context._replace(as_scu=True, as_scp=True)
    return requestor, acceptor
