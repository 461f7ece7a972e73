"""A listening socket into associations, each served by a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from dicomwire.network import tls
from dicomwire.network.access import may_connect, warn_if_open
from dicomwire.network.addresses import Address, local_address
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.aio.association import Association
from dicomwire.network.aio.connecting import Contexts, Opening, associate, built
from dicomwire.network.aio.handlers import Handlers
from dicomwire.network.events import EventType, Handler, HandlerArgType
from dicomwire.network.places import Places
from dicomwire.network.presentation import PresentationContext, supported
from dicomwire.network.refusals import Refusals
from dicomwire.network.server import BACKLOG, EXHAUSTED, PAUSE, tell_stranger
from dicomwire.network.titles import checked_title

logger = logging.getLogger("dicomwire.server")


class Server:
    """Accepts connections and serves each as an association, in tasks of one event loop.

    Users get one from `serve`. Leaving its block, or `close`, aborts the associations that stand.

    Parameters
    ----------
    ae : AE
        Whose server it is.
    sock : socket
        Bound and listening.
    ae_title : str
        The title of this server.
    contexts : list of PresentationContext
        What it supports.
    ssl_context : SSLContext or None
        For TLS; may be replaced at any time, for the connections to come. See `renew_tls`.
    handlers : Handlers
        What is bound for the associations to come.

    Attributes
    ----------
    address : Address
        Where it listens, with the real port when 0 was asked for.
    """

    def __init__(
        self,
        ae: ApplicationEntity,
        sock: socket.socket,
        ae_title: str,
        contexts: list[PresentationContext],
        ssl_context: ssl.SSLContext | None,
        handlers: Handlers,
    ) -> None:
        self.ae = ae
        self.ae_title = ae_title
        self.contexts = contexts
        self.ssl_context = ssl_context
        self.address = Address(*sock.getsockname())
        self._sock = sock
        self._handlers = handlers
        self._supported = supported(contexts)
        self._running: dict[asyncio.Task[None], Association] = {}
        self._places = Places()
        warn_if_open(self.address.host, self.port, ssl_context is not None, ae.options.networks)
        loop = asyncio.get_running_loop()
        self.refusals = Refusals(loop.call_later)
        self._accepting = loop.create_task(self._accept_all())

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.address.port

    @property
    def active_associations(self) -> list[Association]:
        """The associations of this server that stand."""
        return [each for each in self._running.values() if each.is_established]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def serve_forever(self) -> None:
        """Wait until the server is closed, or the task that waits is cancelled.

        Raises
        ------
        OSError
            What keeps it from accepting connections for good.
        """
        await asyncio.wait([self._accepting])
        if not self._accepting.cancelled():
            self._accepting.result()

    async def close(self) -> None:
        """Stop accepting, abort the associations that stand, and wait until all is over."""
        self._accepting.cancel()
        await asyncio.wait([self._accepting])
        self._sock.close()
        for task, association in self._running.items():
            if association.ended is None:  # the others are about to close their connections
                task.cancel()
        if self._running:
            await asyncio.wait(list(self._running))
        self.refusals.close()

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
        return tls.renew(self)

    # -- handlers --------------------------------------------------------------------------

    def bind(self, event: EventType, handler: Handler, args: list[Any] | None = None) -> None:
        """Bind a handler for the associations of this server, running ones and those to come."""
        self._everywhere(lambda each: each.bind(event, handler, args))

    def unbind(self, event: EventType, handler: Handler) -> None:
        """Undo `bind`, for running associations too."""
        self._everywhere(lambda each: each.unbind(event, handler))

    def _everywhere(self, change: Callable[[Handlers | Association], None]) -> None:
        change(self._handlers)
        for association in self._running.values():
            change(association)

    def get_events(self) -> list[EventType]:
        """Return the events that handlers are bound to, sorted by name."""
        return self._handlers.events()

    def get_handlers(self, event: EventType) -> Any:
        """Return what is bound to an event."""
        return self._handlers.bound(event)

    # -- serving -----------------------------------------------------------------------------

    async def _accept_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(self._sock)
            except ConnectionError:
                continue  # whoever it was is gone
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                logger.error("No connection can be accepted now: %s", error.strerror)
                await asyncio.sleep(PAUSE)  # until descriptors are given back
                continue
            if may_connect(address[0], self.ae.options.networks):
                self._begin(sock, Address(*address))
            else:
                sock.close()
                tell_stranger(self.refusals, address)
            await asyncio.sleep(0)  # who can be accepted at once is: the others want their turn

    def _begin(self, sock: socket.socket, peer: Address) -> None:
        """Serve a connection as an association, in a task of its own."""
        ae = self.ae
        association = Association(
            ae, "acceptor", ae.identity(ae.maximum_pdu_size), self._handlers.copy(), ae.options
        )
        association.open_destination = partial(associate, ae)
        association.refusals = self.refusals
        association.acceptor.set_up(self.ae_title, self.contexts)
        number = id(association)
        policy = ae.policy(
            self.ae_title,
            self._supported,
            claim_slot=partial(ae.claim_place, self._places, association),
            **association.judges,
        )
        serving = association.serve(
            sock, peer, policy, self.ssl_context, partial(self._places.free, number)
        )
        loop = asyncio.get_running_loop()
        task = loop.create_task(serving)

        def drop(setting: str) -> None:
            association.give_way(setting)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(task.cancel)

        ae.await_request(association, peer, drop)
        self._running[task] = association
        task.add_done_callback(lambda _: ae.negotiations.end(number))
        task.add_done_callback(self._running.pop)
        task.add_done_callback(lambda _: sock.close())  # it may never have begun


def serve(
    host: str,
    port: int,
    handlers: Sequence[HandlerArgType] = (),
    contexts: Contexts | None = None,
    *,
    ae: ApplicationEntity | None = None,
    ae_title: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Opening[Server]:
    """Serve associations.

    `async with serve(...) as server:` serves while the block runs, and aborts what still stands
    at its end; `server = await serve(...)` leaves that to `server.close()`.

    Parameters
    ----------
    host : str
        Address to listen on; "" is all IPv4 interfaces.
    port : int
        TCP port; 0 is any free one, see `Server.port`.
    handlers : sequence
        (event, handler) or (event, handler, [arguments]). Handlers are coroutine functions, plain
        functions that do not block, generators of either kind, or marked as `blocking`. They find
        the asyncio `Association` in `event.assoc`.
    contexts : sequence of PresentationContext or str, optional
        What is supported; the UID of a SOP class stands for it with the four uncompressed transfer
        syntaxes. None takes `supported_contexts` of the AE.
    ae : AE, optional
        Who serves: its limits, time-outs and options count. None is `AE()`.
    ae_title : str, optional
        Instead of the AE's.
    ssl_context : SSLContext, optional
        For TLS.

    Returns
    -------
    Opening
        To be awaited, or used with `async with`; that raises `OSError` when the address cannot
        be had.

    Raises
    ------
    ValueError
        When there are no contexts to support, or one has only one of its roles.
    """
    entity = ae or ApplicationEntity()
    chosen = entity.served(None if contexts is None else built(contexts))
    title = checked_title(ae_title, "ae_title") if ae_title else entity.ae_title
    address = local_address((host, port))

    async def start() -> Server:
        sock = _listening(address)
        return Server(entity, sock, title, chosen, ssl_context, Handlers(handlers))

    return Opening(start)


def _listening(address: tuple[Any, ...]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
