"""Where a peer comes from, and what its certificate says, into whether it is let in."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dicomwire.network.addresses import is_tls

logger = logging.getLogger("dicomwire.server")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED = 96  # bits before an IPv4 address in an IPv6 one: RFC 4291 2.5.5.2


def canonical(host: str) -> IPAddress | None:
    """Return an address in the form that addresses are compared in; None when it is none.

    An IPv4 address that was mapped to IPv6, as sockets for both show it, is that IPv4 address.
    """
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(256)
def address_text(host: str) -> str:
    """Return that form as text; what is no address stays as it is."""
    return str(canonical(host) or host)


@lru_cache(64)
def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Read networks, as "192.0.2.0/24", and addresses.

    Raises
    ------
    ValueError
        When one is neither, or has bits beyond its mask.
    """
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"{error}; a network is written as 192.0.2.0/24 or 2001:db8::/32"
        ) from None
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped is None or found.prefixlen < _MAPPED:
        return found
    return ipaddress.ip_network((mapped, found.prefixlen - _MAPPED))


def may_connect(host: str, networks: tuple[str, ...]) -> bool:
    """Whether a peer is in one of the networks; of no networks everybody is.

    Parameters
    ----------
    host : str
        Its address.
    networks : tuple of str
        See `Options.networks`.
    """
    if not networks:
        return True
    address = canonical(host)
    return address is not None and any(
        address.version == each.version and address in each for each in networks_of(networks)
    )


def may_call(title: str, host: str, titles: Mapping[str, Sequence[str]]) -> bool:
    """Whether a peer may have an AE title; those that are bound to no networks anybody may.

    Parameters
    ----------
    title : str
        The calling AE title.
    host : str
        The peer's address.
    titles : mapping
        See `Options.title_networks`.
    """
    wanted = title.strip()  # spaces around do not count: PS3.5 6.2
    networks = [each for known in titles if known.strip() == wanted for each in titles[known]]
    return may_connect(host, tuple(networks))


def certificate_names(sock: Any) -> tuple[str, ...]:
    """Return the names in a peer's certificate: common names, and alternative DNS names.

    Parameters
    ----------
    sock : socket or SSLSocket
        The connection; without TLS, or a certificate, there are none.
    """
    found = sock.getpeercert() if is_tls(sock) else None
    if not found:
        return ()
    subject: Sequence[Any] = found.get("subject", ())
    names = [value for part in subject for key, value in part if key == "commonName"]
    others: Sequence[Any] = found.get("subjectAltName", ())
    return (*names, *(value for key, value in others if key == "DNS"))


def warn_if_open(host: str, port: int, is_tls: bool, networks: tuple[str, ...]) -> None:
    """Say that anybody may use a server, if that is so."""
    address = canonical(host)
    if is_tls or networks or (address is not None and address.is_loopback):
        return
    logger.warning(
        "Anybody who reaches port %d may use this server: it has neither TLS nor a list of "
        "networks. Check: Options.networks, TLS, or listening on 127.0.0.1 only",
        port,
    )
