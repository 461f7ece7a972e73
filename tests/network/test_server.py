"""Turns listening sockets into associations: several servers, limits, both ways to stop."""

from __future__ import annotations

import errno
import logging
import os
import resource
import select
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, build_context, evt
from dicomwire.network.server import BACKLOG, AssociationServer, ThreadedAssociationServer
from tests.network.ends import (
    CT,
    LOCAL,
    MR,
    VERIFICATION,
    WAIT,
    Box,
    call,
    dial,
    entity,
    image,
    lines,
    port_of,
    serving,
)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_port_0_is_any_free_port() -> None:
    with serving() as one, serving() as other:
        assert isinstance(one, ThreadedAssociationServer)
        assert port_of(one) == one.socket.getsockname()[1] > 0
        assert port_of(one) != port_of(other)
        assert one.server_address[0] == LOCAL


def test_all_interfaces_are_the_empty_host() -> None:
    with serving(None, address=("", 0)) as server:
        assert server.server_address[0] == "0.0.0.0"
        with call(server) as assoc:
            assert assoc.send_c_echo().Status == 0


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
@pytest.mark.parametrize("addr", ["::1", ("::1", 0, 0)])
def test_ipv6_works_as_well(addr: Any) -> None:
    with serving(None, address=("::1", 0)) as server:
        with entity().associate(addr, port_of(server)) as assoc:
            assert assoc.send_c_echo().Status == 0
            assert assoc.acceptor.address == "::1"
            assert assoc.requestor.address == "::1"
        with entity().associate("::1", port_of(server), bind_address=("::1", 0, 0, 0)) as assoc:
            assert assoc.is_established


def test_the_local_end_can_be_chosen() -> None:
    box = Box()
    with serving(None, (evt.EVT_CONN_OPEN, box.put)) as server:
        with socket.socket() as free:
            free.bind((LOCAL, 0))
            port = free.getsockname()[1]
        assoc = call(server, bind_address=(LOCAL, port))
        assert assoc.is_established
        assert assoc.requestor.port == port
        assert box.wait()[0].address == (LOCAL, port)
        assoc.abort()


def test_a_local_end_that_is_taken_is_the_callers_mistake() -> None:
    with serving() as server, socket.create_server((LOCAL, 0)) as taken:
        ae = entity()
        with pytest.raises(OSError, match="in use") as caught:
            call(server, ae, bind_address=taken.getsockname())
        assert caught.value.errno == errno.EADDRINUSE
        assert ae.active_associations == []
        for wrong in ("127.0.0.1", (1, 2), ("127.0.0.1",), ("127.0.0.1", "0"), (LOCAL, 0, 0)):
            with pytest.raises(TypeError):
                call(server, ae, bind_address=wrong)


def test_a_port_that_is_taken_cannot_be_served() -> None:
    with serving() as server, pytest.raises(OSError, match="in use"):
        entity().start_server((LOCAL, port_of(server)), block=False)


def test_a_blocking_server_is_stopped_from_another_thread() -> None:
    ae, started = entity("SCP"), Box()
    real = ThreadedAssociationServer.serve_forever

    class Told(ThreadedAssociationServer):
        def serve_forever(self, poll_interval: float = 0.5) -> None:
            started.put(self)
            real(self, poll_interval)

    from dicomwire.network import server as module

    before = module.ThreadedAssociationServer
    module.ThreadedAssociationServer = Told  # type: ignore[misc]
    try:
        returned = Box()
        thread = threading.Thread(
            target=lambda: returned.put(ae.start_server((LOCAL, 0), block=True))
        )
        thread.start()
        server = started.wait()[0]
        with call(server) as assoc:
            assert assoc.send_c_echo().Status == 0
        ae.shutdown()
        thread.join(WAIT)
        assert returned.things == [None]
    finally:
        module.ThreadedAssociationServer = before  # type: ignore[misc]


def test_a_blocking_server_is_stopped_by_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[AssociationServer] = []

    def interrupted(self: AssociationServer, poll_interval: float = 0.5) -> None:
        made.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(AssociationServer, "serve_forever", interrupted)
    assert entity().start_server((LOCAL, 0), block=True) is None
    assert made[0].socket.fileno() == -1


def test_several_servers_of_one_ae_have_titles_and_contexts_of_their_own() -> None:
    ae = AE("MAIN")
    ae.add_supported_context(VERIFICATION)
    ae.require_called_aet = True
    one = ae.start_server((LOCAL, 0), block=False)
    other = ae.start_server((LOCAL, 0), block=False, ae_title="OTHER", contexts=[build_context(CT)])
    assert one is not None
    assert other is not None
    try:
        found = {}
        for server in (one, other):
            for title in ("MAIN", "OTHER"):
                assoc = call(server, ae_title=title)
                contexts = [c.abstract_syntax for c in assoc.accepted_contexts]
                found[server.ae_title, title] = contexts if assoc.is_established else "rejected"
                assoc.release()
        assert found == {
            ("MAIN", "MAIN"): [VERIFICATION],
            ("MAIN", "OTHER"): "rejected",
            ("OTHER", "MAIN"): "rejected",
            ("OTHER", "OTHER"): [CT],
        }
    finally:
        ae.shutdown()


def test_contexts_are_those_of_when_the_server_was_made() -> None:
    ae = AE("SCP")
    ae.add_supported_context(VERIFICATION)
    with serving(ae) as server:
        ae.add_supported_context(CT)
        with call(server) as assoc:
            assert [c.abstract_syntax for c in assoc.accepted_contexts] == [VERIFICATION]


def test_settings_of_the_ae_count_while_it_serves() -> None:
    ae = entity("SCP")
    with serving(ae) as server:
        assert call(server).is_established
        ae.require_calling_aet = ["FRIEND"]
        assert call(server).is_rejected
        assert call(server, entity("FRIEND")).is_established
        ae.require_calling_aet = []
        ae.maximum_pdu_size = 5000
        assert call(server).acceptor.maximum_length == 5000


@pytest.mark.box("10.8")
def test_a_server_can_be_of_ones_own_class() -> None:
    made: list[Any] = []

    class Own(AssociationServer):
        def __init__(self, *arguments: Any, colour: str) -> None:
            super().__init__(*arguments)
            self.colour = colour

        def process_request(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
            made.append(address)
            super().process_request(sock, address)

    ae = entity("SCP")
    server = ae.make_server((LOCAL, 0), server_class=Own, colour="green")
    assert isinstance(server, Own)
    assert server.colour == "green"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with call(server) as assoc:
        assert assoc.send_c_echo().Status == 0
    server.shutdown()
    thread.join(WAIT)
    assert len(made) == 1


@pytest.mark.box("10.8")
def test_a_server_that_is_made_listens_but_does_not_serve() -> None:
    ae = entity("SCP")
    with ae.make_server((LOCAL, 0)) as server:
        with dial(port_of(server)):
            pass
        assert server.active_associations == []
    with pytest.raises(ConnectionRefusedError), dial(port_of(server)):
        pass


def test_a_crowd_that_comes_at_once_finds_room_to_wait() -> None:
    """Who finds none is not told so: its system tries again after one second, three, seven."""
    limit = Path("/proc/sys/net/core/somaxconn")
    count = min(500, int(limit.read_text()) if limit.exists() else 100)
    with entity("SCP").make_server((LOCAL, 0)) as server, ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(server.server_address)
            assert select.select([], [sock], [], 0.5)[1], "a second later it would be tried again"
    assert BACKLOG >= 500


def test_a_server_needs_contexts_and_whole_roles() -> None:
    with pytest.raises(ValueError, match="No supported presentation contexts"):
        AE().make_server((LOCAL, 0))
    ae = AE()
    ae.add_supported_context(CT, scu_role=True)
    with pytest.raises(ValueError, match="scu_role and scp_role"):
        ae.make_server((LOCAL, 0))
    with pytest.raises(ValueError, match="PresentationContext"):
        entity().make_server((LOCAL, 0), contexts=[CT])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        entity().make_server(LOCAL)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ae_title"):
        entity().make_server((LOCAL, 0), ae_title="a\\b")


def test_a_promiscuous_server_takes_storage_and_what_nobody_knows() -> None:
    ae = entity("SCP", "1.2.3", accept_any_storage=True)
    ae.supported_contexts = []
    stored = Box()
    private = "1.2.826.0.1.3680043.2.1143.999"
    with serving(ae, (evt.EVT_C_STORE, stored.put)) as server:
        scu = entity("SCU", CT, MR, private, VERIFICATION)
        with call(server, scu) as assoc:
            assert [c.abstract_syntax for c in assoc.accepted_contexts] == [CT, MR, private]
            assert assoc.send_c_store(image(sop_class=MR)).Status == 0
            assert assoc.send_c_store(image(sop_class=private)).Status == 0
    assert len(stored.things) == 2


# -- stopping ------------------------------------------------------------------------------------


def test_a_server_that_shuts_down_leaves_its_associations() -> None:
    with serving() as server:
        assoc = call(server)
        server.shutdown()
        server.shutdown()
        assert assoc.send_c_echo().Status == 0
        assert entity().associate(LOCAL, port_of(server)).is_aborted
        assoc.release()
        assert assoc.is_released


def test_an_ae_that_shuts_down_aborts_all_associations_of_both_kinds() -> None:
    ae, box = entity("BOTH"), Box()
    with serving(ae, (evt.EVT_ABORTED, box.put)) as one, serving() as other:
        into = [call(one) for _ in range(3)]
        out = call(other, ae)
        assert len(ae.active_associations) == 4
        ae.shutdown()
        ae.shutdown()
        assert ae.active_associations == []
        for assoc in (*into, out):
            assoc.join(WAIT)
            assert assoc.is_aborted
        box.wait(3)
        assert entity().associate(LOCAL, port_of(one)).is_aborted


def test_the_limit_is_for_all_servers_of_an_ae_together() -> None:
    ae = entity("SCP")
    ae.maximum_associations = 2
    with serving(ae) as one:
        other = ae.start_server((LOCAL, 0), block=False)
        assert other is not None
        first, second = call(one), call(other)
        assert first.is_established
        assert second.is_established
        assert call(one).is_rejected
        assert call(other).is_rejected
        assert [len(server.active_associations) >= 1 for server in (one, other)] == [True, True]
        first.abort()
        for acceptor in one.active_associations:
            acceptor.join(WAIT)
        third = call(other)
        assert third.is_established


def test_an_aborted_association_gives_its_slot_back_at_once() -> None:
    ae, box = entity("SCP", linger=5.0), Box()
    ae.maximum_associations = 1
    with serving(ae, (evt.EVT_ABORTED, box.put)) as server:
        for number in range(1, 6):
            assoc = call(server)
            assert assoc.is_established
            assoc.abort()
            box.wait(number)


# -- bad days ------------------------------------------------------------------------------------


def test_a_process_without_descriptors_waits_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dicomwire.network import server as module

    real, failures = module.AssociationServer.get_request, [errno.EMFILE, errno.ENFILE]

    def get_request(server: Any) -> Any:
        if failures:
            raise OSError(failures.pop(), "Too many open files")
        return real(server)

    monkeypatch.setattr(module.AssociationServer, "get_request", get_request)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    with serving() as server, call(server) as assoc:
        assert assoc.send_c_echo().Status == 0
    assert failures == []
    said = [line for line in lines(caplog, logging.ERROR) if "Too many open files" in line]
    assert len(said) == 2


def test_a_process_without_threads_refuses_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dicomwire.network.association import Association

    real, fails = Association.start, [True]

    def start(self: Association, *arguments: Any) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("can't start new thread")
        real(self, *arguments)

    monkeypatch.setattr(Association, "start", start)
    with serving() as server:
        assert call(server).is_aborted
        assert server.active_associations == []
        with call(server) as assoc:
            assert assoc.send_c_echo().Status == 0
    assert any("can't start new thread" in line for line in lines(caplog, logging.ERROR))


def test_a_real_shortage_of_descriptors_passes() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving() as server:
        call(server).release()  # so it has what it needs itself
        waiting = [socket.socket() for _ in range(6)]
        held: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(waiting[-1].fileno() + 20, 64), hard))
        try:
            while True:
                held.append(os.dup(0))
        except OSError:
            pass
        try:
            for sock in waiting:
                sock.connect((LOCAL, port_of(server)))
        finally:
            for number in held:
                os.close(number)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with call(server) as assoc:
            assert assoc.send_c_echo().Status == 0
        for sock in waiting:
            sock.close()
