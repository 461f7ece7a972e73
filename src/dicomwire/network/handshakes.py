"""Connections into TLS connections, and why a handshake failed into words."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable

from dicomwire.protocol.errors import Lost


def shake_hands_with(
    sock: socket.socket, tls: tuple[ssl.SSLContext, str | None], timeout: float | None
) -> ssl.SSLSocket:
    """Do the client's half of a TLS handshake.

    Parameters
    ----------
    sock : socket
        Connected.
    tls : (SSLContext, str or None)
        Context and the host name that the peer's certificate has to be for.
    timeout : float or None
        Seconds for all of it.

    Raises
    ------
    Lost
        Why it failed.
    """
    context, hostname = tls
    sock.settimeout(timeout)
    try:
        return context.wrap_socket(sock, server_hostname=hostname)
    except TimeoutError:
        raise tls_timed_out(server=False) from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise tls_failure(error) from error


def tls_timed_out(server: bool) -> Lost:
    """Say what it means that a TLS handshake took too long."""
    check = "whether the peer speaks TLS" if server else "whether the peer expects TLS on this port"
    return Lost("The TLS handshake timed out", None, check)


def tls_failure(error: Exception, server: bool = False) -> Lost:
    """Say what a failed TLS handshake means, to the client or to the server."""
    reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
    text = str(reason).replace("_", " ").lower().rstrip(".")
    check = (
        "whether the peer expects TLS on this port, which versions and ciphers it allows, "
        "and whether it asks for a certificate"
    )
    if "expired" in text or "not yet valid" in text:
        check = "the clocks of both sides, or have the certificate renewed"
    elif isinstance(error, ssl.SSLCertVerificationError):
        check = "whether the CA that issued the peer's certificate is trusted, and its host name"
    elif "certificate" in text or "unknown ca" in text:
        check = "whether the peer trusts the CA of our certificate, and asks for one at all"
    if server and ("http request" in text or "wrong version number" in text):
        check = "whether the peer speaks TLS: this port takes nothing else"
    return Lost(
        f"The TLS handshake failed: {text}", error if isinstance(error, OSError) else None, check
    )


def wrap_tls(sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Put a server's end of TLS over a connection; the handshake is still to come.

    Raises
    ------
    Lost
        When the peer is gone.
    """
    try:
        return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    except (OSError, ValueError) as failure:
        error = tls_failure(failure, server=True)
    with contextlib.suppress(OSError):
        sock.close()
    raise error


def check_resumed(sock: ssl.SSLSocket, clock: Callable[[], float] = time.time) -> None:
    """Look at the certificate of a client whose session goes on, as nobody else does.

    OpenSSL keeps a session of TLS 1.2 while the connection stands that it began with, and `ssl`
    cannot forbid that. Authorities and lists of revoked certificates are those of then: where they
    change there is a new context, which knows no session.

    Parameters
    ----------
    sock : SSLSocket
        After its handshake.
    clock : callable
        Says the time.

    Raises
    ------
    ssl.SSLError
        When it has expired since.
    """
    found = sock.getpeercert() if sock.session_reused else None
    if found and ssl.cert_time_to_seconds(str(found["notAfter"])) < clock():
        raise ssl.SSLError("certificate has expired since the session began")


def shake_hands(sock: ssl.SSLSocket, timeout: float | None) -> None:
    """Do the server's half of a TLS handshake.

    Parameters
    ----------
    sock : SSLSocket
        Of `wrap_tls`.
    timeout : float or None
        Seconds for all of it.

    Raises
    ------
    Lost
        Why it failed; the connection is closed.
    """
    sock.settimeout(timeout)
    try:
        sock.do_handshake()
        check_resumed(sock)
        return
    except TimeoutError:
        error = tls_timed_out(server=True)
    except (OSError, ValueError) as failure:
        error = tls_failure(failure, server=True)
    with contextlib.suppress(OSError):
        sock.close()
    raise error
