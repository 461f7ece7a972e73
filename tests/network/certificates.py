"""Turns a throw-away certification authority into TLS contexts for both ends."""

from __future__ import annotations

import ssl
from functools import cache
from typing import NamedTuple

import trustme


class Ends(NamedTuple):
    """A server's context, and a client's that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@cache
def authority(name: str) -> trustme.CA:
    """The certification authority of that name; each is made once."""
    return trustme.CA(organization_name=name or None)


def contexts(mutual: bool = False, trusted: str = "", ours: str | None = "") -> Ends:
    """Contexts for both ends.

    `mutual` asks for the client's certificate; the client trusts the authority `trusted`, and its
    own certificate is of the authority `ours`, or there is none.
    """
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority("").issue_cert("localhost", "127.0.0.1").configure_cert(server)
    if mutual:
        server.verify_mode = ssl.CERT_REQUIRED
        authority("").configure_trust(server)
    client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    authority(trusted).configure_trust(client)
    if ours is not None:
        authority(ours).issue_cert("client").configure_cert(client)
    return Ends(server, client)
