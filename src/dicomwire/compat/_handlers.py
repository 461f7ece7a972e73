"""Events into lines on standard output: pynetdicom's ready-made handlers for debugging."""

from __future__ import annotations

import sys

from dicomwire.compat.utils import pretty_bytes
from dicomwire.network.events import EVT_DATA_RECV, Event


def debug_fsm(event: Event) -> None:
    """Show a step of the state machine; bind it to EVT_FSM_TRANSITION."""
    mode = "R" if event.assoc.is_requestor else "A"
    steps = f"{event.current_state} + {event.fsm_event} -> {event.action} -> {event.next_state}"
    _show([f"{mode}: {steps}"])


def debug_data(
    event: Event, pdu_type: int | None = None, print_raw: bool = True, print_summary: bool = False
) -> None:
    """Show the bytes of a PDU; bind it to EVT_DATA_RECV or EVT_DATA_SENT.

    Parameters
    ----------
    event : Event
        The event.
    pdu_type : int, optional
        Show only PDUs of this type (PS3.8 9.3.1).
    print_raw, print_summary : bool
        Whether all bytes are shown, and whether a line says type and length.
    """
    data: bytes = event.data
    if pdu_type is not None and data[0] != pdu_type:
        return
    way = "received" if event.event == EVT_DATA_RECV else "sent"
    if print_summary:
        _show([f"PDU 0x{data[0]:02X} {way}, {len(data)} bytes"])
    if print_raw:
        _show(pretty_bytes(data, max_size=None))


def _show(lines: list[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
