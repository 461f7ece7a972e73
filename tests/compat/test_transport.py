"""Addresses as pynetdicom has them."""

from __future__ import annotations

import socket

from dicomwire.compat.transport import AddressInformation


def test_ipv4() -> None:
    end = AddressInformation("127.0.0.1", 104)
    assert (end.is_ipv4, end.is_ipv6, end.address_family) == (True, False, socket.AF_INET)
    assert end.as_tuple == ("127.0.0.1", 104)
    assert end == AddressInformation.from_tuple(("127.0.0.1", 104))
    assert len({end, AddressInformation("127.0.0.1", 104)}) == 1


def test_ipv6() -> None:
    end = AddressInformation.from_addr_port(("::1", 2, 3), 104)
    assert (end.is_ipv4, end.is_ipv6, end.address_family) == (False, True, socket.AF_INET6)
    assert end.as_tuple == ("::1", 104, 2, 3)
    assert "::1" in repr(end)


def test_names_are_looked_up_and_empty_is_everywhere() -> None:
    assert AddressInformation.from_addr_port("localhost", 1).address == "127.0.0.1"
    end = AddressInformation("", 1)
    assert end.address == "0.0.0.0"
    end.address = "127.0.0.2"
    assert end.as_tuple == ("127.0.0.2", 1)
