"""Options into a server that runs until it is told to stop, and what it does into lines."""

from __future__ import annotations

import argparse
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import WrongUse
from dicomwire.apps.output import log
from dicomwire.apps.requesting import show_contexts
from dicomwire.apps.tls_options import server_context
from dicomwire.network import events as evt
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.events import Event, HandlerArgType
from dicomwire.network.presentation import PresentationContext
from dicomwire.network.server import AssociationServer
from dicomwire.protocol.errors import Rejected

SUCCESS = 0x0000
GRACE = 3.0  # seconds that running associations have to finish


def start(
    ae: ApplicationEntity,
    args: argparse.Namespace,
    contexts: list[PresentationContext],
    handlers: Sequence[HandlerArgType],
) -> AssociationServer | None:
    """Start to serve; when the port cannot be had, say why and return None.

    Parameters
    ----------
    ae : AE
        Whose server it is.
    args : Namespace
        Of a parser with the rows of `LISTEN`, `acceptor_options` and `SERVER`.
    contexts : list of PresentationContext
        What it supports.
    handlers : list
        Besides those that make the lines.

    Raises
    ------
    WrongUse
        When the options about TLS, or about processes, cannot be.
    """
    context = server_context(args)
    where = f"{args.bind_address} port {args.port}" if args.bind_address else f"Port {args.port}"
    try:
        server = ae.start_server(
            (args.bind_address, args.port),
            block=False,
            ssl_context=context,
            evt_handlers=[*_lines(args), *handlers],
            contexts=contexts,
            workers=getattr(args, "workers", 1),
        )
    except NotImplementedError as error:
        raise WrongUse(f"--workers {args.workers}: {error}") from None
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        log.error("%s cannot be listened on: %s. Check: %s", where, why, _advice(error, args.port))
        return None
    assert server is not None
    log.info("Listening on port %d", server.server_address[1])
    return server


def _advice(error: Exception, port: int) -> str:
    if isinstance(error, PermissionError):
        return "ports below 1024 are the administrator's; 11112 is DICOM's other port"
    return f"what else listens on port {port}, and whether the address is this machine's"


def serve(
    ae: ApplicationEntity,
    args: argparse.Namespace,
    contexts: list[PresentationContext],
    handlers: Sequence[HandlerArgType] = (),
    ready: Callable[[int], None] = lambda port: None,
) -> Exit:
    """Serve until Ctrl-C or SIGTERM; return the exit code.

    Parameters
    ----------
    ae, args, contexts, handlers
        See `start`.
    ready : callable
        Called with the port when it listens.
    """
    with stopped_by_signals():
        server = None
        try:
            server = start(ae, args, contexts, handlers)
            if server is None:
                return Exit.NOT_HERE
            with renewed_by_signals(server):
                ready(server.server_address[1])
                _wait()
        except KeyboardInterrupt:
            if server is not None:
                finish(ae, server)
            ae.shutdown()
    return Exit.DONE


@contextmanager
def beside(
    ae: ApplicationEntity,
    args: argparse.Namespace,
    port: int,
    contexts: list[PresentationContext],
    handlers: Sequence[HandlerArgType],
) -> Iterator[AssociationServer | None]:
    """Serve until the end of the block, while associations are asked for with the same options.

    Parameters
    ----------
    ae : AE
        Whose server it is.
    args : Namespace
        Of a parser with the rows of `requestor_options`, `CLIENT` and a bind address.
    port : int
        Where to listen.
    contexts, handlers
        See `start`.

    Yields
    ------
    AssociationServer or None
        None when the port cannot be had, which has been said.

    Raises
    ------
    WrongUse
        When the options about TLS cannot be.
    """
    if args.anonymous:
        raise WrongUse("who receives over TLS has a certificate: give +tls KEY CERT, not +tla")
    settings = {**vars(args), "port": port, "certificate_optional": False, "dh_file": None}
    server = start(ae, argparse.Namespace(**settings), contexts, handlers)
    try:
        yield server
    finally:
        if server is not None:
            finish(ae, server)


def _wait() -> None:
    """Wait until a signal raises KeyboardInterrupt.

    A wait for a lock may miss a signal that comes just before it begins: Python runs its handlers
    between byte codes, and nothing interrupts the wait any more. A byte in a socket stays there.
    """
    if threading.current_thread() is not threading.main_thread():
        threading.Event().wait()
    ours, signals = socket.socketpair()
    signals.setblocking(False)
    before = signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
    try:
        while True:
            ours.recv(64)
    finally:
        signal.set_wakeup_fd(before)
        ours.close()
        signals.close()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: raise KeyboardInterrupt in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def renewed_by_signals(server: AssociationServer) -> Iterator[None]:
    """Let SIGHUP have a server with TLS read its files anew; without TLS it ends a tool."""
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    in_main_thread = threading.current_thread() is threading.main_thread()
    if hangup is None or not in_main_thread or server.ssl_context is None:
        yield
        return

    def renew(*_: object) -> None:
        if server.renew_tls():
            log.info("TLS goes on with the files as they are now")

    before = signal.signal(hangup, renew)
    try:
        yield
    finally:
        signal.signal(hangup, before)


def finish(ae: ApplicationEntity, server: AssociationServer, grace: float = GRACE) -> None:
    """Stop accepting, give running associations time to finish, abort the rest.

    Parameters
    ----------
    ae : AE
        Whose server it is.
    server : AssociationServer
        What to stop.
    grace : float
        Seconds that the associations have, all together.
    """
    log.info("Stopping")
    server.shutdown()
    try:
        server.join(grace)
    except KeyboardInterrupt:
        log.info("Stopping at once")
    ae.shutdown()


# -- what happens, as lines --------------------------------------------------------------------


def _lines(args: argparse.Namespace) -> list[HandlerArgType]:
    return [
        (evt.EVT_REQUESTED, _requested),
        (evt.EVT_ESTABLISHED, _established, [args.verbose_pc]),
        (evt.EVT_C_ECHO, _echo),
        (evt.EVT_RELEASED, _released),
        (evt.EVT_ABORTED, _ended),
        (evt.EVT_REJECTED, _ended),
    ]


def _requested(event: Event) -> None:
    peer: dict[str, Any] = event.assoc.requestor.info
    log.info("Association Received (%s at %s)", peer["ae_title"], peer["address"])


def _established(event: Event, verbose_contexts: bool) -> None:
    fragment = event.assoc.connection.fragment
    log.info("Association Acknowledged (Max Send PDV: %d)", fragment)
    if verbose_contexts:
        show_contexts(event.assoc)


def _echo(event: Event) -> int:
    log.info("Received Echo Request (MsgID %d)", event.message_id)
    return SUCCESS


def _released(_: Event) -> None:
    log.info("Association Release")


def _ended(event: Event) -> None:
    if event.assoc.is_summed_up:
        return
    ended = event.assoc.ended
    # what to check after a rejection is said to who was rejected
    log.error("%s: %s", event.assoc.caller, ended.what if isinstance(ended, Rejected) else ended)
