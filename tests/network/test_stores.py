"""Turns instances into C-STORE requests, several under way at once, on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, Options, build_role, evt
from dicomwire.dataset.errors import UnreadableFile
from dicomwire.dataset.part10 import read_header
from dicomwire.network.stores import Stores
from dicomwire.protocol.command import decode_command
from dicomwire.protocol.errors import Aborted, DimseTimedOut
from dicomwire.protocol.items import AsynchronousOperationsWindow
from dicomwire.protocol.pdus import Abort, PDataTF, ReleaseRQ
from dicomwire.services.responding import response_for
from dicomwire.services.response import Response
from tests.network.ends import (
    CT,
    LOCAL,
    MR,
    Box,
    Peer,
    entity,
    established,
    image,
    port_of,
    saved,
    scripted,
    serving,
)
from tests.protocol import pairs

GET_MODEL, MOVE_MODEL = "1.2.840.10008.5.1.4.1.2.1.3", "1.2.840.10008.5.1.4.1.2.1.2"

ANYTHING = Dataset()
ANYTHING.PatientID = "42"


def asynchronous(most: int, title: str = "SCU", *uids: str) -> AE:
    """An AE that has so many operations under way in either direction."""
    return entity(title, *uids, asynchronous_operations=(most, most))


def uids_of(outcomes: Any) -> list[str]:
    return [each.SOPInstanceUID for each, outcome in outcomes if outcome.status == 0]


def store_request(peer: Peer) -> dict[str, Any] | None:
    """Read a C-STORE request with its data set; None when the peer wants to be released."""
    pdu = peer.read()
    if isinstance(pdu, ReleaseRQ):
        return None
    assert isinstance(pdu, PDataTF), pdu
    command = decode_command(pdu.values[0].data)
    while True:
        data = peer.read()
        assert isinstance(data, PDataTF), data
        if data.values[-1].control & 2:
            return command


def reply(peer: Peer, command: dict[str, Any], status: int = 0) -> None:
    peer.send(pairs.message(3, response_for(command, status, {})))


# -- c_stores ----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 7])
def test_every_instance_arrives_and_has_an_outcome(most: int, tmp_path: Path) -> None:
    box = Box()
    pair = {"scp": asynchronous(most, "SCP"), "scu": asynchronous(most)}
    stored = (evt.EVT_C_STORE, lambda event: box.put(event.request.AffectedSOPInstanceUID))
    with established(stored, **pair) as (assoc, acceptor):
        assert assoc.connection.may_invoke == acceptor.connection.may_invoke == most
        instances = [image(f"1.2.{number}") for number in range(20)]
        outcomes = list(assoc.c_stores(instances, msg_id=65530))
        path = saved(tmp_path / "one", image("1.2.99"))
        ((given, response),) = assoc.c_stores([path])
        assert (given, response.status) == (path, 0)
        assert assoc.send_c_echo().Status == 0
    assert uids_of(outcomes) == [each.SOPInstanceUID for each in instances]
    assert box.things == [each.SOPInstanceUID for each in instances] + ["1.2.99"]


def test_several_are_under_way_and_answers_come_in_any_order() -> None:
    def script(peer: Peer) -> None:
        window = AsynchronousOperationsWindow(3, 1)
        assert window.numbers in [
            getattr(i, "numbers", 0) for i in peer.accept(window).user_information
        ]
        for _ in range(2):
            waiting = [store_request(peer) for _ in range(3)]  # none is answered before the third
            for command in reversed(waiting):
                assert command is not None
                reply(peer, command, 0xB000 if command["MessageID"] % 2 else 0)
        assert isinstance(peer.read(), ReleaseRQ)
        peer.send(pairs.ReleaseRP())

    with scripted(script) as port:
        scu = entity("SCU", "1.2.840.10008.1.1", CT, asynchronous_operations=(3, 1))
        assoc = scu.associate(LOCAL, port)
        outcomes = list(assoc.c_stores([image(f"1.2.{n}", pairs.IMPLICIT) for n in range(1, 7)]))
        assoc.release()
    assert [each.SOPInstanceUID for each, _ in outcomes] == [
        "1.2.3", "1.2.2", "1.2.1", "1.2.6", "1.2.5", "1.2.4",
    ]  # fmt: skip
    statuses = [outcome.status for _, outcome in outcomes if isinstance(outcome, Response)]
    assert statuses == [0xB000, 0, 0xB000, 0, 0xB000, 0]


def test_the_next_is_read_while_the_response_is_awaited(tmp_path: Path) -> None:
    begun, read = threading.Event(), threading.Event()

    def store(event: Any) -> int:
        begun.set()
        return 0 if read.wait(30) else 0xA700

    paths = [saved(tmp_path / str(number), image(f"1.2.{number}")) for number in (1, 2)]
    with established((evt.EVT_C_STORE, store)) as (assoc, _):
        stores = Stores(assoc)
        stores.send(paths[0], "first")
        assert begun.wait(30)
        with stores.prepared(paths[1], msg_id=2) as prepared:
            paths[1].write_bytes(b"it is in memory by now")
            read.set()
            assert stores.is_full
            assert stores.settle(another_follows=True)[1].status == 0
            stores.send_prepared(prepared, "second")
        tag, response = stores.settle()
        assert (tag, response.status) == ("second", 0)
        assert assoc.send_c_echo().Status == 0
        stores.close()


def test_what_cannot_be_read_harms_no_association(tmp_path: Path) -> None:
    path = saved(tmp_path / "1", image("1.2.1"))
    with established((evt.EVT_C_STORE, lambda event: 0)) as (assoc, _):
        stores = Stores(assoc)
        header = read_header(path)
        path.write_bytes(b"")
        with pytest.raises(UnreadableFile, match="changed"):
            stores.send(header, "gone")
        assert not stores
        assert assoc.send_c_echo().Status == 0


def test_an_association_that_is_over_takes_nothing() -> None:
    with established((evt.EVT_C_STORE, lambda event: 0)) as (assoc, acceptor):
        stores = Stores(assoc)
        stores.send(image("1.2.1"), 1)
        assert stores.settle(another_follows=True)[1].status == 0
        with stores.prepared(image("1.2.2"), msg_id=2) as prepared:
            acceptor.abort()
            acceptor.join()
            with pytest.raises(RuntimeError, match="must be established"):
                stores.send_prepared(prepared, 2)
        assert assoc.is_aborted
        stores.close()


def test_nothing_is_negotiated_unless_asked_for() -> None:
    with established() as (assoc, acceptor):
        for side in (assoc, acceptor):
            assert side.connection.may_invoke == 1
            assert side.requestor.asynchronous_operations == (1, 1)
        assert Stores(assoc).most == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "invoked"), [((4, 1), (9, 2), 2), ((4, 1), (1, 1), 1), ((0, 0), (1, 6), 6)]
)
def test_both_sides_have_a_say(
    ours: tuple[int, int], theirs: tuple[int, int], invoked: int
) -> None:
    pair = {
        "scu": entity(asynchronous_operations=ours),
        "scp": entity("SCP", asynchronous_operations=theirs),
    }
    with established(**pair) as (assoc, _):
        assert assoc.connection.may_invoke == invoked


def test_a_window_given_as_an_item_is_the_one_that_counts() -> None:
    pair = {"scu": asynchronous(9), "scp": asynchronous(9, "SCP")}
    with established(**pair, ext_neg=[AsynchronousOperationsWindow(2, 1)]) as (assoc, acceptor):
        assert assoc.connection.may_invoke == 2
        assert acceptor.connection.may_invoke == 1
        assert assoc.requestor.asynchronous_operations == (2, 1)


@pytest.mark.parametrize("numbers", [(-1, 1), (1, 65536)])
def test_numbers_of_operations_fit_sixteen_bits(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="0 to 65535"):
        Options(asynchronous_operations=numbers)


def test_what_cannot_be_sent_is_said_and_the_rest_go_on(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no DICOM file")
    instances: list[Any] = [
        image("1.2.1"), tmp_path / "text", tmp_path / "none", image("1.2.2", sop_class=MR), 7,
        image("1.2.3"),
    ]  # fmt: skip
    pair = {"scp": asynchronous(4, "SCP"), "scu": asynchronous(4)}
    with established((evt.EVT_C_STORE, lambda event: 0), **pair) as (assoc, _):
        outcomes = dict(zip(map(str, instances), range(6), strict=True))
        found = [(outcomes[str(each)], outcome) for each, outcome in assoc.c_stores(instances)]
        assert assoc.is_established
    found.sort(key=lambda each: each[0])
    assert [number for number, _ in found] == list(range(6))
    assert [type(outcome) for _, outcome in found[:1] + found[-1:]] == [Response, Response]
    assert all(isinstance(outcome, Exception) for _, outcome in found[1:-1])


def test_the_next_is_taken_when_there_is_room_for_it() -> None:
    log: list[str] = []

    def instances() -> Iterator[Any]:
        for number in range(1, 5):
            log.append(f"taken {number}")
            yield image(f"1.2.{number}")

    pair = {"scp": asynchronous(2, "SCP"), "scu": asynchronous(2)}
    with established((evt.EVT_C_STORE, lambda event: 0), **pair) as (assoc, _):
        for instance, _ in assoc.c_stores(instances()):
            log.append(f"settled {instance.SOPInstanceUID[-1]}")
    assert log == ["taken 1", "taken 2", "settled 1", "taken 3", "settled 2", "taken 4",
                   "settled 3", "settled 4"]  # fmt: skip


def test_leaving_the_loop_leaves_a_usable_association() -> None:
    box = Box()
    pair = {"scp": asynchronous(5, "SCP"), "scu": asynchronous(5)}
    with established((evt.EVT_C_STORE, box.put), **pair) as (assoc, _):
        for _ in assoc.c_stores(image(f"1.2.{number}") for number in range(50)):
            break
        assert assoc.send_c_echo().Status == 0
        assert assoc.send_c_store(image("1.2.99")).Status == 0
    assert len(box.things) == 6


def test_nothing_else_begins_while_the_loop_runs() -> None:
    pair = {"scp": asynchronous(5, "SCP"), "scu": asynchronous(5)}
    with established((evt.EVT_C_STORE, lambda event: 0), **pair) as (assoc, _):
        stores = assoc.c_stores([image("1.2.1"), image("1.2.2"), *[image("1.2.3")] * 4])
        next(stores)
        with pytest.raises(RuntimeError, match="C-ECHO cannot begin inside C-STORE"):
            assoc.send_c_echo()
        other: list[Any] = []
        thread = threading.Thread(target=lambda: other.append(assoc.send_c_echo().Status))
        thread.start()
        assert len(list(stores)) == 5
        thread.join()
        assert other == [0]


@pytest.mark.parametrize("after", [1, 3])
def test_a_peer_that_aborts_ends_the_loop_with_its_reason(after: int) -> None:
    def script(peer: Peer) -> None:
        peer.accept(AsynchronousOperationsWindow(3, 1))
        commands = [store_request(peer) for _ in range(3)]
        for command in commands[: after - 1]:
            assert command is not None
            reply(peer, command)
        peer.send(Abort(2, 0))
        assert peer.rest() == []

    with scripted(script) as port:
        scu = entity("SCU", "1.2.840.10008.1.1", CT, asynchronous_operations=(3, 1))
        assoc = scu.associate(LOCAL, port)
        found = []
        stores = assoc.c_stores([image(f"1.2.{n}", pairs.IMPLICIT) for n in range(3)])
        with pytest.raises(Aborted):
            found.extend(stores)
        assert assoc.is_aborted
        with pytest.raises(RuntimeError):
            assoc.send_c_echo()
        assert next(stores, None) is None


def test_a_peer_that_answers_nothing_runs_into_the_time_out() -> None:
    def script(peer: Peer) -> None:
        peer.accept(AsynchronousOperationsWindow(2, 1))
        for _ in range(2):
            store_request(peer)
        assert isinstance(peer.read(), Abort)

    with scripted(script) as port:
        scu = entity("SCU", "1.2.840.10008.1.1", CT, asynchronous_operations=(2, 1))
        scu.dimse_timeout = 0.2
        assoc = scu.associate(LOCAL, port)
        with pytest.raises(Aborted) as error:
            list(assoc.c_stores([image(f"1.2.{n}", pairs.IMPLICIT) for n in range(3)]))
        assert isinstance(error.value.__cause__, DimseTimedOut)


def test_it_is_the_requestor_that_has_many_under_way() -> None:
    scp = entity("SCP")
    scp.add_supported_context(CT, scu_role=True, scp_role=True)
    roles = [build_role(CT, scu_role=True, scp_role=True)]
    with established(scp=scp, ext_neg=roles) as (_, acceptor):  # noqa: SIM117
        with pytest.raises(RuntimeError, match="acceptor"):
            list(acceptor.c_stores([image()]))


def test_wrong_arguments_are_said_at_once() -> None:
    with established() as (assoc, _):
        with pytest.raises(ValueError, match="priority"):
            assoc.c_stores([], priority=3)
        with pytest.raises(ValueError, match="65"):
            assoc.c_stores([], msg_id=65536)
    with pytest.raises(RuntimeError):
        assoc.c_stores([])


# -- sub-operations ------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 4])
def test_sub_operations_of_a_get_use_the_window(most: int) -> None:
    def get(event: Any) -> Iterator[Any]:
        yield 30
        for number in range(30):
            yield 0xFF00, image(f"1.2.{number}")

    box = Box()
    stored = (evt.EVT_C_STORE, lambda event: box.put(event.dataset.SOPInstanceUID))
    scp = asynchronous(most, "SCP", GET_MODEL)
    scp.add_supported_context(CT, scu_role=True, scp_role=True)
    scu = asynchronous(most, "SCU", GET_MODEL, CT)
    with established(
        (evt.EVT_C_GET, get), scp=scp, scu=scu, ext_neg=[build_role(CT, scp_role=True)],
        evt_handlers=[stored],
    ) as (assoc, acceptor):  # fmt: skip
        assert acceptor.connection.may_invoke == most
        statuses = [status for status, _ in assoc.send_c_get(ANYTHING, GET_MODEL)]
        assert assoc.is_established
    assert [each.Status for each in statuses] == [0xFF00] * 30 + [0]
    assert statuses[-1].NumberOfCompletedSuboperations == 30
    assert box.things == [f"1.2.{number}" for number in range(30)]


def test_sub_operations_of_a_move_use_the_window_of_the_destination() -> None:
    box, depth = Box(), Box()

    def script(peer: Peer) -> None:
        peer.accept(AsynchronousOperationsWindow(3, 1))
        for _ in range(2):
            waiting = [store_request(peer) for _ in range(3)]
            depth.put(len(waiting))
            for command in waiting[::-1]:
                assert command is not None
                box.put(command["AffectedSOPInstanceUID"])
                reply(peer, command)
        assert store_request(peer) is None
        peer.send(pairs.ReleaseRP())

    with scripted(script) as port:

        def move(event: Any) -> Iterator[Any]:
            window = AsynchronousOperationsWindow(3, 1)
            yield LOCAL, port, {"ext_neg": [window]}
            yield 6
            for number in range(6):
                yield 0xFF00, image(f"1.2.{number}", pairs.IMPLICIT)

        scp = entity("SCP", "1.2.840.10008.1.1", CT)
        scp.add_supported_context(MOVE_MODEL)
        with serving(scp, (evt.EVT_C_MOVE, move)) as server:
            assoc = entity("SCU", MOVE_MODEL).associate(LOCAL, port_of(server))
            statuses = [status for status, _ in assoc.send_c_move(image(), "DEST", MOVE_MODEL)]
            assoc.release()
    assert [each.Status for each in statuses] == [0xFF00] * 6 + [0]
    assert box.things == ["1.2.2", "1.2.1", "1.2.0", "1.2.5", "1.2.4", "1.2.3"]
