"""echoscu against good, bad and absent peers: its lines and its exit codes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from dicomwire.network import events as evt
from tests.apps.conftest import CT, VERIFICATION, Peer, Tool

MakePeer = Callable[..., Peer]


def test_an_echo_in_dcmtks_lines(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", "-v", *peer().address)
    assert run.code == 0
    assert run.lines == [
        "I: Requesting Association",
        f"I: Association Accepted (Max Send PDV: {16382 - 12})",
        "I: Sending Echo Request (MsgID 1)",
        "I: Received Echo Response (Success)",
        "I: Releasing Association",
    ]


def test_without_options_success_says_nothing(tool: Tool, peer: MakePeer) -> None:
    assert tool("echoscu", *peer().address) == (0, "", [])


def test_debug_shows_pdus_but_says_nothing_twice(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", "-d", *peer().address)
    assert any("OUTGOING A-ASSOCIATE-RQ PDU" in line for line in run.lines)
    assert any("INCOMING DIMSE MESSAGE" in line for line in run.lines)
    said = [line for line in run.lines if line.startswith("I:")]
    assert len(said) == len(set(said)) == 5


@pytest.mark.box("16.2")
def test_repeat(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", "-v", "--repeat", 3, *peer().address)
    assert [line for line in run.lines if "MsgID" in line] == [
        f"I: Sending Echo Request (MsgID {number})" for number in (1, 2, 3)
    ]


def test_abort_instead_of_release(tool: Tool, peer: MakePeer) -> None:
    ends: list[str] = []
    handlers = tuple(
        (event, lambda event: ends.append(event.event.name))
        for event in (evt.EVT_ABORTED, evt.EVT_RELEASED)
    )
    standing = peer(handlers=handlers)
    run = tool("echoscu", "-v", "--abort", *standing.address)
    assert run.code == 0
    assert run.lines[-1] == "I: Aborting Association"
    for assoc in standing.ae.active_associations:
        assoc.join()
    assert ends == ["EVT_ABORTED"]


@pytest.mark.parametrize(
    ("options", "proposed"),
    [
        ([], [("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99",
               "1.2.840.10008.1.2.2")]),
        (["-xe"], [("1.2.840.10008.1.2.1",)]),
        (["-xb"], [("1.2.840.10008.1.2.2",)]),
        (["-xi"], [("1.2.840.10008.1.2",)]),
        (["-pts", "2", "-ppc", "3"], [("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")] * 3),
    ],
)  # fmt: skip
@pytest.mark.box("16.2")
def test_what_is_proposed(
    tool: Tool, peer: MakePeer, options: list[str], proposed: list[tuple[str, ...]]
) -> None:
    standing = peer()
    assert tool("echoscu", *options, *standing.address).code == 0
    contexts = standing.proposals[0].presentation_contexts
    assert [tuple(each.transfer_syntaxes) for each in contexts] == proposed


def test_titles_and_pdu_length_go_out(tool: Tool, peer: MakePeer) -> None:
    standing = peer()
    tool("echoscu", "-aet", "ME", "-aec", "YOU", "-pdu", 4096, *standing.address)
    request = standing.proposals[0]
    assert (request.calling_ae_title, request.called_ae_title) == ("ME", "YOU")
    assert request.user_information[0].maximum_length_received == 4096


def test_nobody_there(tool: Tool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        run = tool("echoscu", "127.0.0.1", taken.getsockname()[1])
    assert run.code == 1
    assert len(run.lines) == 1
    assert run.lines[0].startswith("E: Connection refused by 127.0.0.1 port")
    assert "Check: whether the DICOM application runs there" in run.lines[0]


def test_an_unknown_host(tool: Tool) -> None:
    run = tool("echoscu", "a..b", 104)
    assert run.code == 1
    assert len(run.lines) == 1
    assert run.lines[0].startswith("E: No address for a..b: ")


def test_a_rejection_is_said_in_the_librarys_words(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", *peer(require_called_aet=True).address)
    assert run.code == 1
    assert run.lines == [
        "E: Association Rejected: called AE title not recognised (rejected-permanent). "
        "Check: the peer goes by another name: check the called AE title"
    ]


def test_no_context_accepted(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", *peer(classes=(CT,)).address)
    assert run.code == 1
    assert len(run.lines) == 1
    assert "No accepted presentation contexts. Check: " in run.lines[0]


def test_a_failure_status(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", *peer(on_echo=lambda event: 0x0122).address)
    assert run.code == 3
    assert len(run.lines) == 1
    assert "0x0122" in run.lines[0]


def test_a_peer_that_aborts(tool: Tool, peer: MakePeer) -> None:
    def abort(event: Any) -> int:
        event.assoc.abort()
        return 0

    run = tool("echoscu", "--repeat", 3, *peer(on_echo=abort).address)
    assert run.code == 4
    assert len(run.lines) == 1
    assert run.lines[0].startswith("E: Association Aborted by the peer")


def test_quiet_is_quiet(tool: Tool) -> None:
    assert tool("echoscu", "-q", "127.0.0.1", 1) == (1, "", [])


def test_verbose_contexts(tool: Tool, peer: MakePeer) -> None:
    run = tool("echoscu", "-v", "+v", *peer().address)
    name = "Verification SOP Class"
    assert f"I: Presentation Context 1: {name}, Implicit VR Little Endian (Accepted)" in run.lines
    assert VERIFICATION not in "".join(run.lines)
