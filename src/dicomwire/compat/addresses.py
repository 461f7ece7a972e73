"""What `associate` and sockets take as an address into pynetdicom's `AddressInformation`."""

from __future__ import annotations

import socket
from typing import Any

from dicomwire.network.addresses import resolve

_ANY = {"": "0.0.0.0", "<broadcast>": "<broadcast>"}  # what sockets take without looking it up


class AddressInformation:
    """One end of a connection.

    Parameters
    ----------
    addr : str
        Address or host name; "" is all interfaces.
    port : int
        TCP port.
    flowinfo, scope_id : int
        IPv6 only.
    """

    def __init__(self, addr: str, port: int, flowinfo: int = 0, scope_id: int = 0) -> None:
        self.address = addr
        self.port = port
        self.flowinfo = flowinfo
        self.scope_id = scope_id

    @property
    def address(self) -> str:
        """The address; a host name that is assigned is looked up."""
        return self._address

    @address.setter
    def address(self, value: str) -> None:
        self._address = _ANY.get(value) or resolve(value)

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 one."""
        return ":" in self.address

    @property
    def is_ipv4(self) -> bool:
        """Whether the address is an IPv4 one."""
        return not self.is_ipv6

    @property
    def address_family(self) -> socket.AddressFamily:
        """The family that a socket for it has."""
        return socket.AF_INET6 if self.is_ipv6 else socket.AF_INET

    @property
    def as_tuple(self) -> tuple[Any, ...]:
        """The address as sockets take it."""
        short = (self.address, self.port)
        return (*short, self.flowinfo, self.scope_id) if self.is_ipv6 else short

    @classmethod
    def from_tuple(cls, addr: tuple[Any, ...]) -> AddressInformation:
        """Make one from what sockets give: two members, or four for IPv6."""
        return cls(*addr)

    @classmethod
    def from_addr_port(cls, addr: str | tuple[str, int, int], port: int) -> AddressInformation:
        """Make one from the first two arguments of `AE.associate`."""
        return cls(addr, port) if isinstance(addr, str) else cls(addr[0], port, *addr[1:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressInformation) and self.as_tuple == other.as_tuple

    def __hash__(self) -> int:
        return hash(self.as_tuple)

    def __repr__(self) -> str:
        return f"AddressInformation{self.as_tuple}"
