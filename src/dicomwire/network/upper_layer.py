"""The parts of an association into what programs reach for at `assoc.dul` and `assoc.dimse`.

pynetdicom has a thread with queues at either name. Here they are views: they hold nothing.
"""

from __future__ import annotations

import socket as sockets
from typing import Any, NamedTuple

from dicomwire.network.addresses import TLSArguments, resolve
from dicomwire.network.transport import wait_readable
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import maximum_length


class AssociationSocket:
    """The socket of an association.

    Parameters
    ----------
    assoc : Association
        Whose socket.
    client_socket : socket, optional
        One that is connected.
    address : address, optional
        Instead: the local end, with `address_family` and `as_tuple`.

    Attributes
    ----------
    socket : socket or None
        The socket itself; None when it is closed.
    tls_args : (SSLContext, str or None) or None
        For TLS, once it connects.

    Raises
    ------
    ValueError
        When there is neither a socket nor an address.
    """

    def __init__(
        self, assoc: Any, client_socket: sockets.socket | None = None, address: Any = None
    ) -> None:
        self.assoc = assoc
        self.tls_args: TLSArguments | None = None
        self.socket: sockets.socket | None = client_socket
        if client_socket is not None:
            return
        if address is None:
            raise ValueError("A socket needs 'client_socket' or 'address'")
        self.socket = sockets.socket(address.address_family, sockets.SOCK_STREAM)
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        self.socket.bind(address.as_tuple)

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        return self.socket is not None and wait_readable(self.socket, 1e-3)

    def send(self, data: bytes) -> None:
        """Send bytes, past the state machine."""
        if self.socket is not None:
            self.socket.sendall(data)

    def recv(self, size: int) -> bytearray:
        """Read so many bytes, fewer when the peer closes before; past the state machine."""
        data = bytearray()
        while self.socket is not None and len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Close the connection without a word."""
        if self.assoc.driver.transport is not None:
            self.assoc.kill()
        elif self.socket is not None:
            self.socket.close()
        self.socket = None

    def get_local_addr(self, host: tuple[str, int] = ("10.255.255.255", 1)) -> str:
        """Return the address of this host that a peer would see."""
        with sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as probe:
            try:
                probe.connect((resolve(host[0]), host[1]))
                return str(probe.getsockname()[0])
            except OSError:
                return "127.0.0.1"

    def __str__(self) -> str:
        return str(self.socket)


class State(NamedTuple):
    """The state machine of PS3.8 9.2, as it stands."""

    current_state: str


class UpperLayer:
    """The upper layer of an association (PS3.8 9).

    Parameters
    ----------
    assoc : Association
        The association.
    """

    def __init__(self, assoc: Any) -> None:
        self.assoc = assoc

    @property
    def socket(self) -> AssociationSocket | None:
        """The socket; None before there is a connection, and after."""
        found = self.assoc.raw_socket
        return None if found is None else AssociationSocket(self.assoc, found)

    @property
    def state_machine(self) -> Any:
        """The state machine, to be looked at."""
        return State(self.assoc.connection.machine.state)

    @property
    def network_timeout(self) -> float | None:
        """Seconds of silence after which the association is given up; None waits for ever."""
        timeout: float | None = self.assoc.network_timeout
        return timeout

    def is_alive(self) -> bool:
        """Whether there is a connection."""
        return self.assoc.raw_socket is not None

    def idle_timer_expired(self) -> bool:
        """Whether the network time-out has passed."""
        return bool(self.assoc.is_idle_too_long())

    def kill_dul(self) -> None:
        """Close the connection without a word."""
        self.assoc.kill()

    def stop_dul(self) -> bool:
        """Whether the association is over, or was never begun: there is nothing to be stopped."""
        return bool(self.assoc.connection.machine.state == "Sta1")


class Messages:
    """The DIMSE messages of an association (PS3.7 6.3).

    Parameters
    ----------
    assoc : Association
        The association.
    """

    def __init__(self, assoc: Any) -> None:
        self.assoc = assoc

    @property
    def dul(self) -> UpperLayer:
        """The upper layer that they go through."""
        return UpperLayer(self.assoc)

    @property
    def dimse_timeout(self) -> float | None:
        """Seconds for the response to a request; None waits for ever."""
        timeout: float | None = self.assoc.dimse_timeout
        return timeout

    @property
    def maximum_pdu_size(self) -> int:
        """The longest P-DATA-TF that the peer receives, in bytes; 0 is unlimited."""
        connection = self.assoc.connection
        peer = connection.answer if connection.is_requestor else connection.request
        return maximum_length(peer.user_information if peer else [])

    @property
    def cancel_req(self) -> dict[int, Any]:
        """The Message IDs of the requests that the peer has cancelled."""
        return dict.fromkeys(sorted(self.assoc.connection.cancelled))

    def peek_msg(self) -> tuple[int, Any] | tuple[None, None]:
        """Return (context ID, message) of the next message that nobody has taken yet."""
        for event in list(self.assoc.connection.events):
            if isinstance(event, Message):
                return event.context_id, event
        return None, None
