"""What the page of events says of each: every event is there, with the attributes that it has."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire import AE, evt
from dicomwire.network.events import INTERVENTIONS, NOTIFICATIONS
from dicomwire.sop_class import Verification
from dicomwire.standard.dimse import SERVICES
from tests.docs.pages import DOCS
from tools.docs_events import NEGOTIATED, NOTIFIED, notifications

OF_ALL = {"assoc", "event", "timestamp"}


@pytest.mark.no_socket
def test_every_event_is_on_the_page() -> None:
    assert set(NOTIFIED) == {event.name for event in NOTIFICATIONS}
    assert {*NEGOTIATED, *(row.event for row in SERVICES)} == {each.name for each in INTERVENTIONS}
    page = DOCS.joinpath("events.md").read_text(encoding="utf-8")
    for event in (*NOTIFICATIONS, *INTERVENTIONS):
        assert page.count(f"\n| `{event.name}` |") == 1, event.name
    assert notifications() in page


def test_notification_events_have_what_the_page_says() -> None:
    seen: dict[str, set[str]] = {}

    def look(event: Any) -> None:
        names = {*vars(event), *event._later} - OF_ALL
        seen.setdefault(event.event.name, set()).update(n for n in names if n[0] != "_")

    ae = AE()
    ae.add_supported_context(Verification)
    ae.add_requested_context(Verification)
    handlers = [(event, look) for event in NOTIFICATIONS]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    port = server.server_address[1]
    for end in ("release", "abort"):
        assoc = ae.associate("127.0.0.1", port, evt_handlers=handlers)
        assoc.send_c_echo()
        getattr(assoc, end)()
    ae.require_calling_aet = ["NOBODY"]
    assert ae.associate("127.0.0.1", port, evt_handlers=handlers).is_rejected
    ae.shutdown()
    assert seen == {name: set(attributes) for name, (_, attributes) in NOTIFIED.items()}


def test_request_events_have_what_the_page_says() -> None:
    missing: list[str] = []

    def look(event: Any) -> int:
        names = ("request", "context", "message_id", "is_cancelled")
        missing.extend(name for name in names if not hasattr(event, name))
        return 0x0000

    ae = AE()
    ae.add_supported_context(Verification)
    ae.add_requested_context(Verification)
    bound = [(evt.EVT_C_ECHO, look)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=bound)
    assert server is not None
    with ae.associate("127.0.0.1", server.server_address[1]) as assoc:
        assert assoc.send_c_echo().Status == 0x0000
    ae.shutdown()
    assert missing == []
