"""An association as users hold it: pynetdicom's names over conversations and a driver."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dicomwire.network.acse import Acse
from dicomwire.network.addresses import Address, TLSArguments, open_socket
from dicomwire.network.composite import CompositeOperations
from dicomwire.network.driver import Driver, patience, stalled, transport_for
from dicomwire.network.events import (
    EVT_ACCEPTED,
    EVT_CONN_CLOSE,
    EVT_CONN_OPEN,
    EVT_ESTABLISHED,
    Handlers,
)
from dicomwire.network.hooks import Hooks
from dicomwire.network.normalized import NormalizedOperations
from dicomwire.network.options import Options
from dicomwire.network.presentation import supported
from dicomwire.network.standing import Standing
from dicomwire.network.transport import Transport
from dicomwire.network.turn import Turn
from dicomwire.network.upper_layer import Messages, UpperLayer
from dicomwire.network.views import views
from dicomwire.network.watcher import the_watcher
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import (
    Ended,
    Error,
    IdleTimedOut,
    Lost,
)
from dicomwire.protocol.pdus import AssociateRQ
from dicomwire.services import association as conversations
from dicomwire.services import scp
from dicomwire.services.association import Identity, Policy
from dicomwire.services.wants import Conversation, Timer

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger("dicomwire.association")

VERIFICATION = "1.2.840.10008.1.1"


class Association(Standing, CompositeOperations, NormalizedOperations, threading.Thread):
    """An association between this AE and a peer.

    Users get one from `AE.associate`, or as `event.assoc`. As a context manager it is released on
    leaving, and aborted when an exception leaves with it. It is a thread as far as one can wait for
    it: an acceptor's work is done by a thread that may have served others before, a requestor's by
    the caller's threads.

    Parameters
    ----------
    ae : AE
        Whose association it is.
    mode : str
        "requestor" or "acceptor".
    identity : Identity, optional
        How this side presents itself; as the AE does unless told otherwise.
    handlers : Handlers, optional
        What is bound; changed by `bind` and `unbind`.
    options : Options, optional
        Settings; those of the AE unless told otherwise.

    Attributes
    ----------
    is_established, is_rejected, is_aborted, is_released : bool
        Where the association stands.
    acse_timeout, dimse_timeout, network_timeout, connection_timeout : float or None
        Seconds; None waits for ever. May be set at any time.
    network_timeout_response : str
        "A-ABORT" or "A-RELEASE": what happens after `network_timeout` seconds of silence.
    requestor, acceptor : ServiceUser
        What each side said.
    acse : Acse
        Rejects or aborts, for a handler of EVT_REQUESTED.
    dul, dimse
        What programs written for pynetdicom reach for below an association.

    Raises
    ------
    TypeError, ValueError
        When the mode is none.
    """

    def __init__(
        self,
        ae: Any,
        mode: str,
        identity: Identity | None = None,
        handlers: Handlers | None = None,
        options: Options | None = None,
    ) -> None:
        name = f"{str(mode).capitalize()}Thread@{stamp()}"
        threading.Thread.__init__(self, name=name, daemon=True)
        Standing.__init__(self, ae, mode, identity, handlers or Handlers(), options)
        self.driver = Driver(self.connection, Hooks(self))
        self.acse = Acse(self.driver)
        self._turn = Turn()
        self._turn_aside = Turn()
        self._has_thread = False
        self._served = threading.Event()
        self._over = threading.Event()
        self._ending = threading.Lock()
        self._descriptor = -1
        self._peer: Address | None = None
        self._tls: TLSArguments | None = None
        self._bind: tuple[Any, ...] | None = None
        self._given: socket.socket | None = None
        self._dul: UpperLayer | None = None
        self._dimse: Messages | None = None
        self._to_serve: tuple[Any, ...] = ()
        self._inherited: Context | None = None
        self.forget: Callable[[Association], object] | None = None  # of whoever accepted it

    # -- what it is ------------------------------------------------------------------------

    @property
    def lock(self) -> threading.Lock:
        """A lock that all associations of the AE have in common; the library never takes it."""
        lock: threading.Lock = self._ae.lock
        return lock

    @property
    def raw_socket(self) -> socket.socket | None:
        """The socket, for a look at the connection (TLS, keep-alive); None when there is none."""
        transport = self.driver.transport
        return self._given if transport is None else transport.sock

    @property
    def dul(self) -> UpperLayer:
        """The upper layer, under pynetdicom's names."""
        if self._dul is None:
            self._dul = views().dul_of(self)
        return self._dul

    @property
    def dimse(self) -> Messages:
        """The DIMSE messages, under pynetdicom's names."""
        if self._dimse is None:
            self._dimse = views().dimse_of(self)
        return self._dimse

    def _look_again(self) -> None:
        the_watcher().look_again()

    def _free_slot(self) -> None:
        self._ae.free_slot(self)

    @property
    def _under_way(self) -> str:
        return self._turn.operation

    def is_alive(self) -> bool:
        """Whether the association, or its thread, still runs."""
        return self.is_established or (self._has_thread and not self._served.is_set())

    def join(self, timeout: float | None = None) -> None:
        """Wait until the association is over.

        Parameters
        ----------
        timeout : float, optional
            Seconds.
        """
        if self._turn.is_mine:
            return
        if self._has_thread:
            self._served.wait(timeout)
        elif self._peer is not None:
            self._over.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.release()
        else:
            self.abort()

    # -- the requestor's beginning -----------------------------------------------------------

    def set_socket(self, sock: Any) -> None:
        """Say which socket is used: a requestor's that is not connected yet, an acceptor's as
        accepted.

        Parameters
        ----------
        sock : socket or AssociationSocket
            The socket.

        Raises
        ------
        RuntimeError
            When there is one already.
        """
        if self._given is not None or self.driver.transport is not None:
            raise RuntimeError("The association has a socket already")
        found = sock if isinstance(sock, socket.socket) else sock.socket
        self._given = found
        self._tls = getattr(sock, "tls_args", None) or self._tls

    def request(self) -> None:
        """Connect to the acceptor's address and ask for the association; see `AE.associate`.

        Raises
        ------
        RuntimeError
            When the acceptor's address, or what is to be proposed, is not known.
        """
        where = self.acceptor.address_info
        if where is None or not self.requestor.requested_contexts:
            raise RuntimeError("The address of the acceptor and a context to propose are required")
        self._ae.remember(self)
        try:
            self.negotiate(Address(*where.as_tuple), self.proposal, self._tls)
        except BaseException:
            self._ae.forget(self)
            raise

    def negotiate(
        self,
        peer: Address,
        proposal: AssociateRQ,
        tls: TLSArguments | None = None,
        bind_address: tuple[Any, ...] | None = None,
    ) -> None:
        """Connect and ask for the association; how it went is in the flags and in `ended`.

        Parameters
        ----------
        peer : Address
            Where the peer listens.
        proposal : AssociateRQ
            What to ask for.
        tls : (SSLContext, str or None), optional
            For a TLS connection.
        bind_address : tuple, optional
            The local end.
        """
        self._peer, self._tls, self._bind = peer, tls, bind_address
        self.acceptor.address_info = peer
        logger.info("Requesting Association")
        self._turn.take("A-ASSOCIATE")
        try:
            self.driver.run(conversations.request(self.connection, proposal))
            self._establish()
        except Ended:
            self._finish()
        except BaseException:  # a proposal that cannot be encoded, a local end that is taken
            self._over.set()
            self.driver.close(linger=0.0)
            raise
        finally:
            self._turn.give()

    def open_transport(self) -> Transport:
        """Connect to the peer.

        Raises
        ------
        Ended
            Why there is no connection.
        """
        assert self._peer is not None
        sock = open_socket(
            self._peer,
            self.connection_timeout,
            self._bind,
            self._tls,
            self.acse_timeout,
            self._given,
        )
        self.requestor.address_info = Address(*sock.getsockname())
        self._opened(sock, self._peer)
        return transport_for(sock, self.options.limits)

    def _opened(self, sock: socket.socket, peer: Address) -> None:
        self._descriptor = sock.fileno()
        self.handlers.notify(self, EVT_CONN_OPEN, address=peer.as_tuple)

    def _establish(self) -> None:
        self.is_established = True
        logger.info("Association Accepted" if self.is_requestor else "Accepting Association")
        self.handlers.notify(self, EVT_ACCEPTED)
        self.handlers.notify(self, EVT_ESTABLISHED)
        if self.is_requestor and self._descriptor >= 0:
            the_watcher().add(self._descriptor, self)
            self._settle()

    # -- the acceptor ------------------------------------------------------------------------

    def serve(
        self, sock: socket.socket, peer: Address, policy: Policy, tls: ssl.SSLContext | None
    ) -> None:
        """Answer a peer that has connected, until the association is over.

        Parameters
        ----------
        sock : socket
            As accepted.
        peer : Address
            Its other end.
        policy : Policy
            What is accepted.
        tls : SSLContext, optional
            For a TLS connection: the handshake happens here. It and the negotiation take
            `acse_timeout` together, from now on.
        """
        self.driver.accepted()
        self.requestor.address_info = peer
        self._turn.take("service")
        self._given = sock
        try:
            if tls is not None:
                from dicomwire.network.handshakes import shake_hands, wrap_tls

                self._given = sock = wrap_tls(sock, tls)
                shake_hands(sock, self.acse_timeout)
            policy = self._of_peer(policy, sock)
            self.acceptor.address_info = Address(*sock.getsockname())
            self._opened(sock, peer)
            self.driver.transport = transport_for(sock, self.options.limits)
            if self.driver.run(conversations.accept(self.connection, policy)):
                self._establish()
                self.driver.run(scp.serve(self.connection))
        except Ended as error:
            self.connection.ended = self.connection.ended or error
        except Error as error:  # what we wanted to say cannot be said
            self.driver.abort(error)
        except OSError as error:  # the peer is gone already
            self.connection.closed(error)
        finally:
            self._finish()
            self._turn.give()

    def drop(self, setting: str) -> None:
        """Give up a connection on which no association stands, from any thread; see `give_way`."""
        self.give_way(setting)
        sock = self.raw_socket
        if sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below the TLS layer

    def start(self, *arguments: Any) -> None:
        """Run `serve` in another thread.

        Parameters
        ----------
        *arguments
            Of `serve`; without any it serves the socket of `set_socket` as `acceptor` says.

        Raises
        ------
        RuntimeError
            When it was started before, or no further thread can be had.
        """
        if self.is_requestor:
            return  # the caller's threads do its work
        if self._has_thread:
            raise RuntimeError("An association can be started only once")
        self._to_serve = arguments or self._own_terms()
        if self.options.pass_context:
            self._inherited = copy_context()
        from dicomwire.network.threads import the_threads

        self._has_thread = True
        try:
            the_threads().begin(self._work, self.name)
        except RuntimeError:
            self._has_thread = False
            raise

    def _work(self) -> None:
        try:
            self.run()
        finally:
            self._served.set()

    def _own_terms(self) -> tuple[Any, ...]:
        if self._given is None:
            raise RuntimeError("The association has no socket to serve: see set_socket")
        policy = self._ae.policy(
            self.acceptor.ae_title,
            supported(self.acceptor.supported_contexts),
            **self.judges,
        )
        return self._given, Address(*self._given.getpeername()), policy, None

    def run(self) -> None:
        """Serve, in the present thread."""
        if self._inherited is not None:
            self._inherited.run(self.serve, *self._to_serve)
        else:
            self.serve(*self._to_serve)

    def run_reactor(self) -> None:
        """Do what the association's thread does; a requestor waits for the end, as `join` does."""
        if self.is_requestor:
            self.join()
        else:
            self._to_serve = self._to_serve or self._own_terms()
            self.run()

    # -- operations --------------------------------------------------------------------------

    def _operate(
        self, operation: str, conversation: Conversation[Any], command: Command | None = None
    ) -> Any:
        """Run a conversation when it is this thread's turn, and look after what follows."""
        if self.is_acceptor:
            return self._operate_within(operation, conversation, command)
        self._turn.take(operation)
        the_watcher().take(self._descriptor)
        try:
            return self.driver.run(conversation)
        except Error:
            raise
        except BaseException:  # interrupted: perhaps in the middle of a message
            self.driver.abort()
            raise
        finally:
            self._settle()
            self._turn.give()

    def _operate_within(
        self, operation: str, conversation: Conversation[Any], command: Command | None
    ) -> Any:
        """Run a conversation while the acceptor's own thread serves, or inside its handlers."""
        if self._turn.is_mine:
            return self.go_on(conversation)
        self._turn_aside.take(operation)
        try:
            return self.driver.run_aside(conversation, command)
        finally:
            self._turn_aside.give()

    def _settle(self) -> None:
        """Attend to what came in besides the answer, then watch the idle connection again."""
        connection = self.connection
        try:
            if connection.events and connection.ended is None:
                self.driver.run(scp.attend(connection))
        except Ended:
            pass  # _finish says so
        if connection.ended is not None or not connection.established:
            self._finish()
        else:
            the_watcher().park(self._descriptor)

    def begin(self, operation: str, conversation: Conversation[Any]) -> None:
        """Run the first part of an operation, and keep the turn until `done_asking`."""
        if self.is_acceptor:
            raise RuntimeError(
                f"{operation} with its many responses cannot be asked for by the acceptor of an "
                "association: ask for it over an association of your own"
            )
        self._turn.take(operation)
        the_watcher().take(self._descriptor)
        try:
            self.go_on(conversation)
        except BaseException:
            self.done_asking()
            raise

    def go_on(self, conversation: Conversation[Any]) -> Any:
        """Run a further part of the operation that `begin` began."""
        try:
            return self.driver.run(conversation)
        except Error:
            raise
        except BaseException:  # interrupted
            self.driver.abort()
            raise

    def done_asking(self) -> None:
        """Let the next operation begin."""
        self._settle()
        self._turn.give()

    def leave(self, close: Callable[[], None]) -> None:
        """Let another thread see to the end of responses that nobody waits for."""
        self._turn.disown()
        threading.Thread(target=close, name="dicomwire abandoned responses", daemon=True).start()

    def _send_aside(self, context_id: int, command: Command) -> None:
        """Send a message besides the operation under way."""
        self.driver.send(context_id, command)

    def poll(self) -> None:
        """Take in what has arrived, without waiting."""
        self.driver.poll()

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the peer has sent a C-CANCEL for a request that is being answered."""
        self.poll()
        return message_id in self.connection.cancelled

    # -- the end -------------------------------------------------------------------------------

    def release(self) -> None:
        """Release the association (A-RELEASE); nothing happens when it is not established."""
        if not self.is_established:
            return
        self._close_responses()
        logger.info("Releasing Association")
        conversation = conversations.release(self.connection)
        try:
            if self._turn.is_mine:  # within a handler: the conversation under way ends with it
                self.driver.run(conversation)
                self._finish()
            else:
                self._operate("A-RELEASE", conversation)
        except Ended:
            self._finish()

    def abort(self, block: bool = True) -> None:
        """Abort the association (A-ABORT), from any thread and inside any handler.

        Parameters
        ----------
        block : bool
            Whether to wait until the connection is closed; never inside a handler.
        """
        if self._over.is_set() or self.connection.machine.state == "Sta1":
            return
        if self.connection.ended is None:
            logger.info("Aborting Association")
            self.driver.abort()
        if self.is_requestor:
            self._close_responses()
        if self._turn.is_mine:
            self._flag()
            return
        self.driver.wake()
        if not self._has_thread:
            self._operate_end()
        elif block:
            self._over.wait(self.options.linger + 1)

    def _operate_end(self) -> None:
        self._turn.take("A-ABORT")
        try:
            self._finish()
        finally:
            self._turn.give()

    def kill(self) -> None:
        """Close the connection without a word."""
        if self.driver.transport is not None:
            self.connection.ended = self.connection.ended or Lost("Killed by this side")
            self.driver.wake()
            self._close_responses()
            if not self._has_thread:
                self._operate_end()

    def idle_until(self) -> float:
        """See `watcher.Idle`."""
        # another thread may set it
        seconds, _ = patience(self.connection, Timer.NETWORK, self.network_timeout)
        return float("inf") if seconds is None else self.driver.last_activity + seconds

    def attend(self) -> None:
        """See `watcher.Idle`."""
        self._turn.take("idle association")
        try:
            if self._over.is_set():
                return
            self.driver.poll()
            if self.connection.ended is None and self.is_idle_too_long():
                self.give_up()
            self._settle()
        finally:
            self._turn.give()

    def is_idle_too_long(self) -> bool:
        """Whether the network time-out has passed."""
        return time.monotonic() >= self.idle_until()

    def give_up(self) -> None:
        """End the association because nothing came for too long."""
        if patience(self.connection, Timer.NETWORK, self.network_timeout)[1]:
            self.driver.abort(stalled(self.connection))
            return
        logger.error("Network timeout reached")
        if self.network_timeout_response == "A-RELEASE":
            try:
                self.driver.run(conversations.release(self.connection))
            except Ended:
                return
        else:
            logger.info("Aborting Association")
            self.driver.abort(IdleTimedOut(self.network_timeout))

    def _finish(self) -> None:
        """Close the connection, once, and say in the flags how it ended."""
        with self._ending:
            if self._over.is_set():
                return
            self._flag()
            if self._descriptor >= 0 and self.is_requestor:
                the_watcher().remove(self._descriptor)
            opened, self._descriptor = self._descriptor >= 0, -1
            self.driver.close(self._linger)
            self._drop_messages()
            if opened and self._peer_address is not None:
                self.handlers.notify(self, EVT_CONN_CLOSE, address=self._peer_address.as_tuple)
            self._over.set()
        self.driver.aside.end()
        self._ae.forget(self)
        if self.forget is not None:
            self.forget(self)


def stamp() -> str:
    """Return the local time, in whole seconds, as thread names have it."""
    return _stamp(int(time.time()))


@lru_cache(1)
def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y%m%d%H%M%S")
