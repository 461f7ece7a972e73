"""Turns addresses and TLS settings into connections, or into what is wrong with them."""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.network.addresses import (
    Address,
    addresses_of,
    is_tls,
    is_tls_error,
    local_address,
    peer_address,
    resolve,
)
from dicomwire.protocol.errors import Fault, Lost
from dicomwire.protocol.pdus import Abort
from tests.network.certificates import contexts
from tests.network.ends import (
    LOCAL,
    WAIT,
    Box,
    Peer,
    call,
    dial,
    entity,
    image,
    lines,
    port_of,
    scripted,
    serving,
)
from tests.protocol import pairs

# -- names ---------------------------------------------------------------------------------------


def test_a_name_becomes_an_ipv4_address_first(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET6, 1, 6, "", ("2001:db8::1", 0, 0, 0)),
        (socket.AF_INET, 1, 6, "", ("192.0.2.1", 0)),
        (socket.AF_INET, 1, 6, "", ("192.0.2.2", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: list(found))
    assert resolve("host") == "192.0.2.1"
    assert addresses_of("host") == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    del found[1:]
    assert resolve("host") == "2001:db8::1"


def test_a_name_that_nobody_knows_is_raised() -> None:
    with pytest.raises(socket.gaierror):
        entity().associate("no-such-host.invalid", 104)


@pytest.mark.parametrize(
    ("addr", "port"),
    [(7, 104), (None, 104), (LOCAL, "104"), (LOCAL, None), (LOCAL, 1.0), (LOCAL, True),
     (("::1", 0), 104), ((1, 2, 3), 104), ([LOCAL], 104)],
)  # fmt: skip
def test_a_peers_address_has_its_types(addr: Any, port: Any) -> None:
    with pytest.raises(TypeError):
        entity().associate(addr, port)


def test_an_address_is_what_a_socket_takes() -> None:
    assert peer_address(LOCAL, 104) == Address(LOCAL, 104)
    assert Address(LOCAL, 104).as_tuple == (LOCAL, 104)
    assert not Address(LOCAL, 104).is_ipv6
    assert peer_address(("::1", 2, 3), 104).as_tuple == ("::1", 104, 2, 3)
    assert Address("::1", 104).is_ipv6
    for fine in ((LOCAL, 0), ("::1", 0, 0, 0)):
        assert local_address(fine) == fine


# -- TLS -------------------------------------------------------------------------------------------


@pytest.mark.box("10.10")
@pytest.mark.parametrize("mutual", [False, True])
@pytest.mark.parametrize("hostname", [None, "localhost"])
@pytest.mark.box("2.9")
def test_tls_carries_an_association(mutual: bool, hostname: str | None) -> None:
    ends = contexts(mutual, ours="" if mutual else None)
    ends.client.check_hostname = hostname is not None
    box = Box()

    def on_store(event: Any) -> int:
        return box.put(event.encoded_dataset(include_meta=False))

    with serving(None, (evt.EVT_C_STORE, on_store), ssl_context=ends.server) as server:
        with call(server, tls_args=(ends.client, hostname)) as assoc:
            assert assoc.send_c_echo().Status == 0
            assert assoc.send_c_store(image(size=1_000_000)).Status == 0
            assert assoc.send_c_echo().Status == 0
        assert assoc.is_released
    assert len(box.things[0]) > 1_000_000


def test_tls_idles_aborts_and_releases_like_a_plain_connection() -> None:
    ends = contexts()
    for ending in ("acceptor aborts", "acceptor releases", "requestor times out", "abort"):
        box = Box()
        scp = entity("SCP")
        bound = (evt.EVT_ESTABLISHED, lambda event: box.put(event.assoc))  # noqa: B023
        with serving(scp, bound, ssl_context=ends.server) as server:
            assoc = call(server, tls_args=(ends.client, "localhost"))
            assert assoc.send_c_echo().Status == 0
            acceptor = box.wait()[0]
            if ending == "acceptor aborts":
                acceptor.abort()
            elif ending == "acceptor releases":
                acceptor.network_timeout_response = "A-RELEASE"
                acceptor.network_timeout = 0.05
                assert assoc.send_c_echo().Status == 0  # from then on it counts
            elif ending == "requestor times out":
                assoc.network_timeout = 0.05
            else:
                assoc.abort()
            assoc.join(WAIT)
            acceptor.join(WAIT)
            released = ending == "acceptor releases"
            assert (assoc.is_released, assoc.is_aborted) == (released, not released), ending
            assert acceptor.is_released is released


def test_tls_sends_an_abort_while_an_operation_waits() -> None:
    ends, inside, go = contexts(), threading.Event(), threading.Event()

    def on_echo(event: Any) -> int:
        inside.set()
        assert go.wait(WAIT)
        return 0

    with serving(None, (evt.EVT_C_ECHO, on_echo), ssl_context=ends.server) as server:
        assoc = call(server, tls_args=(ends.client, "localhost"))
        box = Box()
        thread = threading.Thread(target=lambda: box.put(len(assoc.send_c_echo())))
        thread.start()
        assert inside.wait(WAIT)
        assoc.abort()
        assert box.wait() == [0]
        go.set()
        thread.join(WAIT)
        assert assoc.is_aborted


def test_plain_dicom_to_a_tls_port_says_so_on_both_sides(
    caplog: pytest.LogCaptureFixture,
) -> None:
    box = Box()
    with serving(None, (evt.EVT_ABORTED, box.put), ssl_context=contexts().server) as server:
        assoc = call(server)
        acceptor = box.wait()[0].assoc
    assert assoc.is_aborted
    assert isinstance(assoc.ended, Lost)
    assert "TLS" in assoc.ended.check
    assert isinstance(acceptor.ended, Lost)
    assert "TLS handshake" in acceptor.ended.what
    assert "speaks TLS" in acceptor.ended.check
    assert any("TLS handshake failed" in line for line in lines(caplog, logging.ERROR))


def test_tls_to_a_plain_port_says_so_on_both_sides() -> None:
    box = Box()
    with serving(None, (evt.EVT_ABORTED, box.put)) as server:
        assoc = call(server, tls_args=(contexts().client, "localhost"))
        acceptor = box.wait()[0].assoc
    assert assoc.is_aborted
    assert isinstance(assoc.ended, Lost)
    assert "TLS handshake failed" in assoc.ended.what
    assert "whether the peer expects TLS" in assoc.ended.check
    assert "speaks TLS" in str(acceptor.ended)
    assert acceptor.ended.fault is Fault.SETTINGS


def test_a_peer_of_another_authority_is_not_trusted() -> None:
    ends = contexts(trusted="another")
    with serving(None, ssl_context=ends.server) as server:
        assoc = call(server, tls_args=(ends.client, "localhost"))
        assert assoc.is_aborted
        assert isinstance(assoc.ended, Lost)
        assert "CA that issued the peer's certificate" in assoc.ended.check
        right = contexts().client
        with call(server, tls_args=(right, "localhost")) as assoc:
            assert assoc.is_established


def test_a_peer_of_another_name_is_not_trusted() -> None:
    ends = contexts()
    with serving(None, ssl_context=ends.server) as server:
        assoc = call(server, tls_args=(ends.client, "elsewhere"))
        assert isinstance(assoc.ended, Lost)
        assert "host name" in assoc.ended.check


@pytest.mark.parametrize("ours", [None, "another"], ids=["no certificate", "another authority"])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_a_server_that_wants_another_certificate_says_so(
    ours: str | None, newest: ssl.TLSVersion
) -> None:
    """With TLS 1.3 the requestor learns of it only after its half of the handshake."""
    ends, box = contexts(mutual=True, ours=ours), Box()
    ends.server.maximum_version = newest
    with serving(None, (evt.EVT_ABORTED, box.put), ssl_context=ends.server) as server:
        assoc = call(server, tls_args=(ends.client, "localhost"))
        acceptor = box.wait()[0].assoc
        assert assoc.is_aborted
        assert isinstance(assoc.ended, Lost)
        assert "TLS handshake" in assoc.ended.what
        assert "certificate" in assoc.ended.check
        if ours or newest is ssl.TLSVersion.TLSv1_3:  # older ones do not say what is amiss
            assert "trusts the CA of our certificate" in assoc.ended.check
        assert isinstance(acceptor.ended, Lost)
        with call(server, tls_args=(contexts(True).client, "localhost")) as assoc:
            assert assoc.is_established


def test_silent_tls_clients_keep_nobody_waiting() -> None:
    ends, box = contexts(), Box()
    ae = entity("SCP")
    ae.acse_timeout = 0.3
    with serving(ae, (evt.EVT_ABORTED, box.put), ssl_context=ends.server) as server:
        silent = [socket.create_connection((LOCAL, port_of(server))) for _ in range(10)]
        with call(server, tls_args=(ends.client, "localhost")) as assoc:
            assert assoc.send_c_echo().Status == 0
        ended = [event.assoc.ended for event in box.wait(10)]
        for sock in silent:
            sock.settimeout(WAIT)
            assert sock.recv(1) == b""
            sock.close()
    assert {str(error.what) for error in ended} == {"The TLS handshake timed out"}


def test_a_silent_tls_server_is_given_up() -> None:
    over = threading.Event()
    with scripted(lambda peer: over.wait(WAIT)) as port:
        ae = entity()
        ae.acse_timeout = 0.2
        assoc = ae.associate(LOCAL, port, tls_args=(contexts().client, "localhost"))
        over.set()
    assert assoc.is_aborted
    assert isinstance(assoc.ended, Lost)
    assert assoc.ended.what == "The TLS handshake timed out"


def test_a_tls_peer_that_vanishes_is_lost() -> None:
    ends = contexts()

    def script(peer: Peer) -> None:
        with ends.server.wrap_socket(peer.socket, server_side=True) as wrapped:
            other = Peer(wrapped)
            other.accept()
            wrapped.shutdown(socket.SHUT_RDWR)

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port, tls_args=(ends.client, "localhost"))
        assoc.join(WAIT)
    assert isinstance(assoc.ended, Lost)


@pytest.mark.box("10.8", "10.10")
def test_the_context_of_a_server_can_be_replaced() -> None:
    with serving(None, ssl_context=contexts().server) as server:
        client = contexts(trusted="another").client
        assert call(server, tls_args=(client, None if client.check_hostname else "")).is_aborted
        server.ssl_context = None
        with call(server) as assoc:
            assert assoc.is_established


def test_garbage_inside_tls_is_answered_like_any_other() -> None:
    ends = contexts()
    with (
        serving(None, ssl_context=ends.server) as server,
        dial(port_of(server)) as peer,
        ends.client.wrap_socket(peer.socket, server_hostname="localhost") as wrapped,
    ):
        inner = Peer(wrapped)
        inner.send(pairs.request())
        inner.read()
        inner.send(b"\x99\0\0\0\0\0")
        assert inner.read() == Abort(2, 1)


@pytest.mark.parametrize("loaded", [None, ModuleType("ssl")])
def test_nothing_is_tls_before_that_is_loaded(
    monkeypatch: pytest.MonkeyPatch, loaded: ModuleType | None
) -> None:
    error = ssl.SSLError()
    assert is_tls_error(error)
    with socket.socket() as sock:
        assert not is_tls(sock)
        if loaded is None:
            monkeypatch.delitem(sys.modules, "ssl")
        else:  # another thread is in the middle of it
            monkeypatch.setitem(sys.modules, "ssl", loaded)
        assert not is_tls(sock)
        assert not is_tls_error(error)
