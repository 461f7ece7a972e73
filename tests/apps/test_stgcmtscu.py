"""stgcmtscu against a server that keeps what it is asked to, or does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, build_context, build_role
from dicomwire.apps.stgcmtscu import COMMITMENT, THE_COMMITMENT, Reference, verdicts
from dicomwire.network import events as evt
from tests.apps.conftest import Peer, Tool
from tests.dataset.samples import CT
from tests.peers import free_port

MakePeer = Callable[..., Peer]
KEPT, NOT_KEPT = "1.2.3.1", "1.2.3.404"
ONE = ("--uid", f"CTImageStorage={KEPT}")


def report(asked: Dataset) -> tuple[Dataset, int]:
    """Say that all is kept but what ends with .404, and forget what ends with .9."""
    said = Dataset()
    said.TransactionUID = asked.TransactionUID
    said.ReferencedSOPSequence, said.FailedSOPSequence = [], []
    for item in asked.ReferencedSOPSequence:
        if item.ReferencedSOPInstanceUID.endswith(".404"):
            item.FailureReason = 0x0112
            said.FailedSOPSequence.append(item)
        elif not item.ReferencedSOPInstanceUID.endswith(".9"):
            said.ReferencedSOPSequence.append(item)
    return said, 2 if said.FailedSOPSequence else 1


class Keeper:
    """Reports within the handler of the action, over the same association."""

    def __init__(self, status: Any = 0x0000) -> None:
        self.asked: list[Dataset] = []
        self.answers: list[Any] = []
        self._status = status

    def __call__(self, event: Any) -> tuple[Any, None]:
        self.asked.append(event.action_information)
        assert event.action_type == 1
        assert event.request.RequestedSOPInstanceUID == THE_COMMITMENT
        if self._status == 0x0000:
            self.report(event.assoc, event.action_information)
        return self._status, None

    def report(self, assoc: Any, asked: Dataset) -> None:
        said, kind = report(asked)
        answer = assoc.send_n_event_report(said, kind, COMMITMENT, THE_COMMITMENT)
        self.answers.append(answer[0].Status)


def keeping(peer: MakePeer, keeper: Any) -> Peer:
    return peer(classes=(COMMITMENT,), handlers=((evt.EVT_N_ACTION, keeper),))


def test_files_that_are_kept(tool: Tool, peer: MakePeer, files: Callable[[int], Path]) -> None:
    keeper = Keeper()
    run = tool("stgcmtscu", "-v", *keeping(peer, keeper).address, files(2))
    assert (run.code, run.out) == (0, "")
    items = keeper.asked[0].ReferencedSOPSequence
    names = [(item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in items]
    assert names == [(CT, "1.2.3.1"), (CT, "1.2.3.2")]
    assert keeper.answers == [0]
    assert "I: 1.2.3.1 (CT Image Storage): committed" in run.lines
    assert "I: 2 committed" in run.lines


def test_what_is_not_kept_is_said_with_the_reason(tool: Tool, peer: MakePeer) -> None:
    uids = [part for uid in (KEPT, NOT_KEPT, "1.9") for part in ("--uid", f"{CT}={uid}")]
    run = tool("stgcmtscu", "--json", *keeping(peer, Keeper()).address, *uids)
    assert run.code == 3
    assert [json.loads(line) for line in run.out.splitlines()] == [
        {"SOPClassUID": CT, "SOPInstanceUID": KEPT, "committed": True},
        {
            "SOPClassUID": CT,
            "SOPInstanceUID": NOT_KEPT,
            "committed": False,
            "reason": "no such object instance",
        },
        {
            "SOPClassUID": CT,
            "SOPInstanceUID": "1.9",
            "committed": False,
            "reason": "the report does not mention it",
        },
    ]
    assert run.lines == [
        f"E: {NOT_KEPT} (CT Image Storage): no such object instance",
        "E: 1.9 (CT Image Storage): the report does not mention it",
        "E: 1 committed, 2 not",
    ]


def test_the_report_comes_over_a_new_association(tool: Tool, peer: MakePeer) -> None:
    port = free_port()
    statuses: list[Any] = []

    def later(asked: Dataset) -> None:
        said, kind = report(asked)
        roles = [build_role(COMMITMENT, scp_role=True)]
        ae = AE("PEER")
        new = ae.associate("127.0.0.1", port, [build_context(COMMITMENT)], "US", ext_neg=roles)
        with new:
            answer = new.send_n_event_report(said, kind, COMMITMENT, THE_COMMITMENT)
            statuses.append(answer[0].Status)

    threads: list[threading.Thread] = []

    def act(event: Any) -> tuple[int, None]:
        threads.append(threading.Thread(target=later, args=(event.action_information,)))
        threads[0].start()
        return 0x0000, None

    standing = keeping(peer, act)
    run = tool("stgcmtscu", "+P", port, "-ba", "127.0.0.1", *ONE, *standing.address)
    threads[0].join()
    assert (run.code, run.lines) == (0, ["I: 1 committed"])
    assert statuses == [0]


def test_no_report_in_time(tool: Tool, peer: MakePeer) -> None:
    silent = keeping(peer, lambda event: (0x0000, None))
    run = tool("stgcmtscu", "--wait", "0.05", *ONE, *silent.address)
    assert run.code == 4
    assert "No report came within 0.05 s. Check: whether the peer" in run.lines[0]


def test_a_report_on_something_else_is_not_ours(tool: Tool, peer: MakePeer) -> None:
    def act(event: Any) -> tuple[int, None]:
        said = report(event.action_information)[0]
        said.TransactionUID = "1.2.3"
        event.assoc.send_n_event_report(said, 1, COMMITMENT, THE_COMMITMENT)
        return 0x0000, None

    run = tool("stgcmtscu", "--wait", "0.05", *ONE, *keeping(peer, act).address)
    assert run.code == 4
    assert run.lines[0] == "W: A report on another transaction came: 1.2.3"


def test_a_peer_that_refuses(tool: Tool, peer: MakePeer) -> None:
    status = Dataset()
    status.Status, status.ErrorComment = 0x0213, "disk full"
    run = tool("stgcmtscu", *ONE, *keeping(peer, Keeper(status)).address)
    assert run.code == 3
    assert run.lines[0].startswith("E: The peer refused: 0x0213: ")
    assert run.lines[0].endswith("disk full")


def test_a_peer_that_goes_away(tool: Tool, peer: MakePeer) -> None:
    def act(event: Any) -> tuple[int, None]:
        event.assoc.abort()
        return 0x0000, None

    run = tool("stgcmtscu", *ONE, *keeping(peer, act).address)
    assert run.code == 4


def test_a_peer_without_the_service(tool: Tool, peer: MakePeer) -> None:
    run = tool("stgcmtscu", *ONE, *peer().address)
    assert run.code == 1
    assert "No accepted presentation contexts" in run.lines[0]


def test_a_port_that_is_taken(tool: Tool, peer: MakePeer) -> None:
    standing = keeping(peer, Keeper())
    run = tool("stgcmtscu", "+P", standing.port, "-ba", "127.0.0.1", *ONE, *standing.address)
    assert run.code == 5
    assert "cannot be listened on" in run.lines[0]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "which objects?"),
        (["--uid", "CTImage=1.2"], "CTImage is no SOP class; give CTImageStorage=1.2.3"),
        (["--uid", "CTImageStorage"], "'' is no UID"),
        (["/no/such"], "there is no file or folder /no/such"),
        (["+P", "1", "+tla", *ONE], "who receives over TLS has a certificate"),
    ],
)
def test_wrong_use(tool: Tool, argv: list[str], said: str) -> None:
    run = tool("stgcmtscu", "127.0.0.1", 104, *argv)
    assert run.code == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("reason", "said"),
    [(0x0131, "duplicate transaction UID"), (0xA, "failure reason 0x000A"), (None, "no reason")],
)
def test_reasons(reason: int | None, said: str) -> None:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, KEPT
    if reason is not None:
        item.FailureReason = reason
    told = Dataset()
    told.FailedSOPSequence = [item]
    one = Reference(CT, KEPT)
    assert verdicts([one], told)[one].startswith(said)
