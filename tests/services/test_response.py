"""Command sets of responses into what they mean."""

from __future__ import annotations

import pytest

from dicomwire.dataset.errors import DataSetError
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import Failed, Fault
from dicomwire.protocol.messages import Dropped, Memory, Message
from dicomwire.services.response import Response
from dicomwire.standard.dimse import BY_NAME
from dicomwire.standard.statuses import Category
from tests.protocol.pairs import CT, EXPLICIT

STORED: Command = {"CommandField": 0x8001, "AffectedSOPClassUID": CT}


def response(status: int, data: bytes | None = None, **more: object) -> Response:
    sink = None if data is None else Memory()
    if sink is not None:
        sink.write([memoryview(data or b"")])
    message = Message(1, {**STORED, "Status": status, **more}, sink)
    return Response(BY_NAME["C-STORE"], message, EXPLICIT)


@pytest.mark.parametrize(
    ("status", "category", "text"),
    [
        (0x0000, Category.SUCCESS, ""),
        (0xB000, Category.WARNING, "Coercion of data elements"),
        (0xA700, Category.FAILURE, "Refused: out of resources"),
        (0xC123, Category.FAILURE, "cannot understand"),
        (0x7777, Category.UNKNOWN, ""),
    ],
)
def test_a_status_means_what_its_service_says(status: int, category: Category, text: str) -> None:
    found = response(status)
    assert (found.status, found.category) == (status, category)
    assert found.text.lower().startswith(text.lower())
    assert str(found).startswith(f"0x{status:04X}: {category.value}")


def test_without_a_sop_class_the_general_statuses_count() -> None:
    found = response(0x0122, AffectedSOPClassUID=None)
    assert found.category is Category.FAILURE


def test_the_comment_of_the_peer_is_shown_last() -> None:
    found = response(0xA700, ErrorComment="disk full")
    assert found.comment == "disk full"
    assert str(found).endswith(" - disk full")
    assert response(0x0000).comment == ""


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xFF00, 0xFE00])
def test_what_is_no_failure_passes(status: int) -> None:
    found = response(status)
    assert found.check() is found


def test_a_failure_is_raised_for_who_asks() -> None:
    with pytest.raises(Failed, match="disk full") as caught:
        response(0xA700, ErrorComment="disk full").check()
    assert caught.value.status == 0xA700
    assert caught.value.fault is Fault.PEER


def test_the_data_set_is_decoded_anew_each_time() -> None:
    found = response(0xFF00, b"\x10\x00\x20\x00LO\x02\x0042")
    assert found.encoded == b"\x10\x00\x20\x00LO\x02\x0042"
    first = found.decode()
    assert first is not None
    assert first.PatientID == "42"
    assert found.decode() is not first


def test_a_data_set_that_is_none_is_the_callers_to_hear_of() -> None:
    with pytest.raises(DataSetError):
        response(0xFF00, b"no data set at all").decode()


def test_a_data_set_that_was_dropped_is_not_there() -> None:
    message = Message(1, {**STORED, "Status": 0}, Dropped())
    assert Response(BY_NAME["C-STORE"], message).decode() is None
