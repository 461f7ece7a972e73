"""Turns requests that cannot be served into a status that says why, and a server that goes on."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, evt
from dicomwire.protocol.command import Command
from dicomwire.protocol.pdus import AssociateAC
from dicomwire.standard.dimse import BY_NAME, SERVICES
from tests.network.ends import CT, LOCAL, Peer, dial, entity, port_of, serving
from tests.protocol import pairs

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
WORKLIST, PRINTER = "1.2.840.10008.5.1.4.31", "1.2.840.10008.5.1.1.16"
MODELS = {"C-FIND": FIND, "C-MOVE": MOVE, "C-GET": GET, "C-STORE": CT}
CLASSES = [FIND, MOVE, GET, CT, WORKLIST, PRINTER]
DOES_NOT_MATCH = 0xA900  # identifier does not match SOP Class, PS3.4 Table C.4-1 to C.4-3
MISSING = 0x0120

LEVEL = struct.pack("<HHL", 0x0008, 0x0052, 6)
CUT_SHORT = LEVEL + b"STU"
UNKNOWN = LEVEL + b"PLANET"
NO_LEVEL = struct.pack("<HHL", 0x0010, 0x0020, 2) + b"P1"
RUBBISH = b"\xff" * 7
# What a handler reads of a request that comes with a data set
READS = {
    "C-STORE": "dataset", "N-EVENT-REPORT": "event_information", "N-SET": "modification_list",
    "N-ACTION": "action_information", "N-CREATE": "attribute_list",
}  # fmt: skip
WITH_DATA = [row for row in SERVICES if row.data_in]


def command_of(name: str) -> Command:
    """A request with everything that it has to have."""
    row = BY_NAME[name]
    fields: Command = {"CommandField": row.command_field, "MessageID": 5}
    fields |= {"Priority": 0} if "Priority" in row.request_fields else {}
    fields[row.class_uid] = MODELS.get(name, PRINTER)
    if row.instance_uid:
        fields[row.instance_uid] = "1.2.3"
    values = {"MoveDestination": "NOWHERE", "EventTypeID": 1, "ActionTypeID": 1}
    return fields | {name: values[name] for name in values if name in row.request_fields}


def answered(peer: Peer, name: str, data: bytes | None, **more: Any) -> Command:
    """Send a request; return the response."""
    command = {**command_of(name), **more}
    uid = command.get("AffectedSOPClassUID") or command["RequestedSOPClassUID"]
    peer.send(pairs.message(2 * CLASSES.index(uid) + 1, command, data))
    return peer.command()


def by_level(event: Any) -> Iterator[Any]:
    """Serve as most handlers do: look at the level first."""
    level = event.identifier.QueryRetrieveLevel
    if level not in ("STUDY", "SERIES", "IMAGE"):
        refusal = Dataset()
        refusal.Status, refusal.ErrorComment = DOES_NOT_MATCH, "no level of this model"
        refusal.OffendingElement = 0x00080052
        if event.request.msg_type == "C-GET":
            yield 1
        yield refusal, None


def to_nowhere(event: Any) -> Iterator[Any]:
    """Know no destination, or one where nobody listens."""
    unknown = event.move_destination == "NOWHERE"
    yield (None, None) if unknown else (LOCAL, 1)
    yield 1


def reading(name: str) -> Any:
    """Make a handler that reads the data set of a request."""
    return lambda event: (0, len(getattr(event, READS[name]))) and (0, None)


def server_for(**handlers: Any) -> Any:
    """Serve all of it."""
    names = {row.event: reading(row.name) for row in WITH_DATA if row.name in READS}
    names |= dict.fromkeys(["EVT_C_FIND", "EVT_C_GET", "EVT_C_MOVE"], by_level)
    bound = [(getattr(evt, name), handler) for name, handler in {**names, **handlers}.items()]
    ae: AE = entity("SCP", *CLASSES)
    return serving(ae, *bound)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with server_for() as running:
        yield running


@pytest.fixture
def peer(server: Any) -> Iterator[Peer]:
    """A raw association, on which the server has to answer an honest request afterwards."""
    with calling(server) as peer:
        yield peer
        assert answered(peer, "C-FIND", LEVEL + b"STUDY ")["Status"] == 0


@contextmanager
def calling(server: Any) -> Iterator[Peer]:
    """A raw connection with an association for everything."""
    contexts = [
        pairs.ProposedContext(2 * n + 1, uid, (pairs.IMPLICIT,)) for n, uid in enumerate(CLASSES)
    ]
    with dial(port_of(server)) as peer:
        peer.send(pairs.request(contexts=contexts))
        assert isinstance(peer.read(), AssociateAC)
        yield peer


@pytest.mark.parametrize("data", [CUT_SHORT, RUBBISH], ids=["cut short", "rubbish"])
@pytest.mark.parametrize("name", [row.name for row in WITH_DATA])
def test_a_data_set_that_cannot_be_decoded(peer: Peer, name: str, data: bytes) -> None:
    response = answered(peer, name, data)
    assert response["Status"] == BY_NAME[name].on_error
    assert response["ErrorComment"] == "the data set of the request cannot be decoded"


@pytest.mark.parametrize("name", ["C-FIND", "C-GET", "C-MOVE"])
def test_an_identifier_without_a_level_that_the_handler_needs(peer: Peer, name: str) -> None:
    response = answered(peer, name, NO_LEVEL)
    assert response["Status"] == BY_NAME[name].on_error
    assert response["ErrorComment"] == "the handler raised AttributeError"


def test_a_worklist_needs_no_level() -> None:
    seen: list[Dataset] = []

    def handler(event: Any) -> None:
        seen.append(event.identifier)

    with server_for(EVT_C_FIND=handler) as running, calling(running) as peer:
        assert answered(peer, "C-FIND", NO_LEVEL, AffectedSOPClassUID=WORKLIST)["Status"] == 0
    assert [each.PatientID for each in seen] == ["P1"]


@pytest.mark.parametrize("name", ["C-FIND", "C-GET"])
def test_a_level_that_the_handler_refuses(peer: Peer, name: str) -> None:
    response = answered(peer, name, UNKNOWN)
    assert response["Status"] == DOES_NOT_MATCH
    assert response["ErrorComment"] == "no level of this model"
    assert response["OffendingElement"] == [0x00080052]
    if name == "C-GET":  # the list of failed instances, PS3.4 C.4.3.1.4
        peer.read()


@pytest.mark.parametrize("name", ["C-FIND", "C-GET", "C-MOVE", "C-STORE", "N-SET"])
def test_no_data_set_where_there_has_to_be_one(peer: Peer, name: str) -> None:
    response = answered(peer, name, None)
    assert (response["Status"], response["ErrorComment"]) == (
        MISSING,
        "the request has no data set",
    )


@pytest.mark.parametrize(
    ("name", "missing"),
    [("C-FIND", "AffectedSOPClassUID"), ("C-MOVE", "MoveDestination"), ("N-ACTION", "ActionTypeID"),
     ("N-SET", "RequestedSOPInstanceUID"), ("C-STORE", "AffectedSOPInstanceUID")],
)  # fmt: skip
def test_a_request_without_what_it_has_to_have(peer: Peer, name: str, missing: str) -> None:
    command = command_of(name)
    context = 2 * CLASSES.index(MODELS.get(name, PRINTER)) + 1
    peer.send(pairs.message(context, {**command, missing: None}, LEVEL + b"STUDY "))
    response = peer.command()
    assert response["Status"] == MISSING
    assert response["ErrorComment"] == f"the request is without {missing}"


def test_a_sop_class_of_another_context(peer: Peer) -> None:
    command = {**command_of("C-FIND"), "AffectedSOPClassUID": WORKLIST}
    peer.send(pairs.message(1, command, NO_LEVEL))
    response = peer.command()
    assert response["Status"] == 0x0122
    assert response["ErrorComment"] == "the presentation context is for another SOP class"


@pytest.mark.parametrize(
    ("title", "comment"),
    [
        ("NOWHERE", "the move destination is unknown"),
        ("CLOSED", "the move destination cannot be reached"),
    ],
)
def test_a_destination_that_there_is_not(title: str, comment: str) -> None:
    with server_for(EVT_C_MOVE=to_nowhere) as running, calling(running) as peer:
        for _ in range(2):
            response = answered(peer, "C-MOVE", LEVEL + b"STUDY ", MoveDestination=title)
            assert (response["Status"], response["ErrorComment"]) == (0xA801, comment)


def test_a_handler_that_is_not_there() -> None:
    with serving(entity("SCP", *CLASSES)) as running, calling(running) as peer:
        for row in WITH_DATA:
            response = answered(peer, row.name, NO_LEVEL)
            assert response["Status"] == row.on_error
            assert response["ErrorComment"] == "no handler is bound to the service"


def test_what_a_handler_s_error_says_stays_here() -> None:
    def fail(event: Any) -> Any:
        raise KeyError("Doe^Jane is not there")

    with server_for(EVT_C_STORE=fail) as running, calling(running) as peer:
        response = answered(peer, "C-STORE", NO_LEVEL)
    assert response["ErrorComment"] == "the handler raised KeyError"
