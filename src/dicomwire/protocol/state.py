"""An event into an action and the next state, by PS3.8 Table 9-10."""

from __future__ import annotations

from dicomwire.protocol.errors import LocalError
from dicomwire.standard.state_table import EFFECTS, TRANSITIONS

# PS3.8 Table 9-10: the event that the arrival of each PDU type is
RECEIVED = {1: "Evt6", 2: "Evt3", 3: "Evt4", 4: "Evt10", 5: "Evt12", 6: "Evt13", 7: "Evt16"}
# and the one that a local request to send it is
REQUESTED = {1: "Evt1", 2: "Evt7", 3: "Evt8", 4: "Evt9", 5: "Evt11", 6: "Evt14", 7: "Evt15"}


class StateMachine:
    """The state of one association (PS3.8 9.2).

    Parameters
    ----------
    is_requestor : bool
        Decides release collisions (AR-8).

    Attributes
    ----------
    state : str
        "Sta1" to "Sta13".
    """

    __slots__ = ("is_requestor", "state")

    def __init__(self, is_requestor: bool) -> None:
        self.is_requestor = is_requestor
        self.state = "Sta1"

    def act(self, event: str, refuse: bool = False) -> tuple[str, tuple[str, ...], str]:
        """Go to the next state.

        Parameters
        ----------
        event : str
            "Evt1" to "Evt19".
        refuse : bool
            With Evt6: the provider cannot accept the request (AE-6's second half).

        Returns
        -------
        action : str
            e.g. "AE-1".
        verbs : tuple of str
            What to do, in order: send, tell, start, stop, close.
        before : str
            The state it was in.

        Raises
        ------
        LocalError
            When Table 9-10 has no cell for the event in this state.
        """
        before = self.state
        action = TRANSITIONS.get((event, before))
        if action is None:
            raise LocalError(f"{event} cannot happen in {before} (PS3.8 Table 9-10)")
        choice = refuse if action == "AE-6" else action == "AR-8" and not self.is_requestor
        verbs, self.state = EFFECTS[action + "!" if choice else action]
        return action, verbs, before

    def may(self, event: str) -> bool:
        """Whether Table 9-10 has a cell for the event in the present state."""
        return (event, self.state) in TRANSITIONS
