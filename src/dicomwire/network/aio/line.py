"""Bytes of a connection into reads and writes that never block, under time-outs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Protocol

from dicomwire.network.aio.alarm import Alarm
from dicomwire.network.aio.transport import Transport
from dicomwire.network.driver import (
    abort_for,
    late_negotiation,
    lose,
    lose_stuck,
    not_taking,
    patience,
    refuse,
    stalled,
    too_slow,
)
from dicomwire.network.transport import LOOK, PROMPT, give_way
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Buffer, Connection
from dicomwire.protocol.errors import AssociateTimedOut, DimseTimedOut, Error, LimitReached
from dicomwire.protocol.pdus import Abort, AssociateRJ
from dicomwire.services.wants import Timer

SLICE = 0.5e-3  # seconds of work on one association, after which the loop sees to the others
BRIEF = 50e-6  # seconds of a turn in which the loop has had nothing else to do
MOST_READS = 64  # at once, where nobody waits for what they bring

_spare_processor = (os.cpu_count() or 1) > 1


class Bounds(Protocol):
    """What moving bytes needs of the association."""

    def timeout(self, timer: Timer) -> float | None:
        """Return the seconds of a time-out, None for no limit."""

    def dispatch(self) -> None:
        """Tell what the tap saw."""

    async def give_up(self) -> None:
        """End an association on which nothing came for too long."""


class _Looking:
    """Whether some task keeps its loop from sleeping; one of a process is enough."""

    now = False


class Line:
    """Moves the bytes of one association; to be used in the thread of its event loop only.

    Bytes are read when somebody waits for them, and where he still waits, in the callback of the
    loop: his task is woken once there is a whole message. Where nobody waits nothing is read, so
    that a peer cannot send faster than its messages are dealt with.

    Parameters
    ----------
    connection : Connection
        Owned by this line.
    bounds : Bounds
        The association.

    Attributes
    ----------
    last_activity : float
        When bytes went in either direction last, on the monotonic clock.
    """

    def __init__(self, connection: Connection, bounds: Bounds) -> None:
        self.connection = connection
        self.transport: Transport | None = None
        self.last_activity = self._resumed = time.monotonic()
        self._bounds = bounds
        self._loop = loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._accepted_at: float | None = None
        self._received = 0  # bytes, ever
        self._paced_from: tuple[float, int] | None = None  # when, and how many had come by then
        self._taken, self._waited = 0, 0.0  # bytes, and seconds in which there was no room
        self._stuck_since = 0.0
        self._unsent: list[Buffer] = []
        self._draining = asyncio.Lock()
        self._reader: asyncio.Future[bool] | None = None
        self._writer: asyncio.Future[bool] | None = None
        self._timer: Timer | None = None  # what bounds the wait for the peer
        self._since = 0.0
        self._read_alarm = Alarm(loop, self._due, self._late)
        self._write_alarm = Alarm(loop, self._stuck_at, self._stuck)
        self._when_idle: Callable[[], None] | None = None
        self._is_watching = False
        self._is_prompt = False  # the peer

    # -- bytes in --------------------------------------------------------------------------

    def accepted(self) -> None:
        """Learn that a peer has connected just now: its negotiation is timed from here on."""
        self._accepted_at = time.monotonic()

    def _has_news(self) -> bool:
        connection = self.connection
        return bool(connection.events or connection.out or connection.ended is not None)

    def pull(self) -> bool:
        """Read until there is something to tell, nothing more has come, or it took too long."""
        while not self._has_news():
            if not self._read_once():
                return self._has_news()
            if self.last_activity - self._resumed > SLICE:
                self._see_to_the_rest()
                break
        return self._has_news()

    def _see_to_the_rest(self) -> None:
        """Have what TLS has decrypted already taken in: the loop knows nothing of it."""
        if self.transport is not None and self.transport.has_more():
            self._loop.call_soon(self._readable)

    def _read_once(self) -> bool:
        """Read what is there, without waiting; tell whether there was something."""
        connection, transport = self.connection, self.transport
        if transport is None:
            return False
        try:
            count = transport.read(connection.get_buffer())
        except OSError as error:
            lose(connection, error)
            return False
        if count is None:
            return False
        self.last_activity = time.monotonic()
        if count:
            self._received += count
            connection.received(count)
        else:
            lose(connection, None)
        return bool(count)

    async def wait(self, timer: Timer) -> None:
        """Wait until there is something to tell, under a time-out."""
        connection, transport = self.connection, self.transport
        if transport is None:
            connection.closed()
            return
        if not self.pull() and await self._until_readable(transport, timer):
            await self._timed_out(timer)
        if connection.out:
            await self.flush()
        if time.monotonic() - self._resumed > SLICE:
            await self.breathe()

    async def _until_readable(self, transport: Transport, timer: Timer) -> bool:
        """Wait for news; tell whether the time-out passed instead."""
        self._timer, self._since = timer, time.monotonic()
        self._paced_from = None
        if self._is_expecting:
            transport.acknowledge()
        reader = self._reader = self._loop.create_future()
        try:
            self._watch(True)
            self._read_alarm.look()
            if self._is_prompt and not _Looking.now:
                await self._look(reader)
            is_late: bool = await reader
            return is_late
        finally:
            self._reader = self._timer = None
            self._resumed = now = time.monotonic()
            self._is_prompt = _spare_processor and now - self._since < PROMPT

    @property
    def _is_expecting(self) -> bool:
        """Whether the peer is about to send."""
        return self._timer is not Timer.NETWORK or self.connection.reader.in_message

    async def _look(self, reader: asyncio.Future[bool]) -> None:
        """Keep the loop from going to sleep for a moment: to be woken takes it longer than that.

        Unlike the thread of the blocking driver it sees to everybody meanwhile: as long as the
        others have nothing to do, all that it does between two turns of the loop is to look.
        """
        before, end = self._since, self._since + LOOK
        _Looking.now = True
        try:
            while not reader.done() and (now := time.monotonic()) < end:
                if now - before < BRIEF and self._finds(reader, now + BRIEF):
                    break
                before = time.monotonic()
                await _turn()
        finally:
            _Looking.now = False

    def _finds(self, reader: asyncio.Future[bool], end: float) -> bool:
        """Look for news without giving the loop its turn until some time; tell about it."""
        before, self._resumed = self._received, time.monotonic()
        while not self.pull() and time.monotonic() < end:
            give_way()
        if self._has_news():
            reader.set_result(False)
        elif self._received > before:
            self._await_rest(reader)
        return reader.done()

    def _watch(self, on: bool) -> None:
        if on is not self._is_watching and self.transport is not None:
            self._is_watching = on
            self.transport.watch_reading(self._readable if on else None)

    def _readable(self) -> None:
        """Take in what has come; the loop calls this."""
        reader = self._reader
        if reader is not None:
            self._resumed = time.monotonic()
            if reader.done():
                return
            if self.pull():
                reader.set_result(False)
                return
            self._await_rest(reader)
        elif self._writer is not None:
            self._read_once()
            if self.connection.ended is not None:
                self.wake()
        else:  # nobody wants it: it stays where it is, and the peer has to wait
            self._watch(False)
            if self._when_idle is not None:
                self._when_idle()

    def _await_rest(self, reader: asyncio.Future[bool]) -> None:
        """See to it that the rest comes, and soon enough, of what a part has come of."""
        if self._is_expecting and self.transport is not None:
            self.transport.acknowledge()
        if self.connection.reader.in_message and self._check_rate():
            reader.set_result(False)

    def _check_rate(self) -> bool:
        """Look whether a peer is too slow in the middle of a message; tell whether it was."""
        self._read_alarm.look()  # it may have to ring earlier than before the message
        limits, now = self.connection.limits, self.last_activity
        since, before = self._paced_from or (now, self._received)
        seconds, count = now - since, self._received - before
        if seconds > limits.grace:
            if count < limits.rate * seconds:
                refuse(self.connection, too_slow(count, seconds, sending=False))
                return True
            since, before = now, self._received
        self._paced_from = since, before
        return False

    def park(self, when_idle: Callable[[], None]) -> None:
        """Watch an association that nobody uses.

        Parameters
        ----------
        when_idle : callable
            Called when the peer says something, or nothing for too long.
        """
        self._when_idle = when_idle
        self._timer, self._since = Timer.NETWORK, self.last_activity
        self._watch(True)
        self._read_alarm.look()
        self._see_to_the_rest()

    def unpark(self) -> None:
        """Have it used again."""
        self._when_idle = self._timer = None

    def look_again(self) -> None:
        """Learn that a time-out has changed."""
        self._read_alarm.look()

    def poll(self) -> None:
        """Take in what has arrived, without waiting."""
        for _ in range(MOST_READS):
            if self.connection.machine.state == "Sta1" or not self._read_once():
                break
        self.write()
        self._bounds.dispatch()

    # -- time ------------------------------------------------------------------------------

    def _due(self) -> float | None:
        """Return when the wait for the peer takes too long: ACSE bounds a whole negotiation, the
        others each silence."""
        timer = self._timer
        if timer is None:
            return None
        seconds, _ = patience(self.connection, timer, self._bounds.timeout(timer))
        if seconds is None:
            return None
        if timer is not Timer.ACSE:
            return max(self._since, self.last_activity) + seconds
        if self._deadline is None:
            self._deadline = (self._accepted_at or self._since) + seconds
        return self._deadline

    def _late(self) -> None:
        if self._reader is not None:
            if not self._reader.done():
                self._reader.set_result(True)
        elif self._when_idle is not None:
            self._when_idle()

    async def _timed_out(self, timer: Timer) -> None:
        seconds = self._bounds.timeout(timer)
        if patience(self.connection, timer, seconds)[1]:
            self.abort(stalled(self.connection))
        elif timer is Timer.NETWORK:
            await self._bounds.give_up()
        elif timer is Timer.DIMSE:
            self.abort(DimseTimedOut(seconds))
        elif (late := late_negotiation(self.connection, seconds)) is not None:
            self.abort(late)
        else:  # PS3.8 9.1.5: the ARTIM timer, AA-2
            self.connection.timer_expired(AssociateTimedOut(seconds))

    # -- bytes out -------------------------------------------------------------------------

    def write(self, more_follows: bool = False) -> bool:
        """Write what is in `Connection.out`, as far as it goes; tell whether that was all."""
        connection, transport = self.connection, self.transport
        out, connection.out = connection.out, []
        if self._unsent:
            self._unsent += out  # somebody waits for room
            return False
        if not out:
            return True
        if transport is None:
            connection.closed()
            return True
        try:
            self._unsent = list(transport.write(out, more_follows))
        except OSError as error:
            self._failed(error)
        else:
            self.last_activity = time.monotonic()
        return not self._unsent

    async def flush(self) -> None:
        """Write what is in `Connection.out`, all of it."""
        if not self.write():
            await self.drain()
        self._bounds.dispatch()

    async def drain(self) -> None:
        """Write what the system did not take at once.

        Meanwhile what comes is read: with several operations under way both sides may send, and a
        peer that refuses says why.
        """
        async with self._draining:
            while self._unsent and self.transport is not None and self.connection.ended is None:
                if not await self._until_writable(self.transport):
                    is_stall = self._patience_to_write()[1]
                    self._give_up_writing(not_taking(self.connection) if is_stall else None)
                elif self._unsent:
                    self._waited += time.monotonic() - self._stuck_since
                    before = sum(map(len, self._unsent))
                    self._go_on_writing(self.transport)
                    self._taken += before - sum(map(len, self._unsent))
                    self._check_taken()
        self._bounds.dispatch()

    def _give_up_writing(self, limit: LimitReached | None) -> None:
        lose_stuck(self.connection, limit)
        self._unsent = []

    def _check_taken(self) -> None:
        """Look whether the peer takes too little while it is waited for."""
        limits = self.connection.limits
        if self._waited > limits.grace:
            taken, waited, self._taken, self._waited = self._taken, self._waited, 0, 0.0
            if taken < limits.rate * waited:
                self._give_up_writing(too_slow(taken, waited, sending=True))

    def _go_on_writing(self, transport: Transport) -> None:
        try:
            self._unsent = list(transport.write(self._unsent))
        except OSError as error:
            self._failed(error)
        else:
            self.last_activity = time.monotonic()

    async def _until_writable(self, transport: Transport) -> bool:
        """Wait for room; tell whether there was some before the time-out."""
        writer = self._writer = self._loop.create_future()
        self._stuck_since = time.monotonic()
        try:
            transport.watch_writing(self._writable)
            self._watch(True)
            self._write_alarm.look()
            return not await writer
        finally:
            self._writer = None
            if self.transport is not None:
                transport.watch_writing(None)
            self._resumed = time.monotonic()

    def _writable(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(False)

    def _stuck_at(self) -> float | None:
        seconds, _ = self._patience_to_write()
        if self._writer is None or seconds is None:
            return None
        return self._stuck_since + seconds

    def _patience_to_write(self) -> tuple[float | None, bool]:
        """Return how long the peer may take nothing, and whether `Limits.stall` says so."""
        seconds, stall = self._bounds.timeout(Timer.NETWORK), self.connection.limits.stall
        if stall is not None and (seconds is None or stall < seconds):
            return stall, True
        return seconds, False

    def _stuck(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(True)

    def _failed(self, error: OSError) -> None:
        """Take note that sending failed; what the peer said last is read first: it explains."""
        for _ in range(MOST_READS):
            if not self._read_once():
                break
        self._unsent = []
        self.connection.out.clear()
        lose(self.connection, error)

    async def breathe(self) -> None:
        """Let the loop see to the others."""
        await _turn()
        self._resumed = time.monotonic()

    # -- the end ---------------------------------------------------------------------------

    def abort(self, cause: Error | None = None) -> None:
        """Send an A-ABORT, whatever is under way; whoever waits for the peer wakes up.

        Parameters
        ----------
        cause : Error, optional
            Why.
        """
        if self.connection.ended is None and self.connection.machine.may("Evt15"):
            self.connection.step(abort_for(cause), cause)
            self.write()
        self.wake()
        self._bounds.dispatch()

    async def send(self, context_id: int, command: Command) -> None:
        """Send a message without a data set besides the conversation under way.

        Raises
        ------
        LocalError
            When the association is over, or a data set is just being sent.
        """
        self.connection.send_message(context_id, command)
        await self.flush()

    def step(self, pdu: AssociateRJ | Abort) -> None:
        """Send a PDU besides the conversation under way, as a handler may want.

        Raises
        ------
        LocalError
            When PS3.8 Table 9-10 has no cell for that in the present state.
        """
        self.connection.step(pdu)
        self.write()
        self._bounds.dispatch()

    def wake(self) -> None:
        """Make whoever waits for the peer look at the connection again."""
        for waiting in (self._reader, self._writer):
            if waiting is not None and not waiting.done():
                waiting.set_result(False)

    async def close(self, linger: float) -> None:
        """Give the peer time to close the connection, then close it (PS3.8 9.1.5).

        Parameters
        ----------
        linger : float
            Seconds that the peer has.
        """
        transport = self.transport
        if transport is None:
            return
        self.unpark()
        try:
            async with asyncio.timeout(linger):
                await self._part(transport)
        except TimeoutError:
            self.connection.timer_expired()
        finally:
            self.transport = None
            self._read_alarm.stop()
            self._write_alarm.stop()
            transport.close()
            self.connection.closed()
            self._bounds.dispatch()

    async def _part(self, transport: Transport) -> None:
        """Send what is left, and wait until the peer closes."""
        connection = self.connection
        while self._unsent and connection.machine.state == "Sta13":
            await self._until_writable(transport)
            self._go_on_writing(transport)
        while connection.machine.state == "Sta13" and not connection.wants_close:
            if self._read_once():
                continue
            if connection.machine.state != "Sta13":
                break
            self._reader = self._loop.create_future()
            transport.watch_reading(self.wake)
            await self._reader


async def _turn() -> None:
    """Let the loop go around once."""
    await asyncio.sleep(0)
