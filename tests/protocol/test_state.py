"""Each of the 247 cells of PS3.8 Table 9-10, in the machine that acts on it."""

from __future__ import annotations

import pytest

from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.state import RECEIVED, REQUESTED, StateMachine
from tests.standard.table_9_10 import CELLS, UNDEFINED, choose


def machine(state: str, requestor: bool = True) -> StateMachine:
    found = StateMachine(requestor)
    found.state = state
    return found


@pytest.mark.parametrize("requestor", [True, False])
@pytest.mark.parametrize(("event", "state"), CELLS)
def test_defined_cell(event: str, state: str, requestor: bool) -> None:
    for refuse in (False, True):
        subject, cell = machine(state, requestor), choose(event, state, requestor, refuse)
        assert subject.may(event)
        assert subject.act(event, refuse) == (cell.action, cell.verbs, state)
        assert subject.state == cell.after


@pytest.mark.parametrize(("event", "state"), UNDEFINED)
def test_undefined_cell(event: str, state: str) -> None:
    subject = machine(state)
    assert not subject.may(event)
    with pytest.raises(LocalError, match=rf"^{event} cannot happen in {state} "):
        subject.act(event)
    assert subject.state == state


def test_a_machine_begins_idle() -> None:
    assert StateMachine(True).state == StateMachine(False).state == "Sta1"


def test_every_pdu_type_is_an_event_when_it_comes_and_when_it_is_asked_for() -> None:
    # PS3.8 9.2.2: Evt3, 4, 6, 10, 12, 13, 16 come from the peer, the others from the user
    assert {RECEIVED[kind]: REQUESTED[kind] for kind in range(1, 8)} == {
        "Evt6": "Evt1",
        "Evt3": "Evt7",
        "Evt4": "Evt8",
        "Evt10": "Evt9",
        "Evt12": "Evt11",
        "Evt13": "Evt14",
        "Evt16": "Evt15",
    }
