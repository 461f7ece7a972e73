"""Addresses and TLS settings into connected sockets, without blocking the event loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from dicomwire.network.addresses import (
    Address,
    TLSArguments,
    bind_local,
    connection_failure,
    resolve,
)
from dicomwire.network.aio.watching import watcher_of
from dicomwire.network.handshakes import check_resumed, tls_failure, tls_timed_out
from dicomwire.protocol.errors import ConnectTimedOut


async def resolved(addr: Any) -> Any:
    """Return an address with its host name, if it is one, looked up in a thread.

    Raises
    ------
    socket.gaierror
        When the name is not known.
    """
    if not isinstance(addr, str) or _is_address(addr):
        return addr
    return await asyncio.to_thread(resolve, addr)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


async def open_socket(
    address: Address,
    seconds: float | None,
    bind_address: tuple[Any, ...] | None = None,
    tls: TLSArguments | None = None,
    handshake_seconds: float | None = None,
) -> socket.socket:
    """Connect to a peer; see `addresses.open_socket`, whose errors it raises."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(address.address_family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        bind_local(sock, bind_address)
        try:
            async with asyncio.timeout(seconds):
                await loop.sock_connect(sock, address.as_tuple)
        except TimeoutError:
            raise ConnectTimedOut(seconds) from None
        except OSError as error:
            raise connection_failure(address, error) from error
        if tls is None:
            return sock
        context, hostname = tls
        return await _secure(
            sock,
            lambda: context.wrap_socket(
                sock, server_hostname=hostname, do_handshake_on_connect=False
            ),
            handshake_seconds,
            server=False,
        )
    except BaseException:
        sock.close()
        raise


async def accept_tls(
    sock: socket.socket, context: ssl.SSLContext, seconds: float | None
) -> socket.socket:
    """Do the server's half of a TLS handshake.

    Raises
    ------
    Lost
        Why it failed.
    """
    try:
        return await _secure(
            sock,
            lambda: context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False),
            seconds,
            server=True,
        )
    except BaseException:
        sock.close()
        raise


async def _secure(
    sock: socket.socket,
    wrap: Callable[[], ssl.SSLSocket],
    seconds: float | None,
    server: bool,
) -> ssl.SSLSocket:
    """Do a TLS handshake on a socket that does not block, and return what takes its place."""
    wrapped = None
    try:
        wrapped = wrap()
        async with asyncio.timeout(seconds):
            await _shake_hands(wrapped)
        if server:
            check_resumed(wrapped)
    except TimeoutError:
        _close(wrapped)
        raise tls_timed_out(server) from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        _close(wrapped)
        raise tls_failure(error, server) from error
    except BaseException:
        _close(wrapped)
        raise
    return wrapped


def _close(sock: ssl.SSLSocket | None) -> None:
    if sock is not None:
        sock.close()


async def _shake_hands(sock: ssl.SSLSocket) -> None:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, writing=False)
        except ssl.SSLWantWriteError:
            await _ready(sock, writing=True)
        else:
            return


async def _ready(sock: socket.socket, writing: bool) -> None:
    """Wait until a socket can be read or written."""
    loop = asyncio.get_running_loop()
    watcher = watcher_of(loop, sock)
    ready: asyncio.Future[None] = loop.create_future()
    descriptor = sock.fileno()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    if writing:
        watcher.add_writer(descriptor, tell)
    else:
        watcher.add_reader(descriptor, tell)
    try:
        await ready
    finally:
        (watcher.remove_writer if writing else watcher.remove_reader)(descriptor)
