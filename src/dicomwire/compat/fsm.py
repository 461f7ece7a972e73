"""PS3.8 Table 9-10 by pynetdicom's names, and the state of an association as an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.pdus import Abort, ReleaseRP, ReleaseRQ
from dicomwire.standard.state_table import ACTION_TEXTS, EFFECTS, TRANSITIONS

TRANSITION_TABLE: dict[tuple[str, str], str] = dict(TRANSITIONS)
"""(event, state) -> action."""

STATES: dict[str, str] = {  # PS3.8 Tables 9-1 to 9-5
    "Sta1": "Idle",
    "Sta2": "Transport connection open, awaiting an A-ASSOCIATE-RQ",
    "Sta3": "Awaiting the local A-ASSOCIATE response",
    "Sta4": "Awaiting the opening of the transport connection",
    "Sta5": "Awaiting an A-ASSOCIATE-AC or A-ASSOCIATE-RJ",
    "Sta6": "Association established, ready for data",
    "Sta7": "Awaiting an A-RELEASE-RP",
    "Sta8": "Awaiting the local A-RELEASE response",
    "Sta9": "Release collision, requestor: awaiting the local A-RELEASE response",
    "Sta10": "Release collision, acceptor: awaiting an A-RELEASE-RP",
    "Sta11": "Release collision, requestor: awaiting an A-RELEASE-RP",
    "Sta12": "Release collision, acceptor: awaiting the local A-RELEASE response",
    "Sta13": "Awaiting the close of the transport connection",
}

EVENTS: dict[str, str] = {  # PS3.8 Table 9-10
    "Evt1": "A-ASSOCIATE request by the local user",
    "Evt2": "Transport connection confirmed",
    "Evt3": "A-ASSOCIATE-AC received",
    "Evt4": "A-ASSOCIATE-RJ received",
    "Evt5": "Transport connection indicated",
    "Evt6": "A-ASSOCIATE-RQ received",
    "Evt7": "A-ASSOCIATE response by the local user: accept",
    "Evt8": "A-ASSOCIATE response by the local user: reject",
    "Evt9": "P-DATA request by the local user",
    "Evt10": "P-DATA-TF received",
    "Evt11": "A-RELEASE request by the local user",
    "Evt12": "A-RELEASE-RQ received",
    "Evt13": "A-RELEASE-RP received",
    "Evt14": "A-RELEASE response by the local user",
    "Evt15": "A-ABORT request by the local user",
    "Evt16": "A-ABORT received",
    "Evt17": "Transport connection closed",
    "Evt18": "ARTIM timer expired",
    "Evt19": "Unrecognised or invalid PDU received",
}

# What a program can make happen without a PDU or a primitive of its own.
_BY_HAND: dict[str, Callable[[Connection], None]] = {
    "Evt11": lambda connection: connection.step(ReleaseRQ()),
    "Evt14": lambda connection: connection.step(ReleaseRP()),
    "Evt15": lambda connection: connection.step(Abort(0, 0)),
    "Evt17": lambda connection: connection.closed(),
    "Evt18": lambda connection: connection.timer_expired(),
    "Evt19": lambda connection: connection.step(Abort(2, 6)),
}


class InvalidEventError(Exception):
    """Table 9-10 has no cell for an event in the present state."""


class StateMachine:
    """The state machine of an association (PS3.8 9.2).

    Parameters
    ----------
    dul : DULServiceProvider
        The upper layer of the association.
    """

    def __init__(self, dul: Any) -> None:
        self.dul = dul

    @property
    def current_state(self) -> str:
        """ "Sta1" to "Sta13"."""
        state: str = self.dul.assoc.connection.machine.state
        return state

    def do_action(self, event: str) -> None:
        """Let an event happen that needs nothing else: a release, an abort, the end of the line.

        Parameters
        ----------
        event : str
            "Evt11", "Evt14", "Evt15", "Evt17", "Evt18" or "Evt19".

        Raises
        ------
        InvalidEventError
            When Table 9-10 has no cell for it in the present state.
        RuntimeError
            When it comes with a PDU or a primitive: see `DULServiceProvider.send_pdu`.
        """
        if (event, self.current_state) not in TRANSITION_TABLE:
            raise InvalidEventError(f"{event} cannot happen in {self.current_state}")
        act = _BY_HAND.get(event)
        if act is None:
            raise RuntimeError(f"{event} ({EVENTS[event]}) comes with a PDU or a primitive")
        self.dul.perform(act)
        self.dul.held.settle()

    def transition(self, state: str) -> None:
        """Put the state machine into a state, whatever was before.

        Raises
        ------
        ValueError
            When there is no such state.
        """
        if state not in STATES:
            raise ValueError(f"There is no state {state!r} (PS3.8 9.2.1)")
        self.dul.assoc.connection.machine.state = state


def _function(action: str) -> Callable[[Any], str]:
    """Return what performs an action of Tables 9-6 to 9-9: given the DUL, the next state."""

    def perform(dul: Any) -> str:
        machine: StateMachine = dul.state_machine
        state = machine.current_state
        found = [event for event in _BY_HAND if TRANSITION_TABLE.get((event, state)) == action]
        if not found:
            raise InvalidEventError(f"No event that a program can cause in {state} does {action}")
        machine.do_action(found[0])
        return machine.current_state

    perform.__name__ = action.replace("-", "_")
    perform.__doc__ = f"Perform {action}: {ACTION_TEXTS[action]}; return the next state."
    return perform


_FUNCTIONS = {action: _function(action) for action in EFFECTS if not action.endswith("!")}


def _next(action: str) -> str | tuple[str, str]:
    """Return the next state of an action, both when it has a choice."""
    other = EFFECTS.get(action + "!")
    return (EFFECTS[action][1], other[1]) if other else EFFECTS[action][1]


ACTIONS: dict[str, tuple[str, Callable[[Any], str], str | tuple[str, str]]] = {
    action: (ACTION_TEXTS[action], function, _next(action))
    for action, function in _FUNCTIONS.items()
}
"""Action -> (what it does, function, next state)."""

globals().update({function.__name__: function for function in _FUNCTIONS.values()})

__all__ = ["ACTIONS", "EVENTS", "STATES", "TRANSITION_TABLE", "InvalidEventError", "StateMachine"]
__all__ += [function.__name__ for function in _FUNCTIONS.values()]
