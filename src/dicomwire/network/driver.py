"""What conversations want into socket calls, with time-outs: the blocking driver."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from dicomwire.network.addresses import is_tls_error
from dicomwire.network.aside import Aside
from dicomwire.network.keepalive import is_late, keep_alive, vanished
from dicomwire.network.transport import PlainTransport, TooSlow, Transport, is_plain
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Buffer, Connection, Event
from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    DimseTimedOut,
    Ended,
    Error,
    LimitReached,
    Lost,
)
from dicomwire.protocol.limits import DEFAULT, Limits
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import Abort, AssociateRJ
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


class Port(Protocol):
    """What a driver needs of its association."""

    def timeout(self, timer: Timer) -> float | None:
        """Return the seconds of a time-out, None for no limit."""

    def open_transport(self) -> Transport:
        """Connect to the peer; raises Ended."""

    def call(self, event: str, attributes: dict[str, Any]) -> Any:
        """Call the handler of an intervention event; raises HandlerRaised."""

    def advance(self, event: str, values: Any) -> Any:
        """Return the next value of a handler that yields, END after the last."""

    def close(self, values: Any) -> None:
        """Let a handler that yields clean up."""

    def open_destination(self, host: str, port: int, settings: dict[str, Any]) -> Any:
        """Open an association to a move destination; raises Ended."""

    def send_there(self, destination: Any, want: Store) -> None:
        """Send an instance there; raises Ended."""

    def settle_there(self, destination: Any) -> tuple[Any, int]:
        """Wait for the next response of it, and return the tag and the status; raises Ended."""

    def hang_up(self, destination: Any) -> None:
        """Release that association."""

    def notify(self, event: str, attributes: dict[str, Any]) -> None:
        """Call the handlers of a notification event."""

    def dispatch(self) -> None:
        """Tell what the tap saw."""

    def give_up(self) -> None:
        """End an association on which nothing came for too long."""


# Seconds in which responses of a handler that yields fast are left to the system to send together:
# each of them for itself would wake up a peer that has just gone to sleep, which costs both sides
# more than the response. A handler that is slower than that has each response sent at once.
PUSHED_EVERY = 0.002

STUCK = 1.0  # seconds after which `abort` does not wait any longer for who is sending

# What a conversation may want to know of a destination or of an instance that cannot be.
PASSED_ON = (OSError, TypeError, ValueError, AttributeError, RuntimeError)


def transport_for(sock: socket.socket, limits: Limits = DEFAULT) -> Transport:
    """Return the fastest transport that the socket and the system allow."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keep_alive(sock, limits.keepalive)
    if is_plain(sock):
        return PlainTransport(sock, limits)
    from dicomwire.network.records import StreamTransport  # TLS takes time to load

    return StreamTransport(sock, limits)


def lose(connection: Connection, error: OSError | None) -> None:
    """Tell a connection that the transport is gone, and why."""
    if error is not None and connection.machine.state == "Sta5" and is_tls_error(error):
        from dicomwire.network.handshakes import tls_failure

        # TLS 1.3: the peer refuses our certificate once our half of the handshake is done
        connection.ended = connection.ended or tls_failure(error)
    connection.ended = connection.ended or vanished(error)
    connection.closed(error)


def lose_stuck(connection: Connection, limit: LimitReached | None) -> None:
    """Tell a connection that its peer has taken nothing, or too little, for too long.

    An A-ABORT would stand in the middle of what the peer did not take: the line is cut.
    """
    stuck: Ended = Lost(
        "The peer does not take what we send",
        check="the peer hangs, or something between us holds the line without moving data",
    )
    if limit is not None:
        stuck = Aborted(limit.source, limit.reason, by_peer=False, cause=limit)
    connection.ended = connection.ended or stuck
    connection.closed()


def patience(
    connection: Connection, timer: Timer, seconds: float | None
) -> tuple[float | None, bool]:
    """Return how long the peer's next bytes are waited for.

    Parameters
    ----------
    connection : Connection
        Whose.
    timer : Timer
        What bounds the wait anyway.
    seconds : float or None
        Its time-out.

    Returns
    -------
    seconds : float or None
        Until it is too long.
    is_stall : bool
        Whether `Limits.stall` says so, because the peer is in the middle of something.
    """
    stall = connection.limits.stall
    if stall is None or timer is Timer.ACSE or not connection.reader.in_message:
        return seconds, False
    if seconds is None or stall < seconds or (stall == seconds and timer is Timer.NETWORK):
        return stall, True
    return seconds, False


def stalled(connection: Connection) -> LimitReached:
    """Say that the peer has stopped in the middle of something."""
    where = "PDU" if connection.reader.in_pdu else "message"
    seconds = connection.limits.stall or 0
    return LimitReached(f"Nothing came for {seconds:g} s in the middle of a {where}", "stall")


def not_taking(connection: Connection) -> LimitReached:
    """Say that the peer has stopped to take what is sent."""
    seconds = connection.limits.stall or 0
    return LimitReached(f"It took nothing of what was sent for {seconds:g} s", "stall")


def too_slow(count: int, seconds: float, sending: bool) -> LimitReached:
    """Say that the peer sends, or takes, less than it has to."""
    did = "taken" if sending else "sent"
    return LimitReached(f"Only {count} bytes {did} in {seconds:.0f} s", "rate")


def abort_for(cause: Error | None) -> Abort:
    """Return the A-ABORT for what went wrong: a limit is the provider's business."""
    return Abort(cause.source, cause.reason) if isinstance(cause, LimitReached) else Abort()


def refuse(connection: Connection, limit: LimitReached) -> None:
    """Abort an association whose peer reached a limit, unless it is over."""
    if connection.ended is None and connection.machine.may("Evt15"):
        connection.step(abort_for(limit), limit)


def late_negotiation(connection: Connection, seconds: float | None) -> AssociateTimedOut | None:
    """Return why a negotiation or a release that took too long is aborted.

    None where nothing was asked for yet: then the ARTIM timer closes the connection.
    """
    state = connection.machine.state
    if state == "Sta2":
        return None
    release = state not in ("Sta3", "Sta5")
    return AssociateTimedOut(seconds, *(["Association release"] if release else []))


class Driver:
    """Moves the bytes of one association with blocking calls.

    The thread that runs a conversation holds `lock` while it touches the connection or writes, and
    gives it back while it waits for the peer or runs a handler, so that `abort` gets through from
    any thread. Another thread may send meanwhile, but never read into the memory that the first
    one waits with: when it has to wait until the peer reads, it lets the first one take in what
    the peer sends.

    Parameters
    ----------
    connection : Connection
        Owned by this driver.
    port : Port
        The association.
    """

    def __init__(self, connection: Connection, port: Port) -> None:
        self.connection = connection
        self.port = port
        self.transport: Transport | None = None
        self.lock = threading.Lock()
        self._changed = threading.Condition(self.lock)  # one of the next three
        self._receiving = self._sending = False
        self._speaking: object = None  # the conversation that is in the middle of a message
        self.last_activity = time.monotonic()
        self._deadline: float | None = None
        self._accepted_at: float | None = None
        self._paced_from: float | None = None  # since when the peer's rate is measured
        self._paced = 0  # bytes that came since
        self._has_idled = False  # longer than a peer may within a message
        self._pushed = 0.0
        self.aside = Aside()
        self._perform: dict[type, Callable[[Any], Any]] = {
            Receive: self._receive,
            Flush: self._flush_wanted,
            Call: self._call,
            Notify: self._notify,
            Connect: self._connect,
            Next: self._next,
            Close: self._close,
            Open: lambda want: port.open_destination(want.host, want.port, want.settings),
            Store: lambda want: port.send_there(want.destination, want),
            Settle: lambda want: port.settle_there(want.destination),
            Hang: lambda want: port.hang_up(want.destination),
        }

    def run(self, conversation: Conversation[Result]) -> Result:
        """Run a conversation to its end and return its result."""
        try:
            return self._run(conversation, self._perform)
        finally:
            self._deadline = self._accepted_at = None
            self.port.dispatch()

    def accepted(self) -> None:
        """Learn that a peer has connected just now: its negotiation is timed from here on."""
        self._accepted_at = time.monotonic()

    def _run(
        self, conversation: Conversation[Result], perform: dict[type, Callable[[Any], Any]]
    ) -> Result:
        advance: Callable[[Any], Any] = conversation.send
        answer: Any = None
        connection, lock, send = self.connection, self.lock, conversation.send
        try:
            while True:
                with lock:
                    while self._speaking is not None and self._speaking is not conversation:
                        self._changed.wait()
                    want = advance(answer)
                    if connection.is_sending:
                        self._speaking = conversation
                    elif self._speaking is not None:
                        self._has_spoken()
                advance = send
                try:
                    answer = perform[type(want)](want)
                except (Error, HandlerRaised, *PASSED_ON) as error:
                    advance, answer = conversation.throw, error
        except StopIteration as stop:
            result: Result = stop.value
            return result
        finally:
            if self._speaking is conversation:
                with lock:
                    self._has_spoken()

    def _has_spoken(self) -> None:
        self._speaking = None
        self._changed.notify_all()

    def run_aside(self, conversation: Conversation[Result], command: Command | None) -> Result:
        """Run a conversation in another thread than the one that receives.

        Parameters
        ----------
        conversation : Conversation
            A request and the wait for its response, or a release.
        command : dict, optional
            The request.
        """
        with self.aside.awaiting(command):
            return self._run(conversation, {**self._perform, Receive: self._handed_over})

    def _handed_over(self, want: Receive) -> Message:
        """Wait for what the thread that receives hands over."""
        seconds = self.port.timeout(want.timer)
        try:
            found = self.aside.wait(seconds)
        except TimeoutError:
            late = AssociateTimedOut if want.timer is Timer.ACSE else DimseTimedOut
            self.abort(late(seconds))
            self.wake()
            found = None
        if found is None:
            assert self.connection.ended is not None
            raise self.connection.ended.with_traceback(None)
        return found

    # -- wants -----------------------------------------------------------------------------

    def _receive(self, want: Receive) -> Event:
        connection = self.connection
        timer = want.timer
        self._paced_from, self._has_idled = None, False
        while True:
            while not connection.events:
                if connection.ended is not None:
                    raise connection.ended.with_traceback(None)
                self._read(timer)
            event = connection.events.popleft()
            if self.aside.wanted is None or not self.aside.take(event):
                return event

    def _flush_wanted(self, want: Flush) -> None:
        now = time.monotonic()
        if want.more_follows and now - self._pushed < PUSHED_EVERY:
            self.flush(more_follows=True)
        else:
            self._pushed = now
            self.flush()

    def _call(self, want: Call) -> Any:
        self.port.dispatch()
        return self.port.call(want.event, want.attributes)

    def _next(self, want: Next) -> Any:
        self.port.dispatch()
        return self.port.advance(want.event, want.values)

    def _close(self, want: Close) -> None:
        self.port.close(want.values)

    def _notify(self, want: Notify) -> None:
        self.port.dispatch()
        self.port.notify(want.event, want.attributes)

    def _connect(self, want: Connect) -> None:
        try:
            self.transport = self.port.open_transport()
        except Ended as error:
            with self.lock:
                self.connection.ended = self.connection.ended or error
                self.connection.closed()
            raise
        self.last_activity = time.monotonic()

    # -- bytes -----------------------------------------------------------------------------

    def flush(self, more_follows: bool = False) -> None:
        """Write what is in `Connection.out`; see `wants.Flush`."""
        with self.lock:
            self._write(more_follows)
        self.port.dispatch()

    def _write(self, more_follows: bool = False) -> None:
        """Write, when nobody else does; `lock` is held."""
        while self._sending:
            self._changed.wait()
        connection, transport = self.connection, self.transport
        while connection.out:  # there is more when another thread left it to this one
            out, connection.out = connection.out, []
            if transport is None:
                connection.closed()
                return
            self._sending = True
            try:
                self._send(transport, out, more_follows)
            finally:
                self._sending = False
        self._changed.notify_all()

    def _send(self, transport: Transport, out: list[Buffer], more_follows: bool) -> None:
        connection = self.connection
        timeout, stall = self.port.timeout(Timer.NETWORK), connection.limits.stall
        is_stall = stall is not None and (timeout is None or stall < timeout)
        try:
            transport.send(out, stall if is_stall else timeout, self._make_room, more_follows)
            self.last_activity = time.monotonic()
        except TooSlow as slow:
            lose_stuck(connection, too_slow(slow.count, slow.seconds, sending=True))
        except OSError as error:
            if is_late(error):
                lose_stuck(connection, not_taking(connection) if is_stall else None)
            else:
                self._failed(error)

    def _make_room(self) -> None:
        """See to it that what the peer sends is read: perhaps it does not read before."""
        if self._receiving:
            self._changed.wait()  # gives the lock to the thread that takes it in
        else:
            self._read_waiting()
        if self.connection.ended is not None:
            raise ConnectionAbortedError("the association is over")

    def _failed(self, error: OSError) -> None:
        """Take note that sending failed; what the peer said last is read first: it explains."""
        if self._receiving:  # the thread that does so notices too
            self.connection.out.clear()
            return
        for _ in range(64):
            try:
                if not self._read_waiting():
                    break
            except OSError as failure:
                error = failure if is_tls_error(failure) else error
                break
        self.connection.out.clear()
        lose(self.connection, error)

    def _read_waiting(self) -> bool:
        """Read what is there, without waiting; tell whether there was something."""
        if self.transport is None or self._receiving:
            return False
        count = self.transport.receive_waiting(self.connection.get_buffer())
        if count:
            self.connection.received(count)
        elif count == 0:
            self.connection.closed()
            raise ConnectionResetError("closed by the peer")
        return bool(count)

    def poll(self) -> None:
        """Take in what has arrived, without waiting."""
        with self.lock:
            try:
                while self.connection.machine.state != "Sta1" and self._read_waiting():
                    pass
            except OSError as error:
                lose(self.connection, error)
            self._write()
        self.port.dispatch()

    def _read(self, timer: Timer) -> None:
        connection, transport = self.connection, self.transport
        if transport is None:
            connection.closed()
            return
        seconds = self._seconds(timer)
        is_stall, in_message = False, connection.reader.in_message
        if in_message:
            seconds, is_stall = patience(connection, timer, seconds)
            if self._paced_from is None:
                self._paced_from, self._paced = self.last_activity, 0
        else:
            self._paced_from = None
            if timer is Timer.NETWORK:
                seconds = self._idle_seconds(seconds)
        expecting = in_message or timer is not Timer.NETWORK
        error: OSError | None = None
        with self.lock:
            buffer = connection.get_buffer()
            self._receiving = True
        try:
            count = transport.receive(buffer, seconds, expecting)
        except (OSError, ValueError) as failure:  # ValueError: closed by another thread
            if is_late(failure):
                self._stop_receiving()
                if is_stall:
                    self.abort(stalled(connection))
                elif in_message or not self._may_idle_on(timer):
                    self._timed_out(timer)
                return
            count, error = 0, failure if isinstance(failure, OSError) else None
        except BaseException:  # interrupted
            self._stop_receiving()
            raise
        self.last_activity = now = time.monotonic()
        with self.lock:
            self._receiving = False
            if count:
                connection.received(count)
                if self._paced_from is not None:
                    self._paced += count
                    if now - self._paced_from > connection.limits.grace:
                        self._check_rate(now - self._paced_from)
            else:
                lose(connection, error)
            if self._sending:
                self._changed.notify_all()  # it writes what is to be written now, too
            elif connection.out:
                self._write()

    def _idle_seconds(self, seconds: float | None) -> float | None:
        """Return how long the next message is waited for at once.

        At first as long as within one: to change the time-out of a socket is a system call.
        """
        stall = self.connection.limits.stall
        if stall is None or (seconds is not None and seconds <= stall):
            return seconds
        if seconds is None or not self._has_idled:
            return stall
        return max(min(stall, self.last_activity + seconds - time.monotonic()), 1e-3)

    def _may_idle_on(self, timer: Timer) -> bool:
        """Whether only a part of the network time-out has passed."""
        seconds, stall = self.port.timeout(timer), self.connection.limits.stall
        if timer is not Timer.NETWORK or stall is None:
            return False
        self._has_idled = True
        return seconds is None or (
            stall < seconds and time.monotonic() < self.last_activity + seconds
        )

    def _check_rate(self, seconds: float) -> None:
        """Refuse a peer that was too slow in the middle of a message; `lock` is held."""
        connection = self.connection
        if self._paced < connection.limits.rate * seconds and not connection.events:
            refuse(connection, too_slow(self._paced, seconds, sending=False))
        self._paced_from = None  # measure anew

    def _stop_receiving(self) -> None:
        with self.lock:
            self._receiving = False
            self._changed.notify_all()

    def _seconds(self, timer: Timer) -> float | None:
        """Return how long to wait: ACSE bounds a whole negotiation, the others each silence."""
        seconds = self.port.timeout(timer)
        if timer is not Timer.ACSE or seconds is None:
            return seconds
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = (self._accepted_at or now) + seconds
        return max(self._deadline - now, 1e-3)

    def _timed_out(self, timer: Timer) -> None:
        connection, seconds = self.connection, self.port.timeout(timer)
        if timer is Timer.ACSE:
            self._acse_timed_out(seconds)
        elif timer is Timer.DIMSE:
            self.abort(DimseTimedOut(seconds))
        else:
            self.port.give_up()
        if connection.out:
            self.flush()

    def _acse_timed_out(self, seconds: float | None) -> None:
        late = late_negotiation(self.connection, seconds)
        if late is None:  # PS3.8 9.1.5: the ARTIM timer, AA-2
            with self.lock:
                self.connection.timer_expired(AssociateTimedOut(seconds))
        else:
            self.abort(late)

    # -- the end ---------------------------------------------------------------------------

    def abort(self, cause: Error | None = None) -> None:
        """Send an A-ABORT, from whichever thread; the one that waits for the peer wakes up.

        Parameters
        ----------
        cause : Error, optional
            Why.
        """
        if not self.lock.acquire(timeout=STUCK):
            self._cut(cause)
            return
        try:
            if self._sending and not self._changed.wait_for(lambda: not self._sending, STUCK):
                self._cut(cause)
                return
            if self.connection.ended is None and self.connection.machine.may("Evt15"):
                self.connection.step(abort_for(cause), cause)
                self._write()
        finally:
            self.lock.release()
        self.port.dispatch()

    def _cut(self, cause: Error | None) -> None:
        """End the line: somebody is stuck in sending, and nothing else helps."""
        self.connection.ended = self.connection.ended or Aborted(0, 0, False, cause)
        if self.transport is not None:
            self.transport.cut()

    def send(self, context_id: int, command: Command) -> None:
        """Send a message without a data set besides the conversation under way.

        Raises
        ------
        LocalError
            When the association is over, or a data set is just being sent.
        """
        with self.lock:
            self.connection.send_message(context_id, command)
            self._write()
        self.port.dispatch()

    def step(self, pdu: AssociateRJ | Abort) -> None:
        """Send a PDU besides the conversation under way, as a handler may want.

        Raises
        ------
        LocalError
            When PS3.8 Table 9-10 has no cell for that in the present state.
        """
        with self.lock:
            self.connection.step(pdu)
            self._write()
        self.port.dispatch()

    def wake(self) -> None:
        """Make the thread that waits for the peer look at the connection again."""
        if self.transport is not None:
            self.transport.wake()

    def close(self, linger: float) -> None:
        """Give the peer time to close the connection, then close it (PS3.8 9.1.5).

        Parameters
        ----------
        linger : float
            Seconds that the peer has.
        """
        connection, transport = self.connection, self.transport
        if transport is None:
            return
        end = time.monotonic() + linger
        while connection.machine.state == "Sta13" and not connection.wants_close:
            left = end - time.monotonic()
            try:
                count = transport.receive(connection.get_buffer(), max(left, 1e-3), False)
            except TimeoutError:
                connection.timer_expired()
                break
            except (OSError, ValueError):
                count = 0
            if count and left > 0:
                connection.received(count)
            else:
                connection.closed()
        self.transport = None
        transport.close()
        connection.closed()
        self.port.dispatch()
