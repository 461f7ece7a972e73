"""PS3.8 Table 9-10 by pynetdicom's names, over a connection without a socket."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dicomwire.compat import fsm
from dicomwire.compat.fsm import ACTIONS, EVENTS, STATES, TRANSITION_TABLE
from tests.protocol import pairs

pytestmark = pytest.mark.box("10.2")


def dul() -> Any:
    """A DUL over a requestor whose association stands."""
    requestor = pairs.in_state("Sta6")
    found = SimpleNamespace(assoc=SimpleNamespace(connection=requestor))
    found.perform = lambda act: act(requestor)
    found.held = SimpleNamespace(settle=lambda: None)
    found.state_machine = fsm.StateMachine(found)
    return found


def test_the_tables_fit_each_other() -> None:
    assert (len(STATES), len(EVENTS), len(ACTIONS), len(TRANSITION_TABLE)) == (13, 19, 28, 123)
    for (event, state), action in TRANSITION_TABLE.items():
        assert event in EVENTS
        assert state in STATES
        text, function, after = ACTIONS[action]
        assert text
        assert getattr(fsm, action.replace("-", "_")) is function
        assert {after} <= set(STATES) if isinstance(after, str) else set(after) <= set(STATES)


@pytest.mark.parametrize(
    ("name", "after", "last"),
    [
        ("AA_1", "Sta13", pairs.Abort(0, 0)),
        ("AR_1", "Sta7", pairs.ReleaseRQ()),
        ("AA_4", "Sta1", None),
    ],
)
def test_an_action_that_a_program_can_cause(name: str, after: str, last: Any) -> None:
    lower = dul()
    lower.assoc.connection.out.clear()
    assert getattr(fsm, name)(lower) == after == lower.state_machine.current_state
    assert lower.assoc.connection.out == ([] if last is None else [last.encode()])


def test_an_action_that_comes_with_a_pdu_is_none_of_a_programs() -> None:
    lower = dul()
    for name in ("AE_1", "DT_1", "AR_3"):
        with pytest.raises(fsm.InvalidEventError):
            getattr(fsm, name)(lower)
    assert lower.state_machine.current_state == "Sta6"
