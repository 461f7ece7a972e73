"""An association as tasks hold it: coroutine methods over conversations and the asyncio driver."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from dicomwire.network.acse import Acse
from dicomwire.network.addresses import Address, TLSArguments
from dicomwire.network.aio.composite import CompositeOperations
from dicomwire.network.aio.driver import Driver
from dicomwire.network.aio.handlers import Handlers
from dicomwire.network.aio.hooks import Hooks
from dicomwire.network.aio.normalized import NormalizedOperations
from dicomwire.network.aio.sockets import accept_tls, open_socket
from dicomwire.network.aio.transport import Transport, transport_for
from dicomwire.network.aio.turn import Turn
from dicomwire.network.driver import patience, stalled
from dicomwire.network.events import (
    EVT_ACCEPTED,
    EVT_CONN_CLOSE,
    EVT_CONN_OPEN,
    EVT_ESTABLISHED,
)
from dicomwire.network.options import Options
from dicomwire.network.standing import Standing
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import Ended, Error, IdleTimedOut
from dicomwire.protocol.pdus import AssociateRQ
from dicomwire.services import association as conversations
from dicomwire.services import scp
from dicomwire.services.association import Identity, Policy
from dicomwire.services.wants import Conversation, Timer

logger = logging.getLogger("dicomwire.association")


class Association(Standing, CompositeOperations, NormalizedOperations):
    """An association between this AE and a peer, for one event loop and its tasks.

    Users get one from `connect`, or as `event.assoc`. As a context manager it is released on
    leaving, and aborted when an exception leaves with it. One operation at a time is under way;
    other tasks wait, the same task nesting one inside another gets a RuntimeError.

    A task that is cancelled in the middle of an operation aborts the association: the peer cannot
    know what it was to expect. Only who waits for one of many responses (`c_find`, `c_get`,
    `c_move`) may be cancelled and go on later.

    Parameters
    ----------
    ae, mode, identity, handlers, options
        See `Standing`.

    Attributes
    ----------
    requestor, acceptor, acse and those of flags and time-outs
        As of the blocking `Association`.
    """

    handlers: Handlers
    open_destination: Callable[..., Awaitable[Association]]
    """How an association with the destination of a C-MOVE is asked for, see `associate`."""

    def __init__(
        self,
        ae: Any,
        mode: str,
        identity: Identity | None = None,
        handlers: Handlers | None = None,
        options: Options | None = None,
    ) -> None:
        super().__init__(ae, mode, identity, handlers or Handlers(), options)
        self.driver = Driver(self.connection, Hooks(self))
        self.acse = Acse(self.driver)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._turn = Turn()
        self._turn_aside = Turn()
        self._over = asyncio.Event()
        self._is_ending = False
        self._is_served = False
        self._was_opened = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._peer: Address | None = None
        self._tls: TLSArguments | None = None
        self._bind: tuple[Any, ...] | None = None
        self._slot: Callable[[], None] | None = None

    @property
    def _under_way(self) -> str:
        return self._turn.operation

    @property
    def raw_socket(self) -> socket.socket | None:
        """The socket, for a look at the connection (TLS, keep-alive); None when there is none."""
        transport = self.driver.transport
        return None if transport is None else transport.sock

    def _look_again(self) -> None:
        self.driver.look_again()

    def _free_slot(self) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            slot()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.release()
        else:
            await self.abort()
        await self.join()

    async def join(self) -> None:
        """Wait until the association is over."""
        await self._over.wait()
        others = self._tasks - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do something in a task of its own, which `join` waits for."""
        task = self._loop.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the requestor's beginning -----------------------------------------------------------

    async def negotiate(
        self,
        peer: Address,
        proposal: AssociateRQ,
        tls: TLSArguments | None = None,
        bind_address: tuple[Any, ...] | None = None,
    ) -> None:
        """Connect and ask for the association.

        Parameters
        ----------
        peer, proposal, tls, bind_address
            See the blocking `Association.negotiate`.

        Raises
        ------
        Ended
            Why there is none.
        """
        self._peer, self._tls, self._bind = peer, tls, bind_address
        self.acceptor.address_info = peer
        logger.info("Requesting Association")
        await self._turn.take("A-ASSOCIATE")
        try:
            await self.driver.run(conversations.request(self.connection, proposal))
            await self._establish()
        except Ended:
            await self._finish()
            raise
        except asyncio.CancelledError:
            self.driver.abort()
            await self._finish()
            raise
        except BaseException:  # a proposal that cannot be encoded, a local end that is taken
            self._over.set()
            await self.driver.close(linger=0.0)
            raise
        finally:
            self._turn.give()

    async def open_transport(self) -> Transport:
        """Connect to the peer.

        Raises
        ------
        Ended
            Why there is no connection.
        """
        assert self._peer is not None
        sock = await open_socket(
            self._peer, self.connection_timeout, self._bind, self._tls, self.acse_timeout
        )
        self.requestor.address_info = Address(*sock.getsockname())
        return self._opened(sock, self._peer)

    def _opened(self, sock: socket.socket, peer: Address) -> Transport:
        self._was_opened = True
        self.handlers.notify(self, EVT_CONN_OPEN, address=peer.as_tuple)
        return transport_for(sock, self._loop, self.options.limits)

    async def _establish(self) -> None:
        self.is_established = True
        logger.info("Association Accepted" if self.is_requestor else "Accepting Association")
        self.handlers.notify(self, EVT_ACCEPTED)
        self.handlers.notify(self, EVT_ESTABLISHED)
        await self.handlers.tell()
        if self.is_requestor:
            await self._settle()

    # -- the acceptor ------------------------------------------------------------------------

    async def serve(
        self,
        sock: socket.socket,
        peer: Address,
        policy: Policy,
        tls: ssl.SSLContext | None,
        free_slot: Callable[[], None],
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
        free_slot : callable
            Gives back what `Policy.claim_slot` took.
        """
        self.driver.accepted()
        self.requestor.address_info = peer
        self._slot, self._is_served = free_slot, True
        await self._turn.take("service")
        try:
            if tls is not None:
                sock = await accept_tls(sock, tls, self.acse_timeout)
            policy = self._of_peer(policy, sock)
            self.acceptor.address_info = Address(*sock.getsockname())
            self.driver.transport = self._opened(sock, peer)
            if await self.driver.run(conversations.accept(self.connection, policy)):
                await self._establish()
                await self.driver.run(scp.serve(self.connection))
        except Ended as error:
            self.connection.ended = self.connection.ended or error
        except Error as error:  # what we wanted to say cannot be said
            self.driver.abort(error)
        except OSError as error:  # the peer is gone already
            self.connection.closed(error)
        except asyncio.CancelledError:
            self.driver.abort()
            raise
        finally:
            await self._finish()
            self._turn.give()

    # -- operations --------------------------------------------------------------------------

    async def _operate(
        self, operation: str, conversation: Conversation[Any], command: Command | None = None
    ) -> Any:
        """Run a conversation when it is this task's turn, and look after what follows."""
        if self.is_acceptor:
            return await self._operate_within(operation, conversation, command)
        await self._turn.take(operation)
        self.driver.unpark()
        try:
            return await self.go_on(conversation)
        finally:
            await self.done_asking()

    async def _operate_within(
        self, operation: str, conversation: Conversation[Any], command: Command | None
    ) -> Any:
        """Run a conversation while the acceptor's own task serves, or inside its handlers."""
        if self._turn.is_mine:
            return await self.go_on(conversation)
        await self._turn_aside.take(operation)
        try:
            return await self.driver.run_aside(conversation, command)
        finally:
            self._turn_aside.give()

    async def _settle(self) -> None:
        """Attend to what came in besides the answer, then watch the idle connection again."""
        connection = self.connection
        try:
            if connection.events and connection.ended is None:
                await self.driver.run(scp.attend(connection))
        except Ended:
            pass  # _finish says so
        if connection.ended is not None or not connection.established:
            await self._finish()
        else:
            self.driver.park(self._on_idle)

    async def begin(self, operation: str, conversation: Conversation[Any]) -> None:
        """Run the first part of an operation, and keep the turn until `done_asking`."""
        if self.is_acceptor:
            raise RuntimeError(
                f"{operation} with its many responses cannot be asked for by the acceptor of an "
                "association: ask for it over an association of your own"
            )
        await self._turn.take(operation)
        self.driver.unpark()
        try:
            await self.go_on(conversation)
        except BaseException:
            await self.done_asking()
            raise

    async def go_on(self, conversation: Conversation[Any], resumable: bool = False) -> Any:
        """Run a further part of the operation that `begin` began."""
        try:
            return await self.driver.run(conversation)
        except Error:
            raise
        except BaseException:  # cancelled: perhaps in the middle of a message
            if not (resumable and self.driver.is_resumable):
                self.driver.abort()
            raise

    async def done_asking(self) -> None:
        """Let the next operation begin."""
        task = asyncio.current_task()
        if self.connection.ended is not None and task is not None and task.cancelling():
            self._spawn(self._end())  # whoever is cancelled need not wait until the peer closes
            self._flag()
            self._turn.give()
            return
        try:
            await self._settle()
        finally:
            self._turn.give()

    def leave(self, close: Callable[[], Awaitable[None]]) -> None:
        """Let another task see to the end of responses that nobody waits for."""
        if not self._loop.is_closed():
            self._turn.disown()
            self._loop.call_soon_threadsafe(lambda: self._spawn(_awaited(close)))

    async def _send_aside(self, context_id: int, command: Command) -> None:
        """Send a message besides the operation under way."""
        await self.driver.send(context_id, command)

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the peer has sent a C-CANCEL for a request that is being answered."""
        if threading.get_ident() == self._thread:
            self.driver.poll()
        else:
            asyncio.run_coroutine_threadsafe(self._poll(), self._loop).result()
        return message_id in self.connection.cancelled

    async def _poll(self) -> None:
        self.driver.poll()

    # -- the end -------------------------------------------------------------------------------

    async def release(self) -> None:
        """Release the association (A-RELEASE); nothing happens when it is not established."""
        if not self.is_established:
            return
        await self._close_responses()
        logger.info("Releasing Association")
        conversation = conversations.release(self.connection)
        try:
            if self._turn.is_mine:  # within a handler: the conversation under way ends with it
                await self.driver.run(conversation)
                self._flag()
            else:
                await self._operate("A-RELEASE", conversation)
        except Ended:
            if not self._turn.is_mine:
                await self._end()

    async def abort(self, block: bool = True) -> None:
        """Abort the association (A-ABORT), from any task and inside any handler.

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
            await self._close_responses()
        if self._turn.is_mine:
            self._flag()
            return
        self.driver.wake()
        if not block:
            self._spawn(self._end())
        else:
            await self._end()

    async def _end(self) -> None:
        """Have the connection closed once nobody uses it any more."""
        if self._is_served:
            await self._over.wait()
            return
        await self._turn.take("A-ABORT")
        try:
            await self._finish()
        finally:
            self._turn.give()

    def _on_idle(self) -> None:
        """Look what the peer of an idle association wants; the loop calls this."""
        self.driver.unpark()
        self._spawn(self._attend())

    async def _attend(self) -> None:
        if self._turn.is_taken:
            return  # whoever has it looks too
        await self._turn.take("idle association")
        try:
            if self._over.is_set():
                return
            self.driver.unpark()
            self.driver.poll()
            if self.connection.ended is None and self._is_idle_too_long():
                await self.give_up()
        finally:
            await self.done_asking()

    def _is_idle_too_long(self) -> bool:
        seconds, _ = patience(self.connection, Timer.NETWORK, self.network_timeout)
        return seconds is not None and time.monotonic() >= self.driver.last_activity + seconds

    async def give_up(self) -> None:
        """End the association because nothing came for too long."""
        if patience(self.connection, Timer.NETWORK, self.network_timeout)[1]:
            self.driver.abort(stalled(self.connection))
            return
        logger.error("Network timeout reached")
        if self.network_timeout_response == "A-RELEASE":
            try:
                await self.driver.run(conversations.release(self.connection))
            except Ended:
                return
        else:
            logger.info("Aborting Association")
            self.driver.abort(IdleTimedOut(self.network_timeout))

    async def _finish(self) -> None:
        """Close the connection, once, and say in the flags how it ended."""
        if self._is_ending:
            return
        self._is_ending = True
        try:
            self._flag()
            await self.handlers.tell()
            await self.driver.close(self._linger)
        finally:  # also when there was no time for that
            self._drop_messages()
            if self._was_opened and self._peer_address is not None:
                self.handlers.notify(self, EVT_CONN_CLOSE, address=self._peer_address.as_tuple)
                await self.handlers.tell()
            self._over.set()
            self.driver.aside.end()


async def _awaited(close: Callable[[], Awaitable[None]]) -> None:
    await close()
