"""A listening socket into associations, each served by a thread of its own."""

from __future__ import annotations

import contextlib
import errno
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from socketserver import BaseRequestHandler, TCPServer
from typing import TYPE_CHECKING, Any

from dicomwire.network.access import address_text, may_connect, warn_if_open
from dicomwire.network.addresses import Address
from dicomwire.network.association import Association
from dicomwire.network.events import EventType, Handler, HandlerArgType, Handlers
from dicomwire.network.presentation import PresentationContext, supported
from dicomwire.network.refusals import Refusals, tell_refused
from dicomwire.network.watcher import the_watcher

if TYPE_CHECKING:
    import ssl

logger = logging.getLogger("dicomwire.server")

BACKLOG = 1024  # connections that may wait to be accepted; Linux takes at most net.core.somaxconn
PAUSE = 0.05  # seconds without accepting, when the process has no descriptor left

EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def tell_stranger(refusals: Refusals, address: Sequence[Any]) -> None:
    """Say that who comes from an address is in none of `Options.networks`."""
    what, setting = "it is in no network of the list", "Options.networks"
    if refusals.is_told(address_text(address[0]), f"{what}. Setting: {setting}"):
        tell_refused({"address": address[0], "port": address[1], "ae_title": ""}, what, setting)


class RequestHandler(BaseRequestHandler):
    """Makes an association of a connection. A subclass may change it before it begins.

    `make_server(..., request_handler=...)` takes a subclass.
    """

    request: socket.socket
    server: AssociationServer

    @property
    def ae(self) -> Any:
        """The AE of the server."""
        return self.server.ae

    @property
    def local(self) -> Address:
        """This end of the connection."""
        return Address(*self.server.server_address)

    @property
    def remote(self) -> Address:
        """The peer's end."""
        return Address(*self.client_address)

    def handle(self) -> None:
        """Make the association and let its thread serve it."""
        self.server.begin(self._create_association(), self.request, self.remote)

    def _create_association(self) -> Association:
        return self.server.make_association()


class AssociationServer(TCPServer):
    """Accepts connections and serves each as an association.

    Parameters
    ----------
    ae : AE
        Whose server it is.
    address : tuple
        (host, port), or (host, port, flow info, scope ID) for IPv6; "" is all IPv4 interfaces.
    ae_title : str
        The title of this server.
    contexts : list of PresentationContext
        What it supports.
    ssl_context : SSLContext, optional
        For TLS; may be replaced at any time, for the connections to come. See `renew_tls`.
    evt_handlers : list, optional
        (event, handler) or (event, handler, [arguments]).

    request_handler : type, optional
        A subclass of `RequestHandler`.

    Attributes
    ----------
    server_address : tuple
        As bound: with the real port when 0 was asked for.
    request_queue_size : int
        How many connections may wait to be accepted.

    Raises
    ------
    OSError
        When the address cannot be had.
    """

    allow_reuse_address = True
    request_queue_size = BACKLOG
    timeout = 60

    def __init__(
        self,
        ae: Any,
        address: tuple[Any, ...],
        ae_title: str,
        contexts: Sequence[PresentationContext],
        ssl_context: ssl.SSLContext | None = None,
        evt_handlers: Sequence[HandlerArgType] | None = None,
        request_handler: type[BaseRequestHandler] | None = None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.ae = ae
        self.ae_title = ae_title
        self.contexts = list(contexts)
        self.ssl_context = ssl_context
        self._handlers = Handlers(evt_handlers)
        self._associations: dict[Association, None] = {}
        self._lock = threading.Lock()
        self._supported = supported(self.contexts)
        self.refusals = Refusals()
        self._waking, self._wake = socket.socketpair()
        self._stopped = threading.Event()
        self._stopped.set()
        super().__init__(address, request_handler or RequestHandler)

    def server_bind(self) -> None:
        """Bind the socket; `server_address` is what it got."""
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address: tuple[Any, ...] = self.socket.getsockname()

    @property
    def address_info(self) -> Address:
        """Where it listens."""
        return Address(*self.server_address)

    # -- handlers --------------------------------------------------------------------------

    def bind(self, event: EventType, handler: Handler, args: list[Any] | None = None) -> None:
        """Bind a handler for the associations of this server, running ones and those to come."""
        self._everywhere(lambda each: each.bind(event, handler, args))

    def unbind(self, event: EventType, handler: Handler) -> None:
        """Undo `bind`, for running associations too."""
        self._everywhere(lambda each: each.unbind(event, handler))

    def _everywhere(self, change: Callable[[Handlers | Association], None]) -> None:
        with self._lock:
            change(self._handlers)
            running = list(self._associations)
        for association in running:
            change(association)

    def get_events(self) -> list[EventType]:
        """Return the events that handlers are bound to, sorted by name."""
        return self._handlers.events()

    def get_handlers(self, event: EventType) -> Any:
        """Return what is bound to an event."""
        return self._handlers.bound(event)

    @property
    def active_associations(self) -> list[Association]:
        """The associations of this server that stand."""
        with self._lock:
            return [each for each in self._associations if each.is_alive()]

    # -- serving -----------------------------------------------------------------------------

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Accept connections until `shutdown` is called from another thread.

        Parameters
        ----------
        poll_interval : float
            Not used: nothing is polled.
        """
        self._stopped.clear()
        self.say_if_open()
        self.refusals = Refusals(the_watcher().call_later)
        self.socket.setblocking(False)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self.socket, selectors.EVENT_READ)
                selector.register(self._waking, selectors.EVENT_READ)
                while not self._stopping(selector):
                    accepted = self.accept_one(selector)
                    if accepted is not None:
                        self.process_request(*accepted)
                    self.service_actions()
        finally:
            self.refusals.close()
            self._stopped.set()

    def say_if_open(self) -> None:
        """Say in the log that anybody may use the server, if that is so."""
        host, port = self.server_address[:2]
        warn_if_open(host, port, self.ssl_context is not None, self.ae.options.networks)

    def _stopping(self, selector: selectors.BaseSelector) -> bool:
        return any(key.fileobj is self._waking for key, _ in selector.select())

    def accept_one(self, selector: selectors.BaseSelector) -> tuple[socket.socket, Any] | None:
        """Accept a connection; None when there is none, or it is not wanted.

        Parameters
        ----------
        selector : BaseSelector
            What waits for connections; it does not for a moment when they cannot be accepted.
        """
        try:
            sock, address = self.get_request()
        except (BlockingIOError, ConnectionError):
            return None  # whoever it was is gone
        except OSError as error:
            if error.errno not in EXHAUSTED:
                raise
            logger.error("No connection can be accepted now: %s", error.strerror)
            # wait for descriptors to be given back, unless the server is shut down meanwhile
            selector.unregister(self.socket)
            selector.select(PAUSE)
            selector.register(self.socket, selectors.EVENT_READ)
            return None
        sock.setblocking(True)
        if not may_connect(address[0], self.ae.options.networks):
            sock.close()
            tell_stranger(self.refusals, address)
            return None
        if self.verify_request(sock, address):
            return sock, address
        self.shutdown_request(sock)
        return None

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own."""
        try:
            self.finish_request(request, client_address)
        except Exception:  # a user's request handler
            logger.exception("A connection is refused")
            self.shutdown_request(request)

    def make_association(self) -> Association:
        """Make the association of a connection; it does not begin yet."""
        with self._lock:
            association = Association(
                self.ae,
                "acceptor",
                self.ae.identity(self.ae.maximum_pdu_size),
                self._handlers.copy(),
                self.ae.options,
            )
            self._associations[association] = None
        association.forget, association.refusals = self._forget, self.refusals
        association.acceptor.set_up(self.ae_title, self.contexts)
        return association

    def _forget(self, association: Association) -> None:
        """Take note that an association is over: what it holds is not to stay."""
        with self._lock:
            self._associations.pop(association, None)

    def begin(self, association: Association, sock: socket.socket, peer: Address) -> None:
        """Serve a connection as an association, in a thread of its own.

        Parameters
        ----------
        association : Association
            As made by `make_association`.
        sock : socket
            The connection.
        peer : Address
            Its other end.
        """
        self.ae.remember(association)
        self.ae.await_request(association, peer, association.drop)
        policy = self.ae.policy(
            self.ae_title,
            self._supported,
            claim_slot=partial(self.ae.claim_slot, association),
            **association.judges,
        )
        try:
            association.start(sock, peer, policy, self.ssl_context)
        except RuntimeError as error:  # no further thread can be had
            logger.error("A connection is refused: %s", error)
            sock.close()
            self.ae.forget(association)
            self._forget(association)

    def renew_tls(self) -> bool:
        """Use what the files of the TLS context contain now, for connections to come.

        The files are those that `dicomwire.tls.server` was given: a certificate and its key, CAs
        and lists of revoked certificates. Associations go on. When the files cannot be used, a
        warning names the one and says why, and nothing changes.

        Returns
        -------
        bool
            Whether they are used.

        Raises
        ------
        TypeError
            When the context is not of `dicomwire.tls.server`: then set `ssl_context`.
        """
        from dicomwire.network import tls

        return tls.renew(self)

    def shutdown(self) -> None:
        """Stop accepting and close the listening socket; associations go on."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")
        self._stopped.wait()
        self.server_close()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the associations of this server are over, after `shutdown`.

        Parameters
        ----------
        timeout : float, optional
            Seconds that they have, all together.
        """
        end = None if timeout is None else time.monotonic() + timeout
        for association in self.active_associations:
            association.join(None if end is None else max(0.0, end - time.monotonic()))

    def abort(self) -> None:
        """Abort the associations of this server."""
        for association in self.active_associations:
            association.abort()

    def server_close(self) -> None:
        """Close the listening socket."""
        for each in (self.socket, self._waking, self._wake):
            each.close()
        self.ae.forget_server(self)


class ThreadedAssociationServer(AssociationServer):
    """A server that accepts in a thread of its own."""

    def start(self) -> None:
        """Begin to accept."""
        self._stopped.clear()
        stamp = self.ae.timestamp()
        target: Callable[..., Any] = self.serve_forever
        if self.ae.options.pass_context:
            target = partial(copy_context().run, target)
        threading.Thread(target=target, name=f"AcceptorServer@{stamp}", daemon=True).start()
