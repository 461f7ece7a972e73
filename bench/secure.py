"""The CT objects over TLS, ours to ours and DCMTK's to DCMTK's, into a row of the table."""

from __future__ import annotations

import shutil
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bench.objects import make_objects
from bench.peers import DCMTK, DICOMWIRE, OURS, Measured, Peer, run, scp_of, seconds_of, store
from bench.report import Bar, Row
from bench.storing import CT
from bench.turns import Turn, Unfit, in_turn


def secured(peer: Peer, certificates: Path) -> Peer:
    """Return a peer whose tools use TLS, with certificates that `dicomwire tls` made."""

    def options(side: str) -> list[str]:
        files = [certificates / name for name in (f"{side}.key", f"{side}.pem", "ca.pem")]
        key, own, authority = map(str, files)
        return ["+tls", key, own, "+cf", authority]

    return replace(
        peer,
        scp=lambda port, out: [*peer.scp(port, out), *options("scp")],
        scu=lambda port, data: [*peer.scu(port, data), *options("scu")],
    )


def negotiated(port: int, certificates: Path) -> str:
    """Return the version of TLS and the cipher that an SCP agrees on, with what it prefers."""
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.check_hostname = False
    context.load_cert_chain(certificates / "scu.pem", certificates / "scu.key")
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain) as sock,
    ):
        cipher = sock.cipher()
        return f"{sock.version()}, {cipher[0] if cipher else 'no cipher'}"


def secure(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare storing over TLS; the cipher that each SCP agrees on is noted."""
    work = CT.tenth() if quick else CT
    certificates = scratch / "certificates"
    run([*OURS, "tls", str(certificates)])
    data = make_objects(scratch / "data", work.count, work.size)

    def turn(peer: Peer) -> Turn[Measured]:
        safe = secured(peer, certificates)
        cipher = ""
        with suppress(Unfit, OSError), scp_of(safe, scratch / "out") as server:
            cipher = negotiated(server.port, certificates)  # else the turn itself says why not
        return Turn(peer.name, lambda: store(safe, safe, data, scratch), note=cipher)

    found = in_turn(runs, [turn(DICOMWIRE), turn(DCMTK)])
    shutil.rmtree(scratch)
    bars = (Bar(0.8, DCMTK.name),)
    return [Row(f"{work.name} over TLS", "s", seconds_of(found), bars, found.notes)]
