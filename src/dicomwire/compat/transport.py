"""pynetdicom's `transport` module: servers, and what it calls an address."""

from __future__ import annotations

from dicomwire.compat.addresses import AddressInformation
from dicomwire.network.server import AssociationServer, ThreadedAssociationServer

__all__ = ["AddressInformation", "AssociationServer", "ThreadedAssociationServer"]
