"""movescu between two servers, and with itself as the destination."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomwire.apps import movescu
from dicomwire.network import events as evt
from tests.apps.conftest import Receiving, Tool, dicom_file
from tests.peers import LOOPBACK, free_port
from tests.peers.objects import Object, contents, read
from tests.peers.queries import archive, six, study_of

STUDY = ("-S", "-k", "QueryRetrieveLevel=STUDY")
Receive = Callable[..., Receiving]


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    (tmp_path / "objects").mkdir()
    return six(tmp_path / "objects")


def to(port: int) -> tuple[str, str]:
    return LOOPBACK, str(port)


def held(folder: Path) -> dict[str, list[object]]:
    return contents([read(path) for path in folder.iterdir()])


def test_a_study_to_another_in_dcmtks_lines(
    tool: Tool, receiving: Receive, some: list[Object]
) -> None:
    one, there = some[-2], receiving()
    with archive(some, {"THERE": there.port}) as peer:
        key = f"StudyInstanceUID={study_of(one)}"
        run = tool("movescu", "-v", "-aem", "THERE", *STUDY, "-k", key, *to(peer.port))
    assert (run.code, run.out) == (0, "")
    assert held(there.folder) == contents([one])
    said = run.lines[run.lines.index("I: Requesting Association") :]
    there_said = (
        "Max Send",
        "(00",
        "Association Re",
        "Requesting",
        "Store Request",
        "Storing DICOM file",
    )
    lines = [line for line in said if not any(each in line for each in there_said)]
    assert lines == [
        "I: Sending Move Request (MsgID 1)",
        "I: Request Identifiers:",
        "I: Received Move Response 1 (Pending): "
        "0 remaining, 1 completed, 0 with a warning, 0 failed",
        "I: Received Final Move Response (Success)",
        "I: Releasing Association",
        "I: 1 sent to THERE",
    ]


@pytest.mark.parametrize(
    ("options", "title"),
    [
        (["+P", "PORT"], "MOVESCU"),
        (["+P", "PORT", "-aet", "ME"], "ME"),
        (["+P", "PORT", "-aem", "THERE"], "THERE"),
        (["--store", "--store-port", "PORT"], "STORESCP"),
        (["--store", "--store-port", "PORT", "--store-aet", "HERE"], "HERE"),
    ],
)
@pytest.mark.box("16.8")
def test_our_own_receiver(
    tool: Tool, some: list[Object], tmp_path: Path, options: list[str], title: str
) -> None:
    port, folder = free_port(), tmp_path / "received"
    given = [str(port) if each == "PORT" else each for each in options]
    with archive(some, {title: port}) as peer:
        run = tool("movescu", *given, "-ba", LOOPBACK, "-od", folder, *STUDY, *to(peer.port))
    assert (run.code, run.lines) == (0, [f"I: 6 sent to {title}"])
    assert held(folder) == contents(some)


@pytest.mark.box("16.8")
def test_ignore(tool: Tool, some: list[Object], tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "received"
    with archive(some, {"MOVESCU": port}) as peer:
        run = tool("movescu", "+P", port, "--ignore", "-od", folder, *STUDY, *to(peer.port))
    assert run.code == 0
    assert run.lines[-1] == "I: 6 sent to MOVESCU"
    assert [line[:11] for line in run.lines[:-1]] == ["W: Anybody "]  # it listens everywhere
    assert not folder.exists()


def test_a_port_that_is_taken(tool: Tool) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        run = tool("movescu", "+P", taken.getsockname()[1], "--ignore", *STUDY, LOOPBACK, 1)
    assert run.code == 5
    assert len(run.lines) == 1
    assert "cannot be listened on" in run.lines[0]


def test_a_destination_that_the_peer_does_not_know(tool: Tool, some: list[Object]) -> None:
    with archive(some) as peer:
        run = tool("movescu", "-aem", "NOWHERE", *STUDY, *to(peer.port))
    assert run.code == 3
    assert "the peer answered 0xA801: Failure - " in run.lines[0]
    assert run.lines[1].endswith("0 sent to NOWHERE")


def test_what_fails_is_named(
    tool: Tool, receiving: Receive, some: list[Object], tmp_path: Path
) -> None:
    there = receiving()
    good = dicom_file(tmp_path / "good.dcm", "1.2.1", some[-2].sop_class)
    bad = dicom_file(tmp_path / "bad.dcm", "1.2.2", "1.2.3.4.5")

    def move(event: Any) -> Iterator[Any]:
        yield LOOPBACK, there.port
        yield 2
        yield 0xFF00, good
        yield 0xFF00, bad

    with archive(some, handlers=[(evt.EVT_C_MOVE, move)]) as peer:
        run = tool("movescu", *STUDY, *to(peer.port))
    assert run.code == 3
    assert run.lines == ["E: Failed: instance 1.2.2", "E: 1 sent to STORESCP, 1 failed"]
    assert there.names == ["CT.1.2.1"]


def test_ctrl_c_cancels_and_releases(tool: Tool, receiving: Receive, some: list[Object]) -> None:
    ended: list[str] = []
    there = receiving()

    def move(event: Any) -> Iterator[Any]:
        yield LOOPBACK, there.port
        yield 2
        yield 0xFF00, some[0].path
        os.kill(os.getpid(), signal.SIGINT)
        idle = threading.Event()
        while not event.is_cancelled:
            idle.wait(0.01)
        ended.append("cancelled")
        yield 0xFE00, None

    with archive(some, handlers=[(evt.EVT_C_MOVE, move)]) as peer:
        run = tool("movescu", "-v", *STUDY, *to(peer.port))
    assert run.code == 130
    assert ended == ["cancelled"]
    assert "I: Releasing Association" in run.lines


def test_cancel_after_some(tool: Tool, receiving: Receive, some: list[Object]) -> None:
    there = receiving()

    def move(event: Any) -> Iterator[Any]:
        yield LOOPBACK, there.port
        yield 3
        yield 0xFF00, some[0].path
        idle = threading.Event()
        while not event.is_cancelled:
            idle.wait(0.01)
        yield 0xFE00, None

    with archive(some, handlers=[(evt.EVT_C_MOVE, move)]) as peer:
        run = tool("movescu", "--cancel", 1, *STUDY, *to(peer.port))
    assert run.code == 0
    assert run.lines[-1] == "E: 1 sent to STORESCP, 2 not tried"


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["+P", "1", "--store"], "+P and --store both say where to receive"),
        (["+P", "1", "+tla"], "who receives over TLS has a certificate"),
        (["-aem", "SEVENTEEN_LETTERS"], "is no AE title"),
        (["-k", "StudyDat=1"], "is it StudyDate?"),
        (["-fe", "/x"], "-fe /x is a path"),
        (["+ac"], "+ac cannot be honoured"),
    ],
)
def test_wrong_use(tool: Tool, options: list[str], said: str) -> None:
    run = tool("movescu", *STUDY, *options, LOOPBACK, 1)
    assert run.code == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]


@pytest.mark.no_socket
def test_the_destination_is_pynetdicoms_unless_we_receive() -> None:
    parser = movescu.make_parser()
    args = parser.read([LOOPBACK, "1"])
    assert (movescu.destination(args), movescu.own_port(args)) == ("STORESCP", None)
    args = parser.read([LOOPBACK, "1", "--store"])
    assert (movescu.destination(args), movescu.own_port(args)) == ("STORESCP", 11113)
