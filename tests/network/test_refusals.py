"""Turns many refusals into few lines."""

from __future__ import annotations

import pytest

from dicomwire.network.refusals import Refusals, peer_text

pytestmark = pytest.mark.no_socket


def test_a_scan_gives_one_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    times = [0.0]
    refusals = Refusals(lambda: times[0])

    def knock(count: int) -> None:
        for port in range(count):
            refusals.tell(peer_text("192.0.2.1", port), "it is in no network", "Options.networks")

    knock(1000)
    refusals.tell("somebody", "there are too many", "Limits.negotiations")  # of another kind
    times[0] = 1.5
    knock(10)
    times[0] = 99.0
    knock(1)
    assert [record.getMessage() for record in caplog.records] == [
        "192.0.2.1 port 0 is refused: it is in no network. Setting: Options.networks",
        "somebody is refused: there are too many. Setting: Limits.negotiations",
        "192.0.2.1 port 0 is refused: it is in no network. Setting: Options.networks"
        " (and 999 more since the last such line)",
        "192.0.2.1 port 0 is refused: it is in no network. Setting: Options.networks"
        " (and 9 more since the last such line)",
    ]


def test_a_title_cannot_begin_a_line() -> None:
    assert peer_text("192.0.2.1", 104, "A\nB") == "192.0.2.1 port 104 (A\\nB)"
