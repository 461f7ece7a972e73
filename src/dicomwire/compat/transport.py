"""pynetdicom's `transport` module: servers, sockets, and what it calls an address."""

from __future__ import annotations

from dicomwire.compat.addresses import AddressInformation
from dicomwire.network.server import AssociationServer, RequestHandler, ThreadedAssociationServer
from dicomwire.network.upper_layer import AssociationSocket

__all__ = [
    "AddressInformation",
    "AssociationServer",
    "AssociationSocket",
    "RequestHandler",
    "ThreadedAssociationServer",
]
