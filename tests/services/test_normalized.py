"""Turns requests of the six N-services into the one response of each handler, in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.dataset.codec import decode, encode
from dicomwire.protocol.command import Command
from dicomwire.protocol.messages import Memory
from dicomwire.services import scp
from dicomwire.standard.dimse import BY_NAME, Service
from tests.protocol.pairs import EXPLICIT
from tests.services.stage import Side, associated_for, message, said

PRINTER, META = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.9"
UPS_PUSH, UPS_PULL = "1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.4.34.6.3"
PRIVATE = "1.2.826.0.1.3680043.9.9999.1"
SERVICES = [row for row in BY_NAME.values() if row.name.startswith("N-")]
REPLYING = [row for row in SERVICES if row.data_out]
NAMED = {"ids": lambda row: row.name}
TYPES = {"EventTypeID": 3, "ActionTypeID": 4}


def reply(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in (elements or {"PatientID": "7"}).items():
        setattr(dataset, keyword, value)
    return dataset


def request(service: Service, sop_class: str = PRINTER, **changes: Any) -> Command:
    """A command set with everything that the service demands."""
    command = {
        "CommandField": service.command_field,
        "MessageID": 9,
        service.class_uid: sop_class,
        service.instance_uid: "1.2.3",
        **{name: TYPES[name] for name in service.demanded_fields},
        **changes,
    }
    return {name: value for name, value in command.items() if value is not None}


def data_for(service: Service) -> Memory | None:
    if not service.data_in:
        return None
    sink = Memory()
    sink.write([memoryview(encode(reply(), EXPLICIT))])
    return sink


def answered(
    service: Service,
    handler: Callable[..., Any] | None,
    command: Command | None = None,
    context: str = PRINTER,
    **more: Any,
) -> tuple[Command, Dataset | None]:
    _, acceptor = associated_for(context)
    data = more.get("data", data_for(service))
    asked = message(1, command or request(service), data)
    side = Side(acceptor, scp.answer(acceptor, asked), {service.event: handler} if handler else {})
    side.advance()
    side.flush()
    assert side.done
    assert side.error is None
    [(response, encoded)] = said(side)
    assert response["CommandField"] == service.command_field | 0x8000
    assert response["MessageIDBeingRespondedTo"] == 9
    return response, decode(encoded, EXPLICIT) if encoded else None


def shaped(service: Service, status: Any, dataset: Any = None) -> Any:
    """What a handler of the service gives: N-DELETE has no data set to answer with."""
    return (status, dataset) if service.data_out else status


@pytest.mark.parametrize("service", SERVICES, **NAMED)
@pytest.mark.parametrize("sop_class", [PRINTER, PRIVATE])
def test_a_request_gets_status_and_data_set(service: Service, sop_class: str) -> None:
    asked = request(service, sop_class)
    response, data = answered(
        service, lambda message: shaped(service, 0, reply()), asked, sop_class
    )
    assert response["Status"] == 0
    assert response["AffectedSOPClassUID"] == sop_class
    assert response["AffectedSOPInstanceUID"] == "1.2.3"
    assert (data is not None) == bool(service.data_out)
    for name in service.demanded_fields:
        assert response[name] == TYPES[name]


@pytest.mark.parametrize("service", SERVICES, **NAMED)
def test_without_a_handler_and_with_one_that_raises(service: Service) -> None:
    def raising(message: Any) -> Any:
        raise KeyError("of a handler")

    for handler in (None, raising):
        response, data = answered(service, handler)
        assert response["Status"] == 0x0110
        assert data is None


@pytest.mark.parametrize("service", SERVICES, **NAMED)
@pytest.mark.parametrize(
    ("status", "kept"),
    [(0x0000, True), (0x0107, True), (0x0116, True), (0xB123, True), (0x0112, False),
     (0xC123, False), (0xFE00, False), (0xFF00, False), (0x1234, False)],
)  # fmt: skip
def test_a_data_set_goes_with_success_and_warning_only(
    service: Service, status: int, kept: bool
) -> None:
    response, data = answered(service, lambda message: shaped(service, status, reply()))
    assert response["Status"] == status
    assert (data is not None) == (kept and bool(service.data_out))


@pytest.mark.parametrize("service", SERVICES, **NAMED)
@pytest.mark.parametrize(
    ("status", "expected"), [(Dataset(), 0xC001), (None, 0xC002), ("0", 0xC002), (1 << 16, 0xC002)]
)
def test_a_status_that_is_none(service: Service, status: Any, expected: int) -> None:
    assert answered(service, lambda message: shaped(service, status))[0]["Status"] == expected


@pytest.mark.parametrize("service", REPLYING, **NAMED)
@pytest.mark.parametrize(
    "value", [0, None, (0,), (0, reply(), 1), "00", reply(Status=0), (0, "text"), (0, 7)], ids=repr
)
@pytest.mark.box("7.16")
def test_a_wrong_shape_is_a_failure_and_no_abort(service: Service, value: Any) -> None:
    response, data = answered(service, lambda message: value)
    assert response["Status"] == 0x0110
    assert response["ErrorComment"]
    assert data is None


def test_n_delete_takes_a_status_alone() -> None:
    service = BY_NAME["N-DELETE"]
    assert answered(service, lambda message: (0, None))[0]["Status"] == 0xC002


@pytest.mark.parametrize("service", REPLYING, **NAMED)
@pytest.mark.parametrize("dataset", [None, Dataset()], ids=["None", "empty"])
def test_success_without_a_data_set(service: Service, dataset: Any) -> None:
    response, data = answered(service, lambda message: (0, dataset))
    assert (response["Status"], data) == (0, None)


@pytest.mark.filterwarnings("ignore:A value of type")
@pytest.mark.parametrize("service", REPLYING, **NAMED)
def test_a_data_set_that_cannot_be_encoded_is_a_processing_failure(service: Service) -> None:
    dataset = Dataset()
    dataset.add_new(0x00280010, "US", "many")
    response, data = answered(service, lambda message: (0, dataset))
    assert response["Status"] == 0x0110
    assert response["ErrorComment"]
    assert data is None


@pytest.mark.parametrize("service", SERVICES, **NAMED)
def test_what_explains_a_status_goes_along_if_the_service_has_it(service: Service) -> None:
    status = reply(Status=0x0112, ErrorComment="gone", ErrorID=77, OffendingElement=0x00100010)
    response, _ = answered(service, lambda message: shaped(service, status))
    assert response["Status"] == 0x0112
    assert response["ErrorComment"] == "gone"
    assert response["ErrorID"] == 77
    assert "OffendingElement" not in response


def test_attributes_that_are_at_fault_are_listed() -> None:
    tags = [0x00100010, 0x00100020]
    status = reply(Status=0x0107, AttributeIdentifierList=tags)
    response, _ = answered(BY_NAME["N-SET"], lambda message: (status, None))
    assert response["AttributeIdentifierList"] == tags


@pytest.mark.parametrize("tags", [None, 0x21100010, [0x21100010], [0x21100010, 0x21100020]])
def test_attributes_are_asked_for_by_none_one_or_many_tags(tags: Any) -> None:
    seen: list[Any] = []

    def handler(message: Any) -> Any:
        seen.append(message.command.get("AttributeIdentifierList"))
        return 0, reply()

    service = BY_NAME["N-GET"]
    answered(service, handler, request(service, AttributeIdentifierList=tags))
    assert seen == [tags]


# -- N-CREATE --------------------------------------------------------------------------------

CREATE = BY_NAME["N-CREATE"]
UNNAMED = request(CREATE, AffectedSOPInstanceUID=None)


def test_who_creates_an_instance_without_a_uid_names_it() -> None:
    given = reply(AffectedSOPInstanceUID="1.9", PatientID="7")
    response, data = answered(CREATE, lambda message: (0, given), UNNAMED)
    assert response["AffectedSOPInstanceUID"] == "1.9"
    assert data is not None
    assert "AffectedSOPInstanceUID" not in data
    assert data.PatientID == "7"
    assert given.AffectedSOPInstanceUID == "1.9"  # the handler's own is left alone


def test_the_name_may_stand_in_the_status() -> None:
    status = reply(Status=0, AffectedSOPInstanceUID="1.9")
    response, _ = answered(CREATE, lambda message: (status, None), UNNAMED)
    assert (response["Status"], response["AffectedSOPInstanceUID"]) == (0, "1.9")


@pytest.mark.parametrize("dataset", [None, Dataset(), reply()], ids=["None", "empty", "unnamed"])
def test_an_instance_that_nobody_names_is_a_failure(dataset: Any) -> None:
    response, data = answered(CREATE, lambda message: (0, dataset), UNNAMED)
    assert response["Status"] == 0x0110
    assert data is None


def test_a_failure_needs_no_name() -> None:
    response, _ = answered(CREATE, lambda message: (0x0124, None), UNNAMED)
    assert response["Status"] == 0x0124


def test_the_name_in_the_request_counts() -> None:
    given = reply(AffectedSOPInstanceUID="1.9", PatientID="7")
    response, data = answered(CREATE, lambda message: (0, given))
    assert response["AffectedSOPInstanceUID"] == "1.2.3"
    assert data is not None
    assert data.PatientID == "7"


@pytest.mark.parametrize("name", ["N-CREATE", "N-ACTION", "N-EVENT-REPORT"])
def test_a_request_may_come_without_a_data_set(name: str) -> None:
    service = BY_NAME[name]
    assert answered(service, lambda message: (0, None), data=None)[0]["Status"] == 0


# -- what no handler sees ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "missing"),
    [(row, name) for row in SERVICES for name in (*row.demanded, *row.demanded_fields)],
    ids=lambda each: getattr(each, "name", each),
)
@pytest.mark.box("7.17")
def test_a_mandatory_parameter_that_is_missing(service: Service, missing: str) -> None:
    called: list[Any] = []
    response, _ = answered(service, called.append, request(service, **{missing: None}))
    assert response["Status"] == 0x0120
    assert called == []


@pytest.mark.parametrize(
    ("name", "data"), [("N-SET", None), ("N-GET", Memory()), ("N-DELETE", Memory())]
)
def test_a_data_set_that_is_missing_or_too_much(name: str, data: Any) -> None:
    called: list[Any] = []
    assert answered(BY_NAME[name], called.append, data=data)[0]["Status"] == 0x0120
    assert called == []


@pytest.mark.parametrize("service", SERVICES, **NAMED)
@pytest.mark.parametrize(("context", "sop_class"), [(META, PRINTER), (UPS_PULL, UPS_PUSH)])
def test_contexts_are_borrowed(service: Service, context: str, sop_class: str) -> None:
    asked = request(service, sop_class)
    response, _ = answered(service, lambda message: shaped(service, 0, reply()), asked, context)
    assert response["Status"] == 0


def test_an_event_report_is_answered_by_the_one_that_asked_for_the_association() -> None:
    service = BY_NAME["N-EVENT-REPORT"]
    requestor, _ = associated_for(PRINTER)
    asked = message(1, request(service), data_for(service))
    side = Side(requestor, scp.answer(requestor, asked), {service.event: lambda message: (0, None)})
    side.advance()
    side.flush()
    [(response, _)] = said(side)
    assert (response["Status"], response["EventTypeID"]) == (0, 3)
