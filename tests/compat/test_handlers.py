"""What the ready-made debugging handlers print."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dicomwire.compat._handlers import debug_data, debug_fsm
from dicomwire.network.events import EVT_DATA_RECV, EVT_DATA_SENT, EVT_FSM_TRANSITION, Event

ASSOC = SimpleNamespace(is_requestor=True)


def test_a_transition_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    names = {"current_state": "Sta1", "fsm_event": "Evt1", "action": "AE-1", "next_state": "Sta4"}
    debug_fsm(Event(ASSOC, EVT_FSM_TRANSITION, names))
    assert capsys.readouterr().out == "R: Sta1 + Evt1 -> AE-1 -> Sta4\n"


def test_a_pdu_is_its_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    debug_data(Event(ASSOC, EVT_DATA_RECV, {"data": b"\x05\x00"}))
    assert capsys.readouterr().out == "  05  00\n"
    debug_data(Event(ASSOC, EVT_DATA_SENT, {"data": b"\x05\x00"}), 5, False, True)
    assert capsys.readouterr().out == "PDU 0x05 sent, 2 bytes\n"
    debug_data(Event(ASSOC, EVT_DATA_SENT, {"data": b"\x05\x00"}), 1)
    assert capsys.readouterr().out == ""
