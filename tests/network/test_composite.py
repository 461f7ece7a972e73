"""Turns C-GET and C-MOVE into calls of one AE and handlers of others, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, Options, build_role, evt
from dicomwire.protocol.pdus import Abort
from tests.network.certificates import contexts
from tests.network.ends import (
    CT,
    EXPLICIT,
    LOCAL,
    MR,
    Box,
    Peer,
    entity,
    established,
    image,
    keys,
    pair,
    port_of,
    scripted,
    serving,
)

MOVE_MODEL = "1.2.840.10008.5.1.4.1.2.1.2"
GET_MODEL = "1.2.840.10008.5.1.4.1.2.1.3"
PRINTER, META = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.9"
INSTANCE = "1.2.3"


# -- retrieval, all parties on loopback ----------------------------------------------------------


def get_ends(*storage: str) -> dict[str, Any]:
    scp, scu = AE("SCP", Options(linger=0.5)), entity("SCU", GET_MODEL, *storage)
    scp.add_supported_context(GET_MODEL)
    for uid in storage:
        scp.add_supported_context(uid, scu_role=True, scp_role=True)
    return {"scp": scp, "scu": scu, "ext_neg": [build_role(uid, scp_role=True) for uid in storage]}


def test_a_get_stores_here() -> None:
    box = Box()

    def on_get(e: Any) -> Iterator[Any]:
        yield 3
        for number in range(2):
            yield 0xFF00, image(f"1.2.{number}")
        yield 0xFF00, image("1.2.9", sop_class=MR)

    def on_store(e: Any) -> int:
        return box.put((str(e.dataset.SOPInstanceUID), e.message_id))

    stores = [(evt.EVT_C_STORE, on_store)]
    ends = get_ends(CT)
    with established((evt.EVT_C_GET, on_get), **ends, evt_handlers=stores) as (assoc, _):
        answers = list(assoc.send_c_get(keys(), GET_MODEL, msg_id=5))
        assert assoc.is_established
    assert box.things == [("1.2.0", 6), ("1.2.1", 7)]
    assert [status.Status for status, _ in answers] == [0xFF00] * 3 + [0xB000]
    assert [identifier for _, identifier in answers[:-1]] == [None] * 3
    status, identifier = answers[-1]
    assert (status.NumberOfCompletedSuboperations, status.NumberOfFailedSuboperations) == (2, 1)
    assert identifier is not None
    assert identifier.FailedSOPInstanceUIDList == "1.2.9"


@pytest.mark.parametrize(
    ("how", "status"), [("unbound", 0xA702), ("raises", 0xA702), ("warns", 0xB000)]
)
def test_a_get_whose_stores_fail(how: str, status: int) -> None:
    def on_get(e: Any) -> Iterator[Any]:
        yield 1
        yield 0xFF00, image()

    def on_store(e: Any) -> int:
        if how == "raises":
            raise KeyError("of a handler")
        return 0xB000

    stores = [] if how == "unbound" else [(evt.EVT_C_STORE, on_store)]
    handlers = [(evt.EVT_C_GET, on_get)]
    with established(*handlers, **get_ends(CT), evt_handlers=stores) as (assoc, _):
        answers = list(assoc.send_c_get(keys(), GET_MODEL))
        assert answers[-1][0].Status == status
        assert assoc.is_established


def test_a_move_goes_to_a_third_party() -> None:
    box = Box()

    def on_store(e: Any) -> int:
        request = e.request
        originator = request.MoveOriginatorApplicationEntityTitle
        return box.put((e.assoc.requestor.ae_title, originator, request.MoveOriginatorMessageID))

    def on_move(e: Any) -> Iterator[Any]:
        assert e.move_destination == "DEST"
        yield LOCAL, port_of(destination)
        yield 2
        yield 0xFF00, image("1.2.1")
        yield 0xFF00, image("1.2.2")

    ends = pair(MOVE_MODEL)
    ends["scp"].add_requested_context(CT)
    with (
        serving(entity("DEST"), (evt.EVT_C_STORE, on_store)) as destination,
        established((evt.EVT_C_MOVE, on_move), **ends) as (assoc, _),
    ):
        answers = list(assoc.send_c_move(keys(), "DEST", MOVE_MODEL, msg_id=9))
    assert [status.Status for status, _ in answers] == [0xFF00, 0xFF00, 0]
    assert answers[-1][0].NumberOfCompletedSuboperations == 2
    assert box.things == [("SCP", "SCU", 9)] * 2


def moved_to(where: Any, count: int = 1) -> list[int]:
    """The statuses of a C-MOVE whose handler wants the instances there."""

    def on_move(e: Any) -> Iterator[Any]:
        yield where
        yield count
        for number in range(count):
            yield 0xFF00, image(f"1.2.{number}")

    ends = pair(MOVE_MODEL)
    ends["scp"].add_requested_context(CT)
    with established((evt.EVT_C_MOVE, on_move), **ends) as (assoc, _):
        found = [status.Status for status, _ in assoc.send_c_move(keys(), "DEST", MOVE_MODEL)]
        assert assoc.is_established
    return found


def test_a_destination_that_refuses_is_unknown() -> None:
    dest = entity("DEST")
    dest.require_called_aet = True
    with serving(dest) as server:
        assert moved_to((LOCAL, port_of(server), {"ae_title": "WRONG"})) == [0xA801]
        assert moved_to((LOCAL, port_of(server), {"no such argument": 1})) == [0xC515]
        assert moved_to((LOCAL, port_of(server), {"contexts": 7})) == [0xC515]
        assert moved_to((LOCAL, port_of(server), {"evt_handlers": [7]})) == [0xC515]
        port = port_of(server)
    assert moved_to((LOCAL, port)) == [0xA801]


def test_a_destination_that_aborts_in_the_middle_costs_the_rest() -> None:
    count: list[int] = []

    def on_store(e: Any) -> int:
        count.append(1)
        if len(count) == 2:
            e.assoc.abort()
        return 0

    with serving(entity("DEST"), (evt.EVT_C_STORE, on_store)) as server:
        assert moved_to((LOCAL, port_of(server)), 4) == [0xFF00] * 4 + [0xB000]
    assert len(count) == 2


def test_a_destination_may_have_time_outs_of_its_own() -> None:
    def silent(peer: Peer) -> None:
        peer.accept()
        while not isinstance(peer.read(), Abort | None):
            pass

    with scripted(silent) as port:
        where = (LOCAL, port, {"dimse_timeout": 0.2, "acse_timeout": 5})
        assert moved_to(where) == [0xFF00, 0xA702]


def test_a_destination_over_tls_is_asked_over_tls() -> None:
    box, ends = Box(), contexts()
    handler = (evt.EVT_C_STORE, lambda e: box.put(1))
    with serving(entity("DEST"), handler, ssl_context=ends.server) as server:
        where = (LOCAL, port_of(server), {"tls_args": (ends.client, "localhost")})
        assert moved_to(where) == [0xFF00, 0]
        assert moved_to((LOCAL, port_of(server))) == [0xA801]
    assert box.things == [1]


def test_cancel_of_a_get_in_the_middle() -> None:
    def on_get(e: Any) -> Iterator[Any]:
        yield 100
        for number in range(100):
            if e.is_cancelled:
                assert e.is_cancelled  # looking at it changes nothing
                yield 0xFE00, None
                return
            yield 0xFF00, image(f"1.2.{number}")

    stores = [(evt.EVT_C_STORE, lambda e: 0)]
    with established((evt.EVT_C_GET, on_get), **get_ends(CT), evt_handlers=stores) as (assoc, _):
        found = []
        for status, _identifier in assoc.send_c_get(keys(), GET_MODEL, msg_id=5):
            found.append(status.Status)
            if len(found) == 2:
                assoc.send_c_cancel(5, query_model=GET_MODEL)
        assert assoc.is_established
    assert found[-1] == 0xFE00
    assert 3 <= len(found) < 100


def test_a_peer_that_aborts_instead_of_answering() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        peer.send(Abort(0, 0))

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assert assoc.send_n_get([], CT, INSTANCE) == (Dataset(), None)
        assert assoc.is_aborted
        assert assoc.ended is not None


def test_everything_uses_the_syntax_that_was_agreed_on() -> None:
    ends = {"scp": AE("SCP", Options(linger=0.5)), "scu": AE("SCU", Options(linger=0.5))}
    ends["scp"].add_supported_context(PRINTER, [EXPLICIT])
    ends["scu"].add_requested_context(PRINTER)
    handlers = [(evt.EVT_N_SET, lambda e: (0, e.modification_list))]
    with established(*handlers, **ends) as (assoc, _):
        status, data = assoc.send_n_set(keys(PatientName="Ä^B", SpecificCharacterSet="ISO_IR 100"),
                                        PRINTER, INSTANCE)  # fmt: skip
    assert status.Status == 0
    assert data is not None
    assert data.PatientName == "Ä^B"
