"""Host names, addresses and TLS settings into connected sockets."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.protocol.errors import ConnectTimedOut, Lost

if TYPE_CHECKING:
    import ssl

TLSArguments = tuple["ssl.SSLContext", "str | None"]


class Address(NamedTuple):
    """Where a peer listens.

    Parameters
    ----------
    host : str
        Name or address, IPv4 or IPv6.
    port : int
        TCP port.
    flowinfo, scope_id : int
        IPv6 only.
    """

    host: str
    port: int
    flowinfo: int = 0
    scope_id: int = 0

    @property
    def is_ipv6(self) -> bool:
        """Whether the host is an IPv6 address."""
        return ":" in self.host

    @property
    def is_ipv4(self) -> bool:
        """Whether the host is none."""
        return not self.is_ipv6

    @property
    def address(self) -> str:
        """The host, as pynetdicom calls it."""
        return self.host

    @property
    def address_family(self) -> socket.AddressFamily:
        """The family that a socket for it has."""
        return socket.AF_INET6 if self.is_ipv6 else socket.AF_INET

    @property
    def as_tuple(self) -> tuple[Any, ...]:
        """It, as `socket.connect` takes it."""
        return tuple(self) if self.is_ipv6 else (self.host, self.port)


def peer_address(addr: Any, port: int) -> Address:
    """Check and resolve what a user gave as the peer's address.

    Parameters
    ----------
    addr : str or (str, int, int)
        Host name or address; or IPv6 address, flow info, scope ID.
    port : int
        TCP port.

    Returns
    -------
    Address
        Of a name that has several the first IPv4 address, else the first IPv6 one.

    Raises
    ------
    TypeError
        When the types are others.
    socket.gaierror
        When the name is not known.
    """
    extra: tuple[int, int] = (0, 0)
    if isinstance(addr, tuple) and len(addr) == 3 and isinstance(addr[0], str):
        addr, *rest = addr
        extra = (int(rest[0]), int(rest[1]))
    if not isinstance(addr, str):
        raise TypeError("'addr' must be a str, or a tuple (str, int, int) for IPv6")
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError("'port' must be an int")
    return Address(resolve(addr), port, *extra)


def resolve(host: str) -> str:
    """Return the address of a host, IPv4 first.

    Raises
    ------
    socket.gaierror
        When the name is not known.
    """
    return addresses_of(host)[0]


def addresses_of(host: str) -> list[str]:
    """Return all addresses of a host, IPv4 first.

    Raises
    ------
    socket.gaierror
        When the name is not known.
    """
    if _is_ipv4(host):
        return [host]
    # as bytes: a str goes through the codec of international names, which takes a while to load
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _is_ipv4(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):  # a null byte, or what cannot be encoded, is no address either
        return False
    return True


def local_address(value: Any) -> tuple[Any, ...]:
    """Check what a user gave as an address of this host.

    Raises
    ------
    TypeError
        When it is neither (str, int) nor (str, int, int, int).
    """
    if (
        not isinstance(value, tuple)
        or len(value) not in (2, 4)
        or not isinstance(value[0], str)
        or not all(isinstance(each, int) for each in value[1:])
    ):
        raise TypeError("an address must be (str, int), or (str, int, int, int) for IPv6")
    return value


def open_socket(
    address: Address,
    timeout: float | None,
    bind_address: tuple[Any, ...] | None = None,
    tls: TLSArguments | None = None,
    handshake_timeout: float | None = None,
    sock: socket.socket | None = None,
) -> socket.socket:
    """Connect to a peer.

    Parameters
    ----------
    address : Address
        The peer's.
    timeout, handshake_timeout : float or None
        Seconds for the TCP connection, and for the TLS handshake.
    bind_address : tuple, optional
        The local end.
    tls : (SSLContext, str or None), optional
        Context and the host name that the peer's certificate has to be for.
    sock : socket, optional
        A socket to do it with, instead of a new one.

    Raises
    ------
    Lost, ConnectTimedOut
        Why there is no connection.
    OSError
        When the local end cannot be bound: a mistake of the caller.
    """
    sock = sock or socket.socket(address.address_family, socket.SOCK_STREAM)
    try:
        bind_local(sock, bind_address)
        sock.settimeout(timeout)
        _connect(sock, address, timeout)
        if tls is None:
            return sock
        from dicomwire.network.handshakes import shake_hands_with  # few connections need TLS

        return shake_hands_with(sock, tls, handshake_timeout)
    except BaseException:
        sock.close()
        raise


def bind_local(sock: socket.socket, bind_address: tuple[Any, ...] | None) -> None:
    """Bind a socket to a local end, unless any will do."""
    if bind_address is not None and tuple(bind_address[:2]) not in (("", 0), ("::0", 0)):
        sock.bind(bind_address)


def _connect(sock: socket.socket, address: Address, timeout: float | None) -> None:
    try:
        sock.connect(address.as_tuple)
    except TimeoutError:
        raise ConnectTimedOut(timeout) from None
    except OSError as error:
        raise connection_failure(address, error) from error


def connection_failure(address: Address, error: OSError) -> Lost:
    """Say what a failed connection means."""
    if isinstance(error, ConnectionRefusedError):
        return Lost(
            f"Connection refused by {address.host} port {address.port}",
            error,
            "whether the DICOM application runs there, and the port number",
        )
    return Lost(
        f"No connection to {address.host} port {address.port}: {error.strerror or error}",
        error,
        "the host name or address, and the network in between",
    )


def is_tls(sock: object) -> bool:
    """Whether a socket is one of TLS, without loading what few connections need."""
    return _is_of_ssl(sock, "SSLSocket")


def is_tls_error(error: object) -> bool:
    """Whether TLS is what failed; see `is_tls`."""
    return _is_of_ssl(error, "SSLError")


def _is_of_ssl(thing: object, name: str) -> bool:
    # a module that another thread is just loading is there, without what it will have
    kind = getattr(sys.modules.get("ssl"), name, None)
    return kind is not None and isinstance(thing, kind)
