"""What handlers are given: by class, once, and not before they look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from pydicom.uid import UID

from dicomwire import evt
from dicomwire.compat import views
from dicomwire.dimse_primitives import C_CANCEL, C_STORE
from dicomwire.network.events import Event
from dicomwire.network.views import Later
from dicomwire.protocol.messages import Dropped, Memory, Message
from dicomwire.protocol.pdus import AssociateAC, AssociateRQ, ContextResult, ProposedContext

STORE = {
    "CommandField": 1,
    "MessageID": 7,
    "AffectedSOPClassUID": "1.2",
    "AffectedSOPInstanceUID": "1.3",
    "Priority": 0,
    "CommandDataSetType": 1,
}


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[list[Any]]:
    made: list[Any] = []
    original = getattr(views, name)

    def count(*arguments: Any) -> Any:
        made.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(views, name, count)
    yield made


def test_a_view_is_made_once_and_when_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch, "message_of") as made:
        later = Later("message_of", 1, STORE, b"data")
        events = [Event(None, evt.EVT_DIMSE_RECV, {"message": later}) for _ in range(2)]
        assert made == []
        assert events[0].message is events[0].message is events[1].message
        assert len(made) == 1


@pytest.mark.box("11.8")
def test_the_data_set_of_a_request_is_a_stream_of_what_came() -> None:
    memory = Memory()
    memory.write([memoryview(b"encoded")])
    request = views.request_of(Message(5, STORE, memory))
    assert isinstance(request, C_STORE)
    assert isinstance(request.DataSet, BytesIO)
    assert request.DataSet is request.DataSet
    assert request.DataSet.getvalue() == b"encoded"
    assert request._context_id == 5
    assert isinstance(request.AffectedSOPClassUID, UID)
    assert request.is_valid_request
    assert request.MoveOriginatorMessageID is None


@pytest.mark.box("11.8")
def test_a_data_set_that_is_not_in_memory_is_none() -> None:
    assert views.request_of(Message(5, STORE, Dropped())).DataSet is None
    cancel = {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 7}
    assert isinstance(views.request_of(Message(5, cancel, None)), C_CANCEL)


@pytest.mark.box("D.pdu_primitives.A_ASSOCIATE")
def test_an_acceptance_names_what_was_asked_for_when_that_is_known() -> None:
    answer = AssociateAC("A", "B", [ContextResult(1, 0, "1.4"), ContextResult(9, 0, "1.4")])
    asked = AssociateRQ("A", "B", [ProposedContext(1, "1.2", ("1.4", "1.5"))])
    alone = views.primitive_of(answer).presentation_context_definition_results_list
    assert [(each.context_id, each.abstract_syntax) for each in alone] == [(1, None), (9, None)]
    (known,) = views.primitive_of(answer, asked).presentation_context_definition_results_list
    assert (known.abstract_syntax, known.transfer_syntax, known.result) == ("1.2", ["1.4"], 0)
