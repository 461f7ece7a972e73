"""The rows of events and of DIMSE services into the tables of docs/events.md."""

from __future__ import annotations

from collections.abc import Callable

from dicomwire.network.events import BY_NAME, INTERVENTIONS, NOTIFICATIONS
from dicomwire.network.requests import _DATA_NAMES, _FIELDS
from dicomwire.standard.dimse import SERVICES, Service
from tools.docs_tables import code, table

# When each notification event comes, and what it has besides `assoc`, `event` and `timestamp`.
NOTIFIED: dict[str, tuple[str, tuple[str, ...]]] = {
    "EVT_CONN_OPEN": ("the TCP (and TLS) connection stands", ("address",)),
    "EVT_CONN_CLOSE": ("the connection is closed, whoever closed it", ("address",)),
    "EVT_REQUESTED": (
        "an association is asked for: before the request is sent, or when it has come and is not "
        "answered yet; an acceptor's handler may still reject or abort (`event.assoc.acse`)",
        (),
    ),
    "EVT_ACCEPTED": ("the request was accepted, by the peer or by us", ()),
    "EVT_ESTABLISHED": ("the association stands: right after EVT_ACCEPTED", ()),
    "EVT_REJECTED": ("the request was rejected, by the peer or by us", ()),
    "EVT_RELEASED": ("the association ended in good order", ()),
    "EVT_ABORTED": ("the association was aborted, by either side, or the connection broke", ()),
    "EVT_ACSE_RECV": ("a PDU about the association itself has come", ("primitive",)),
    "EVT_ACSE_SENT": ("a PDU about the association itself was sent", ("primitive",)),
    "EVT_DIMSE_RECV": ("a message, request or response, has come", ("message",)),
    "EVT_DIMSE_SENT": ("a message, request or response, was sent", ("message",)),
    "EVT_PDU_RECV": ("a PDU has come", ("pdu",)),
    "EVT_PDU_SENT": ("a PDU was sent", ("pdu",)),
    "EVT_DATA_RECV": ("the bytes of a PDU have come", ("data",)),
    "EVT_DATA_SENT": ("the bytes of a PDU were sent", ("data",)),
    "EVT_FSM_TRANSITION": (
        "the state machine of PS3.8 9.2 took a step",
        ("action", "current_state", "fsm_event", "next_state"),
    ),
}

# The negotiations: what the event has, what a handler returns, what counts without one.
NEGOTIATED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "EVT_ASYNC_OPS": (
        ("nr_invoked", "nr_performed"),
        "`(invoked, performed)`: how many operations at once; 0 is unlimited",
        "what `Options.asynchronous_operations` says; a handler that raises: one at a time",
    ),
    "EVT_SOP_COMMON": (
        ("items",),
        "a `dict`: SOP Class UID to the item that is agreed to",
        "nothing is agreed to; the standard has no answer to it",
    ),
    "EVT_SOP_EXTENDED": (
        ("app_info",),
        "a `dict`: SOP Class UID to the `bytes` of the answer",
        "nothing is answered, which declines",
    ),
    "EVT_USER_ID": (
        ("user_id_type", "primary_field", "secondary_field"),
        "`(verified, response)`: whether the user is let in; the `bytes` that confirm a ticket, "
        "else None",
        "everybody is let in; a handler that raises: the association is rejected",
    ),
}

# What a handler of a DIMSE service does, where it is not the rule below.
_ANSWERS = {
    "C-FIND": "yields `(status, identifier)` for each match; returns when there are no more",
    "C-GET": "yields the number of instances, then `(status, instance)` for each: a data set, or "
    "the path of a file",
    "C-MOVE": "yields `(host, port)` or `(host, port, settings)` of the destination, or "
    "`(None, None)` when it is unknown; then as for C-GET",
}


def _attributes(service: Service) -> list[str]:
    """Return what the event of a service has, in the order of the page."""
    names = ["request", "context", "message_id", "is_cancelled"]
    if service.name == "C-STORE":
        names += ["dataset", "dataset_path", "open_dataset()", "encoded_dataset()", "file_meta"]
        names += ["file_name", "save_as()"]
    elif service.data_in:
        names.append(_DATA_NAMES[service.data_in])
    return names + [name for name, field in _FIELDS.items() if field in service.request_fields]


def _answer(service: Service) -> str:
    if service.name in _ANSWERS:
        return _ANSWERS[service.name]
    if not service.data_out:
        return "returns the status"
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in service.data_out)
    return f"returns `(status, {words.strip()})`: a data set, or None"


def notifications() -> str:
    """Return the table of notification events."""
    rows = [
        (f"`{event.name}`", *_about(NOTIFIED[event.name]))
        for event in sorted(NOTIFICATIONS, key=lambda event: list(NOTIFIED).index(event.name))
    ]
    return table(("event", "when", "attributes"), rows)


def _about(row: tuple[str, tuple[str, ...]]) -> tuple[str, str]:
    return row[0], _listed(row[1])


def _listed(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names) if isinstance(names, list | tuple) else ""


def negotiations() -> str:
    """Return the table of intervention events of a negotiation."""
    rows = [
        (f"`{event.name}`", event.description, _listed(NEGOTIATED[event.name][0]),
         *NEGOTIATED[event.name][1:])
        for event in INTERVENTIONS if event.name in NEGOTIATED
    ]  # fmt: skip
    return table(("event", "when", "attributes", "a handler returns", "without a handler"), rows)


def requests() -> str:
    """Return the table of intervention events of DIMSE requests."""
    rows = [
        (
            f"`{service.event}`",
            BY_NAME[service.event].description,
            _listed(_attributes(service)),
            _answer(service),
            code(service.on_error),
        )
        for service in SERVICES
    ]
    return table(("event", "when", "attributes", "a handler", "status on error"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "notification-events": notifications,
    "negotiation-events": negotiations,
    "request-events": requests,
}
