"""Addresses, sockets and servers as pynetdicom has them."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.compat.transport import (
    T_CONNECT,
    AddressInformation,
    AssociationServer,
    AssociationSocket,
    RequestHandler,
    ThreadedAssociationServer,
)
from dicomwire.pdu_primitives import A_ASSOCIATE
from tests.network.ends import LOCAL, VERIFICATION, WAIT, entity, established


@pytest.mark.box("10.5")
def test_ipv4() -> None:
    end = AddressInformation("127.0.0.1", 104)
    assert (end.is_ipv4, end.is_ipv6, end.address_family) == (True, False, socket.AF_INET)
    assert end.as_tuple == ("127.0.0.1", 104)
    assert end == AddressInformation.from_tuple(("127.0.0.1", 104))
    assert len({end, AddressInformation("127.0.0.1", 104)}) == 1


@pytest.mark.box("10.5")
def test_ipv6() -> None:
    end = AddressInformation.from_addr_port(("::1", 2, 3), 104)
    assert (end.is_ipv4, end.is_ipv6, end.address_family) == (False, True, socket.AF_INET6)
    assert end.as_tuple == ("::1", 104, 2, 3)
    assert "::1" in repr(end)


@pytest.mark.box("10.5")
def test_names_are_looked_up_and_empty_is_everywhere() -> None:
    assert AddressInformation.from_addr_port("localhost", 1).address == "127.0.0.1"
    end = AddressInformation("", 1)
    assert end.address == "0.0.0.0"
    end.address = "127.0.0.2"
    assert end.as_tuple == ("127.0.0.2", 1)


@pytest.mark.box("10.5")
def test_an_address_may_be_a_broadcast() -> None:
    assert AddressInformation("<broadcast>", 1).address == "<broadcast>"


def connect_to(port: int) -> T_CONNECT:
    request = A_ASSOCIATE()
    request.called_presentation_address = AddressInformation(LOCAL, port)
    return T_CONNECT(request)


@pytest.mark.box("10.6")
def test_a_connect_says_where_and_what_became_of_it() -> None:
    connect = connect_to(104)
    assert connect.address == (LOCAL, 104)
    assert connect.address_info is connect.request.called_presentation_address
    with pytest.raises(ValueError, match="not been tried"):
        _ = connect.result
    with pytest.raises(ValueError, match="Evt3"):
        connect.result = "Evt3"
    connect.result = "Evt17"
    assert connect.result == "Evt17"
    with pytest.raises(TypeError):
        T_CONNECT("localhost")  # type: ignore[arg-type]  # it is what is refused
    with pytest.raises(ValueError, match="address"):
        _ = T_CONNECT(A_ASSOCIATE()).address


@pytest.mark.socket
@pytest.mark.box("10.6", "10.7")
def test_a_socket_connects_sends_receives_and_closes() -> None:
    with socket.create_server((LOCAL, 0)) as listener:
        assoc = SimpleNamespace(
            connection_timeout=WAIT,
            acse_timeout=WAIT,
            driver=SimpleNamespace(transport=None),
            dul=SimpleNamespace(event_queue="events", to_provider_queue="primitives"),
        )
        ours = AssociationSocket(assoc, address=AddressInformation(LOCAL, 0))
        assert (ours.select_timeout, ours.tls_args, ours.assoc) == (0.5, None, assoc)
        assert (ours.event_queue, ours.provider_queue) == ("events", "primitives")
        connect = connect_to(listener.getsockname()[1])
        ours.connect(connect)
        assert connect.result == "Evt2"
        peer, _ = listener.accept()
        with peer:
            assert not ours.ready
            ours.send(b"question")
            assert peer.recv(100) == b"question"
            peer.sendall(b"answer and more")
            assert ours.recv(6) == b"answer"
            assert isinstance(ours.recv(4), bytearray)
            assert ours.ready
            assert LOCAL in str(ours)
            ours.close()
            assert ours.socket is None
    nowhere = AssociationSocket(assoc, address=AddressInformation(LOCAL, 0))
    nowhere.connect(connect)
    assert connect.result == "Evt17"
    with pytest.raises(ValueError):
        AssociationSocket(assoc)


@pytest.mark.socket
@pytest.mark.box("10.7")
def test_the_socket_of_an_association() -> None:
    with established() as (assoc, acceptor):
        ours = assoc.dul.socket
        assert isinstance(ours, AssociationSocket)
        assert ours.socket.getpeername() == acceptor.dul.socket.socket.getsockname()
        assert not ours.ready
        ours.close()
        assert assoc.is_aborted
        acceptor.join(WAIT)
        assert acceptor.is_aborted


@pytest.mark.socket
@pytest.mark.box("10.8", "10.9")
def test_a_request_handler_changes_the_associations_of_a_server() -> None:
    made: list[Any] = []

    class Handler(RequestHandler):
        def handle(self) -> None:
            made.append((self.ae, self.local.as_tuple, self.remote.as_tuple))
            super().handle()

        def _create_association(self) -> Any:
            association = super()._create_association()
            association.dimse_timeout = 17
            made.append(association)
            return association

    ae = entity("SCP")
    server = ae.make_server(
        (LOCAL, 0), request_handler=Handler, server_class=ThreadedAssociationServer
    )
    assert isinstance(server, AssociationServer)
    assert (server.ae, server.ae_title, server.ssl_context) == (ae, "SCP", None)
    assert server.request_queue_size >= 5
    assert server.contexts[0].abstract_syntax == VERIFICATION
    server.bind(evt.EVT_C_ECHO, print)
    assert server.get_handlers(evt.EVT_C_ECHO)[0] is print
    assert evt.EVT_C_ECHO in server.get_events()
    server.unbind(evt.EVT_C_ECHO, print)
    serving = threading.Thread(target=server.serve_forever, args=(0.5,))
    serving.start()
    try:
        assoc = entity().associate(LOCAL, server.server_address[1])
        assert assoc.send_c_echo().Status == 0
        (handled, local, remote), association = made
        assert handled is ae
        assert local == server.server_address
        assert remote == assoc.dul.socket.socket.getsockname()
        assert association.dimse_timeout == 17
        assert server.active_associations == [association]
        assoc.release()
    finally:
        server.shutdown()
        serving.join(WAIT)
    assert not serving.is_alive()
