"""Files of keys and certificates into TLS contexts that are safe, or into what is wrong with them.

The profile is that of PS3.15 B.12, BCP 195 (RFC 8996 and 9325): TLS 1.2 and 1.3, ephemeral keys,
authenticated encryption, both sides verified.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from dicomwire.protocol.errors import LocalError

logger = logging.getLogger("dicomwire.server")

# RFC 9325 4.2; the suites of TLS 1.3 are OpenSSL's, and all good.
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
EVERYBODY = 0o007  # the permissions of a file that are for everybody on the machine

AnyPath = str | os.PathLike[str]
Paths = AnyPath | Sequence[AnyPath]
Password = str | Callable[[], str]

_EXPIRED, _NOT_YET = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID


class TLSError(LocalError):
    """A key, a certificate or another file for TLS cannot be used; `check` says what to do."""

    def __init__(self, what: str, check: str) -> None:
        super().__init__(what)
        self.check = check


class Clients(Enum):
    """Which clients a server lets in."""

    REQUIRED = ssl.CERT_REQUIRED  # those with a valid certificate
    OPTIONAL = ssl.CERT_OPTIONAL  # those without one, too
    ANY = ssl.CERT_NONE  # all: nothing is verified


class ServerContext(ssl.SSLContext):
    """The context of a server, which can be made anew.

    Attributes
    ----------
    again : callable
        Makes another one from what the files contain now; raises `TLSError` when they cannot be
        used.
    """

    again: Callable[[], ServerContext]


def server(
    certificate: AnyPath,
    key: AnyPath,
    ca: Paths = (),
    *,
    password: Password | None = None,
    clients: str = "required",
    revoked: Paths = (),
    ciphers: Sequence[str] = CIPHERS,
) -> ServerContext:
    """Return the context of a server, for `start_server(ssl_context=...)` and `aio.serve`.

    When files are replaced, `renew_tls` of the server has connections to come use the new ones.

    Parameters
    ----------
    certificate, key : path
        Of the server, in PEM: the certificate with those between it and its CA after it, and the
        key, which nobody but this user and his group may read.
    ca : path or several
        Certificates of the authorities whose clients are let in (PEM), or folders of such, named
        by their hashes.
    password : str or callable, optional
        Of the key, or what returns it.
    clients : str
        "required": a client needs a valid certificate; "optional": it may have none; "any":
        nothing is verified, so that the connection is secret and says nothing about the client.
    revoked : path or several
        Certificate revocation lists (PEM): clients are looked up in them.
    ciphers : sequence of str
        Suites for TLS 1.2, by OpenSSL's names.

    Raises
    ------
    TLSError
        When a file is missing, cannot be read or is not what it should be, when the key is not
        the certificate's or is readable for everybody, or the certificate is not valid now.
    ValueError
        When `clients` is none of the three.
    """
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.again = partial(
        server,
        *(certificate, key, ca),
        password=password,
        clients=clients,
        revoked=revoked,
        ciphers=ciphers,
    )
    wanted = Clients[clients.upper()] if clients.upper() in Clients.__members__ else None
    if wanted is None:
        raise ValueError(f"clients is 'required', 'optional' or 'any', not {clients!r}")
    authorities = _several(ca)
    if wanted is not Clients.ANY and not authorities:
        raise TLSError(
            "Nobody could be verified: there is no CA",
            "ca=..., who signed the clients' certificates",
        )
    context.verify_mode = wanted.value
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    # A client that comes back with a ticket would not be verified again.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    _harden(context, ciphers)
    trust(context, authorities, _several(revoked))
    identify(context, certificate, key, password)
    return context


def client(
    ca: Paths = (),
    certificate: AnyPath | None = None,
    key: AnyPath | None = None,
    *,
    password: Password | None = None,
    check_hostname: bool = True,
    verify: bool = True,
    revoked: Paths = (),
    ciphers: Sequence[str] = CIPHERS,
) -> ssl.SSLContext:
    """Return the context of a client, for `associate(tls_args=(context, host))`.

    Parameters
    ----------
    ca : path or several
        Certificates of the authorities whose servers are trusted (PEM), or folders of such; none
        are those that the system trusts.
    certificate, key : path, optional
        Of the client; see `server`.
    password : str or callable, optional
        Of the key, or what returns it.
    check_hostname : bool
        Whether the server's certificate has to be for the host that was called. Those of imaging
        devices often name none.
    verify : bool
        Whether it has to be valid at all. Without that anybody in between may read along.
    revoked : path or several
        Certificate revocation lists (PEM): servers are looked up in them.
    ciphers : sequence of str
        Suites for TLS 1.2, by OpenSSL's names.

    Raises
    ------
    TLSError
        See `server`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname and verify
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    _harden(context, ciphers)
    authorities = _several(ca)
    if verify and not authorities:
        context.load_default_certs()
    trust(context, authorities, _several(revoked))
    if certificate is not None or key is not None:
        if certificate is None or key is None:
            raise TLSError("A certificate and its key come together", "certificate=..., key=...")
        identify(context, certificate, key, password)
    return context


class Serving(Protocol):
    """A server: whose context counts for connections to come."""

    ssl_context: ssl.SSLContext | None


def renew(serving: Serving) -> bool:
    """Have a server use what the files of its context contain now; see `renew_tls` of a server."""
    context = serving.ssl_context
    if not isinstance(context, ServerContext):
        raise TypeError("only a context of dicomwire.tls.server knows its files: set ssl_context")
    try:
        serving.ssl_context = context.again()
    except TLSError as error:
        logger.warning(
            "TLS goes on with the files as they were: %s. Check: %s", error.what, error.check
        )
        return False
    return True


def _several(paths: Paths) -> list[AnyPath]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def _harden(context: ssl.SSLContext, ciphers: Sequence[str]) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.options |= ssl.OP_NO_COMPRESSION | getattr(ssl, "OP_NO_RENEGOTIATION", 0)
    try:
        context.set_ciphers(":".join(ciphers))
    except ssl.SSLError:
        raise TLSError(
            f"No such cipher suite: {', '.join(ciphers)}", "openssl ciphers -v lists them"
        ) from None


# -- files -------------------------------------------------------------------------------------


def trust(
    context: ssl.SSLContext, authorities: Sequence[AnyPath], revoked: Sequence[AnyPath] = ()
) -> None:
    """Have peers verified against authorities, and looked up in lists of revoked certificates."""
    for path in (*authorities, *revoked):
        kind = "capath" if Path(path).is_dir() else "cafile"
        load(path, partial(context.load_verify_locations, **{kind: os.fspath(path)}))
    if revoked:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def load(path: AnyPath, read: Callable[[], object]) -> None:
    """Read a file with certificates, and say what is wrong with it.

    Raises
    ------
    TLSError
    """
    _look_at(path)
    try:
        read()
    except OSError as error:  # ssl.SSLError is one
        why = getattr(error, "reason", None) or error.strerror or error
        raise TLSError(
            f"{path} cannot be used: {why}",
            "whether it is PEM, which begins with a line -----BEGIN ...",
        ) from error


def _look_at(path: AnyPath) -> None:
    """Raise TLSError unless a file, or a folder, is there and may be read."""
    try:
        if not Path(path).is_dir():
            with Path(path).open("rb"):
                return
    except FileNotFoundError:
        raise TLSError(f"There is no file {path}", "the path") from None
    except OSError as error:
        raise TLSError(
            f"{path} cannot be read: {error.strerror}", "its permissions, and those of its folder"
        ) from error


def identify(
    context: ssl.SSLContext, certificate: AnyPath, key: AnyPath, password: Password | None = None
) -> None:
    """Let a context present a certificate.

    Parameters
    ----------
    context : SSLContext
        Whose.
    certificate, key, password
        See `server`.

    Raises
    ------
    TLSError
    """
    for path in (certificate, key):
        _look_at(path)
        if Path(path).is_dir():
            raise TLSError(f"{path} is a folder", "the path")
    mode = Path(key).stat().st_mode
    if os.name == "posix" and mode & EVERYBODY:
        raise TLSError(f"Everybody on this machine may read the key {key}", f"chmod o= {key}")
    ask = cache(password) if callable(password) else password  # once
    try:
        context.load_cert_chain(certificate, key, ask)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise _wrong_pair(certificate, key, error) from error
    _check_dates(certificate, key, ask, context.protocol is ssl.PROTOCOL_TLS_CLIENT)


def _wrong_pair(certificate: AnyPath, key: AnyPath, error: Exception) -> TLSError:
    why = str(getattr(error, "reason", None) or error)
    if why == "KEY_VALUES_MISMATCH":
        return TLSError(
            f"The key {key} is not that of the certificate {certificate}",
            "that both are of the same pair: openssl x509 -pubkey and openssl pkey -pubout "
            "print the same",
        )
    return TLSError(
        f"{key} and {certificate} are no key and its certificate, or the password is wrong ({why})",
        "whether both are PEM, and which is which",
    )


def _check_dates(certificate: AnyPath, key: AnyPath, password: Any, of_client: bool) -> None:
    """Raise TLSError when a certificate has expired, or is not valid yet.

    `ssl` tells nothing about one's own certificate. So it is presented, in memory, to somebody who
    trusts it and nothing else.
    """
    ends = [ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)]
    ends[0].check_hostname = False
    for end in ends:
        end.load_cert_chain(certificate, key, password)
        end.verify_mode = ssl.CERT_NONE
    judge = ends[of_client]
    judge.verify_mode = ssl.CERT_REQUIRED
    judge.verify_flags = ssl.VERIFY_X509_PARTIAL_CHAIN
    judge.load_verify_locations(cafile=certificate)
    try:
        _shake_hands(*ends)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in (_EXPIRED, _NOT_YET):
            what = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
            raise TLSError(
                f"The certificate {certificate} {what}",
                "the clock, or have a new one made: openssl x509 -noout -dates shows its dates",
            ) from None
    except ssl.SSLError:  # of what else a peer may think of it that peer will tell
        return


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Do a handshake in memory."""
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(one, other), server.wrap_bio(other, one, server_side=True)
    for end in ends * 3:  # each has two or three turns, in TLS 1.2 and 1.3
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
