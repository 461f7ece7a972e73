"""Turns `python -m tests.faults.serving asyncio FOLDER` into a server of our own to be tried.

It keeps what it is sent like `dicomwire storescp`, and does with some requests what no handler
should. For each C-ECHO it says on standard output how many tasks, or threads, there are.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dicomwire import AE, aio, evt, tls
from dicomwire.apps.output import FORMAT
from dicomwire.apps.receiving import Receiver
from dicomwire.network.options import Options
from dicomwire.protocol.limits import DEFAULT, Limits
from tests.protocol.pairs import CT, VERIFICATION

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
RAISES, RETURNS_NOTHING, RETURNS_RUBBISH, KILLS, SLEEPS = range(4001, 4006)
"""Message IDs of C-ECHO and C-STORE requests whose handler does what the name says."""

NAP = 0.3  # seconds: long enough for a peer to go away meanwhile


def entity(folder: Path, args: argparse.Namespace) -> AE:
    """The AE of the server."""
    limits = Limits(stall=args.stall_timeout, grace=args.grace, keepalive=args.keepalive)
    options = Options(store_directory=folder, linger=2.0, log_messages=False, limits=limits)
    ae = AE("SCP", options)
    for uid in (VERIFICATION, CT, FIND):
        ae.add_supported_context(uid)
    ae.require_called_aet = args.strict
    ae.require_calling_aet = ["SCU"] if args.strict else []
    ae.acse_timeout, ae.network_timeout = args.acse_timeout, args.network_timeout
    return ae


def odd(event: Any) -> Any:
    """What no handler should do; None for requests that ask for nothing of the kind."""
    number = event.request.MessageID
    if number == RAISES:
        raise ValueError("asked to")
    return {RETURNS_RUBBISH: "rubbish", RETURNS_NOTHING: ()}.get(number)


def handlers(folder: Path, tasks: Callable[[], int], in_a_loop: bool) -> list[Any]:
    """Handlers, plain ones or coroutine functions."""
    receiver = Receiver(folder, replaces=True)

    def echo(event: Any) -> Any:
        sys.stdout.write(f"{tasks()}\n")
        sys.stdout.flush()
        return 0x0000

    def store(event: Any) -> Any:
        found = odd(event)
        if found is not None:
            return None if found == () else found
        return receiver(event)

    def verify(event: Any) -> Any:
        return event.secondary_field != b"wrong", None

    def find(event: Any) -> Any:
        while not event.is_cancelled:
            yield 0xFF00, event.identifier
        yield 0xFE00, None

    async def echo_later(event: Any) -> Any:
        if event.request.MessageID == KILLS:
            await event.assoc.abort()
        elif event.request.MessageID == SLEEPS:
            await asyncio.sleep(NAP)
        return echo(event)

    def echo_then(event: Any) -> Any:
        if event.request.MessageID == KILLS:
            event.assoc.abort()
        elif event.request.MessageID == SLEEPS:
            threading.Event().wait(NAP)
        return echo(event)

    async def find_later(event: Any) -> Any:
        while not event.is_cancelled:
            yield 0xFF00, event.identifier
            await asyncio.sleep(0)
        yield 0xFE00, None

    return [
        (evt.EVT_C_ECHO, echo_later if in_a_loop else echo_then),
        (evt.EVT_C_STORE, store),
        (evt.EVT_C_FIND, find_later if in_a_loop else find),
        (evt.EVT_USER_ID, verify),
    ]


def secured(args: argparse.Namespace) -> ssl.SSLContext | None:
    """The context for TLS, if it is wanted."""
    if args.tls is None:
        return None
    return tls.server(args.tls[1], args.tls[0], clients="any")


def serve_with_threads(folder: Path, args: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    server = entity(folder, args).start_server(
        (args.bind_address, 0),
        block=False,
        evt_handlers=handlers(folder, threading.active_count, in_a_loop=False),
        ssl_context=secured(args),
    )
    assert server is not None
    signal.sigwait({signal.SIGTERM})


async def serve_in_a_loop(folder: Path, args: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    bound = handlers(folder, lambda: len(asyncio.all_tasks()), in_a_loop=True)
    ae = entity(folder, args)
    async with aio.serve(args.bind_address, 0, bound, ae=ae, ssl_context=secured(args)) as server:
        if args.tls is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, server.renew_tls)
        await stopped.wait()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prefix_chars="-+")
    parser.add_argument("kind", choices=["asyncio", "threads"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-ba", dest="bind_address")
    parser.add_argument("-ta", dest="acse_timeout", type=float)
    parser.add_argument("-tn", dest="network_timeout", type=float)
    parser.add_argument("--stall-timeout", type=float, default=DEFAULT.stall)
    parser.add_argument("--keepalive", type=float, default=DEFAULT.keepalive)
    parser.add_argument("--grace", type=float, default=DEFAULT.grace)
    parser.add_argument("+tls", dest="tls", nargs=2)
    parser.add_argument("-strict", action="store_true", help="it is SCP for SCU, and nobody else")
    parser.add_argument("-ic", action="store_true")
    args = parser.parse_args()
    logging.basicConfig(format=FORMAT, level=logging.INFO)
    logging.getLogger("dicomwire.service_class").setLevel(logging.WARNING)  # a line each request
    if args.kind == "asyncio":
        asyncio.run(serve_in_a_loop(args.folder, args))
    else:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        serve_with_threads(args.folder, args)


if __name__ == "__main__":
    main()
