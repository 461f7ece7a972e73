"""What conversations want into reads and writes that never block, with time-outs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from dicomwire.network.aio.aside import Aside
from dicomwire.network.aio.line import SLICE, Bounds, Line
from dicomwire.network.aio.transport import Transport
from dicomwire.network.aio.waiting import Waiting
from dicomwire.network.driver import PASSED_ON, PUSHED_EVERY
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection, Event
from dicomwire.protocol.errors import AssociateTimedOut, DimseTimedOut, Ended, Error
from dicomwire.protocol.messages import Message
from dicomwire.services.wants import (
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
    Result,
    Settle,
    Store,
    Timer,
)

ONE_MESSAGE = 4  # buffers of a message that is no longer than two PDUs


class Port(Bounds, Protocol):
    """What a driver needs of its association; what may take time gives a `Waiting` or awaits."""

    async def open_transport(self) -> Transport:
        """Connect to the peer; raises Ended."""

    def call(self, event: str, attributes: dict[str, Any]) -> Any:
        """Call the handler of an intervention event; raises HandlerRaised."""

    def advance(self, event: str, values: Any) -> Any:
        """Return the next value of a handler that yields, END after the last."""

    def close(self, values: Any) -> Any:
        """Let a handler that yields clean up."""

    async def open_destination(self, host: str, port: int, settings: dict[str, Any]) -> Any:
        """Open an association to a move destination; raises Ended."""

    async def send_there(self, destination: Any, want: Store) -> None:
        """Send an instance there; raises Ended."""

    async def settle_there(self, destination: Any) -> tuple[Any, int]:
        """Wait for the next response of it, and return the tag and the status; raises Ended."""

    async def hang_up(self, destination: Any) -> None:
        """Release that association."""

    def notify(self, event: str, attributes: dict[str, Any]) -> None:
        """Call the handlers of a notification event."""

    @property
    def has_untold(self) -> bool:
        """Whether handlers of notification events have to be awaited."""

    async def tell(self) -> None:
        """Await them."""


class Driver(Line):
    """Runs the conversations of one association; to be used in the thread of its loop only.

    What does not have to wait is done without a turn of the loop.

    Parameters
    ----------
    connection : Connection
        Owned by this driver.
    port : Port
        The association.
    """

    def __init__(self, connection: Connection, port: Port) -> None:
        super().__init__(connection, port)
        self.port = port
        self.aside = Aside()
        self.is_resumable = False
        self._pushed = 0.0
        self._perform: dict[type, Callable[[Any], Any]] = {
            Receive: self._receive,
            Flush: self._flush,
            Call: self._call,
            Notify: self._notify,
            Connect: lambda want: Waiting(self._connect()),
            Next: self._next,
            Close: lambda want: port.close(want.values),
            Open: lambda want: Waiting(port.open_destination(want.host, want.port, want.settings)),
            Store: lambda want: Waiting(port.send_there(want.destination, want)),
            Settle: lambda want: Waiting(port.settle_there(want.destination)),
            Hang: lambda want: Waiting(port.hang_up(want.destination)),
        }

    async def run(self, conversation: Conversation[Result]) -> Result:
        """Run a conversation to its end and return its result.

        A task that is cancelled meanwhile has `CancelledError` thrown into the conversation, which
        still cleans up. `is_resumable` then says whether nothing was lost: it only waited for the
        peer, and could go on waiting.
        """
        try:
            return await self._run(conversation, self._perform)
        finally:
            self._deadline = self._accepted_at = None
            self.port.dispatch()
            if self.port.has_untold:
                await self.port.tell()

    async def _run(
        self, conversation: Conversation[Result], perform: dict[type, Callable[[Any], Any]]
    ) -> Result:
        advance: Callable[[Any], Any] = conversation.send
        answer: Any = None
        send, port = conversation.send, self.port
        try:
            while True:
                want = advance(answer)
                advance = send
                try:
                    answer = perform[type(want)](want)
                    if type(answer) is Waiting:
                        answer = await answer.answer
                    if port.has_untold:
                        await port.tell()
                except (Error, HandlerRaised, *PASSED_ON) as error:
                    advance, answer = conversation.throw, error
                except asyncio.CancelledError as error:
                    # in a wait of its own, not of what answers a request of the peer
                    own = getattr(conversation, "gi_yieldfrom", None) is None
                    self.is_resumable = type(want) is Receive and own
                    advance, answer = conversation.throw, error
        except StopIteration as stop:
            result: Result = stop.value
            return result

    async def run_aside(
        self, conversation: Conversation[Result], command: Command | None
    ) -> Result:
        """Run a conversation in another task than the one that receives.

        Parameters
        ----------
        conversation : Conversation
            A request and the wait for its response, or a release.
        command : dict, optional
            The request.
        """
        with self.aside.awaiting(command):
            perform = {**self._perform, Receive: lambda want: Waiting(self._handed_over(want))}
            return await self._run(conversation, perform)

    async def _handed_over(self, want: Receive) -> Message:
        """Wait for what the task that receives hands over."""
        seconds = self.port.timeout(want.timer)
        try:
            found = await self.aside.wait(seconds)
        except TimeoutError:
            late = AssociateTimedOut if want.timer is Timer.ACSE else DimseTimedOut
            self.abort(late(seconds))
            found = None
        if found is None:
            assert self.connection.ended is not None
            raise self.connection.ended.with_traceback(None)
        return found

    # -- wants -----------------------------------------------------------------------------

    def _receive(self, want: Receive) -> Any:
        events = self.connection.events
        if events and self.aside.wanted is None:
            return events.popleft()
        return Waiting(self._await_event(want.timer))

    async def _await_event(self, timer: Timer) -> Event:
        connection = self.connection
        while True:
            while not connection.events:
                if connection.ended is not None:
                    raise connection.ended.with_traceback(None)
                await self.wait(timer)
            event = connection.events.popleft()
            if self.aside.wanted is None or not self.aside.take(event):
                return event

    def _flush(self, want: Flush) -> Any:
        now, is_much = time.monotonic(), want.more_follows or len(self.connection.out) > ONE_MESSAGE
        together = want.more_follows and now - self._pushed < PUSHED_EVERY
        if not together:
            self._pushed = now
        if not self.write(together):
            return Waiting(self.drain())
        self.port.dispatch()
        # what is one message is followed by a wait, which sees to the others
        return Waiting(self.breathe()) if is_much and now - self._resumed > SLICE else None

    def _call(self, want: Call) -> Any:
        self.port.dispatch()
        return self.port.call(want.event, want.attributes)

    def _next(self, want: Next) -> Any:
        self.port.dispatch()
        return self.port.advance(want.event, want.values)

    def _notify(self, want: Notify) -> None:
        self.port.dispatch()
        self.port.notify(want.event, want.attributes)

    async def _connect(self) -> None:
        try:
            self.transport = await self.port.open_transport()
        except Ended as error:
            self.connection.ended = self.connection.ended or error
            self.connection.closed()
            raise
        self.last_activity = time.monotonic()
