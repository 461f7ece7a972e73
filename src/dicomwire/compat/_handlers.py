"""Events into lines on standard output: pynetdicom's ready-made handlers for debugging."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from dicomwire.compat.utils import pretty_bytes
from dicomwire.network.events import EVT_DATA_RECV, Event

# What a handler gets with its event, and what it gives back; `doc_handle_<name>` shows it.
_DOCUMENTED = {
    "acse": "`event.primitive`; nothing is returned.",
    "action": "`action_type`, `action_information`; (status, reply or None).",
    "assoc": "`event.assoc`; nothing is returned.",
    "async": "`nr_invoked`, `nr_performed`; the two numbers that are granted.",
    "c_get": "`identifier`, `is_cancelled`; yields the number, then (status, data set or None).",
    "create": "`attribute_list`; (status, attribute list or None).",
    "data": "`event.data`, the bytes of a PDU; nothing is returned.",
    "delete": "`event.request`; the status.",
    "dimse": "`event.message`; nothing is returned.",
    "echo": "`event.request`; the status.",
    "event_report": "`event_type`, `event_information`; (status, reply or None).",
    "find": "`identifier`, `is_cancelled`; yields (status, identifier or None).",
    "fsm": "`current_state`, `fsm_event`, `action`, `next_state`; nothing is returned.",
    "move": "`move_destination`; yields (address, port), the number, then as a C-GET handler.",
    "n_get": "`attribute_identifiers`; (status, attribute list or None).",
    "pdu": "`event.pdu`; nothing is returned.",
    "set": "`modification_list`; (status, attribute list or None).",
    "sop_common": "`items`; a dict of those that are accepted.",
    "sop_extended": "`app_info`; a dict of the application information that is answered.",
    "store": "`dataset`, `file_meta`, `encoded_dataset()`; the status.",
    "transport": "`address`; nothing is returned.",
    "userid": "`user_id_type`, `primary_field`, `secondary_field`; (verified, response or None).",
}


@cache
def _documented(name: str) -> Callable[..., Any]:
    def handler(event: Event, *args: Any) -> Any:
        raise NotImplementedError("This function only documents what a handler is like")

    handler.__name__ = handler.__qualname__ = f"doc_handle_{name}"
    handler.__doc__ = f"What a handler gets, and gives: {_DOCUMENTED[name]}"
    return handler


def __getattr__(name: str) -> Callable[..., Any]:
    known = name.removeprefix("doc_handle_")
    if known == name or known not in _DOCUMENTED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _documented(known)


def __dir__() -> list[str]:
    return sorted({*globals(), *(f"doc_handle_{name}" for name in _DOCUMENTED)})


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
