"""pynetdicom's `transport` module: addresses, sockets and servers."""

from __future__ import annotations

from typing import Any

from dicomwire.compat.addresses import AddressInformation
from dicomwire.compat.pdu_primitives import A_ASSOCIATE
from dicomwire.network import upper_layer
from dicomwire.network.addresses import Address, open_socket
from dicomwire.network.server import AssociationServer, RequestHandler, ThreadedAssociationServer
from dicomwire.protocol.errors import Ended

_RESULTS = ("Evt2", "Evt17")  # PS3.8 Table 9-10: connected, closed


class T_CONNECT:
    """A TRANSPORT CONNECT: the request of a connection, and what became of it (PS3.8 9.1.3).

    Parameters
    ----------
    request : A_ASSOCIATE
        What is to be asked for over the connection; its called presentation address is the peer's.

    Raises
    ------
    TypeError
        When it is something else.
    """

    def __init__(self, request: A_ASSOCIATE) -> None:
        if not isinstance(request, A_ASSOCIATE):
            raise TypeError(f"request is an A_ASSOCIATE, not {type(request).__name__}")
        self.request = request
        self._result = ""

    @property
    def address_info(self) -> AddressInformation:
        """The peer's address; raises ValueError when the request has none."""
        found = self.request.called_presentation_address
        if found is None:
            raise ValueError("The request has no called presentation address")
        return found

    @property
    def address(self) -> tuple[Any, ...]:
        """The peer's address as sockets take it."""
        return self.address_info.as_tuple

    @property
    def result(self) -> str:
        """ "Evt2" when there is a connection, "Evt17" when not; ValueError before it was tried."""
        if not self._result:
            raise ValueError("The connection has not been tried yet")
        return self._result

    @result.setter
    def result(self, value: str) -> None:
        if value not in _RESULTS:
            raise ValueError(f"The result of a connection is one of {_RESULTS}, not {value!r}")
        self._result = value


class AssociationSocket(upper_layer.AssociationSocket):
    """The socket of an association; see `dicomwire.network.upper_layer`.

    Attributes
    ----------
    select_timeout : float
        Says nothing: nothing is polled.
    """

    select_timeout = 0.5

    @property
    def event_queue(self) -> Any:
        """See `DULServiceProvider.event_queue`."""
        return self.assoc.dul.event_queue

    @property
    def provider_queue(self) -> Any:
        """See `DULServiceProvider.to_provider_queue`."""
        return self.assoc.dul.to_provider_queue

    def connect(self, primitive: T_CONNECT) -> None:
        """Connect to a peer, with TLS when there are `tls_args`; the result is in the primitive.

        Parameters
        ----------
        primitive : T_CONNECT
            Which peer.
        """
        where = primitive.address_info
        address = Address(where.address, where.port, where.flowinfo, where.scope_id)
        assoc = self.assoc
        timeouts = (assoc.connection_timeout, None, self.tls_args, assoc.acse_timeout)
        try:
            self.socket = open_socket(address, *timeouts, self.socket)
            primitive.result = "Evt2"
        except Ended:
            self.socket = None
            primitive.result = "Evt17"


__all__ = [
    "AddressInformation",
    "AssociationServer",
    "AssociationSocket",
    "RequestHandler",
    "T_CONNECT",
    "ThreadedAssociationServer",
]
