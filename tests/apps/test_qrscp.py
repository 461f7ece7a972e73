"""qrscp in this process, with our own tools; as a process, with signals."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dicomwire.apps import qrscp, serving
from dicomwire.apps.options import WrongUse
from dicomwire.apps.settings import Peer
from dicomwire.archive.node import FIND, GET, MODELS
from tests.apps.conftest import Receiving, Tool
from tests.apps.test_serving import Server, server
from tests.peers import LOOPBACK, free_port
from tests.peers.objects import Object, contents, read
from tests.peers.queries import six, study_of

pytestmark = pytest.mark.box("16.10")
STUDY = ("-S", "-k", "QueryRetrieveLevel=STUDY")
Start = Callable[..., tuple[str, str]]


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    (tmp_path / "objects").mkdir()
    return six(tmp_path / "objects")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """`start("-c", file)`: a qrscp in this process, its archive in the test's folder."""
    with ExitStack() as ends:

        def go(*argv: object) -> tuple[str, str]:
            options = ["-ba", LOOPBACK, "-od", tmp_path / "archive", *argv, "0"]
            args, peers = qrscp.settled(qrscp.make_parser().read([str(each) for each in options]))
            to = qrscp.destinations(args, peers)
            node = qrscp.opened(args, to)
            assert node is not None
            ends.callback(node.close)
            ae = qrscp.application(args, node, to)
            running = serving.start(ae, args, qrscp.supported_by(args), node.handlers())
            assert running is not None
            ends.callback(serving.finish, ae, running, 5.0)
            return LOOPBACK, str(running.server_address[1])

        yield go


def peers(folder: Path, text: str = "", **ports: int) -> Path:
    """Write a file that names peers of this machine."""
    tables = [
        f'[[peer]]\ntitle = "{title}"\nhost = "{LOOPBACK}"\nport = {port}\n'
        for title, port in ports.items()
    ]
    path = folder / "node.toml"
    path.write_text(text + "\n" + "".join(tables))
    return path


def held(folder: Path) -> dict[str, list[object]]:
    return contents([read(path) for path in folder.iterdir()])


# -- the main job -----------------------------------------------------------------------------


def test_echo_store_find_get_and_move(
    tool: Tool,
    start: Start,
    receiving: Callable[..., Receiving],
    some: list[Object],
    tmp_path: Path,
) -> None:
    there = receiving()
    at = start("-c", peers(tmp_path, THERE=there.port))
    one = f"StudyInstanceUID={study_of(some[-1])}"
    assert tool("echoscu", *at).code == 0
    assert tool("storescu", *at, *(each.path for each in some)).code == 0
    assert len(tool("findscu", "--json", *STUDY, *at).out.splitlines()) == 3
    assert len(tool("findscu", "--json", *STUDY, "-k", one, *at).out.splitlines()) == 1
    assert tool("getscu", *STUDY, "-k", one, "-od", tmp_path / "got", *at).code == 0
    assert held(tmp_path / "got") == contents(some[-1:])
    assert tool("movescu", *STUDY, "-k", one, "-aem", "THERE", *at).code == 0
    assert held(there.folder) == contents(some[-1:])
    assert tool("movescu", *STUDY, "-k", one, "-aem", "NOBODY", *at).code == 3


def test_the_usual_peer_is_movescus_own_receiver(
    tool: Tool, start: Start, some: list[Object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(
        qrscp, "USUAL_PEERS", (qrscp.USUAL_PEERS[0]._replace(port=port),)
    )  # that which both have by default may be taken here
    at = start()
    assert tool("storescu", *at, some[-1].path).code == 0
    own = ["--store", "--store-port", port, "-ba", LOOPBACK, "-od", tmp_path / "moved"]
    one = f"StudyInstanceUID={study_of(some[-1])}"
    assert tool("movescu", *own, *STUDY, "-k", one, *at).code == 0
    assert held(tmp_path / "moved") == contents(some[-1:])


def test_strangers_are_refused_when_asked_for(tool: Tool, start: Start, tmp_path: Path) -> None:
    at = start("--only-known", "-c", peers(tmp_path, KNOWN=104))
    assert tool("echoscu", "-aet", "KNOWN", *at).code == 0
    run = tool("echoscu", "-aet", "STRANGER", *at)
    assert run.code == 1
    assert "calling AE title" in run.lines[-1]


def test_names_without_accents_when_asked_for(
    tool: Tool, start: Start, tmp_path: Path, some: list[Object]
) -> None:
    from pydicom import dcmread

    ds = dcmread(some[0].path)
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 192", "Müller^Jörg"
    ds.save_as(tmp_path / "accents.dcm")
    at = start("--fold-accents")
    assert tool("storescu", *at, tmp_path / "accents.dcm").code == 0
    run = tool("findscu", "--json", *STUDY, "-k", "PatientName=muller^jorg", *at)
    assert len(run.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ([], list(MODELS)),
        (["--disable-get"], [uid for uid in MODELS if uid not in GET]),
        (["-QP", "-QO"], [uid for uid in MODELS if ".1.2.2." in uid]),
        (
            ["-QS", "--disable-get"],
            [uid for uid in MODELS if ".2.2." not in uid and uid not in GET],
        ),
    ],
)
@pytest.mark.no_socket
def test_which_models_are_offered(options: list[str], left: list[str]) -> None:
    assert qrscp.models(qrscp.make_parser().read(options)) == left
    assert set(FIND) & set(left)


# -- settings ---------------------------------------------------------------------------------


@pytest.mark.no_socket
def test_the_defaults_are_pynetdicoms() -> None:
    args, known = qrscp.settled(qrscp.make_parser().read([]))
    assert (args.ae_title, args.port, args.bind_address) == ("QRSCP", 11112, "")
    assert (args.acse_timeout, args.dimse_timeout, args.network_timeout) == (30.0, 30.0, 30.0)
    assert (args.max_pdu, args.instance_location) == (16382, "instances")
    assert known == (Peer("STORESCP", "127.0.0.1", 11113),)


@pytest.mark.no_socket
def test_the_command_line_is_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    path = peers(
        tmp_path,
        'ae_title = "FILE"\nport = 104\nmax_pdu = 0\nacse_timeout = 5\ninstance_location = "x"\n'
        "fold_accents = true\n",
    )
    parser = qrscp.make_parser()
    args, known = qrscp.settled(parser.read(["-c", str(path), "-ta", "7"]))
    assert (args.ae_title, args.port, args.max_pdu, args.fold_accents) == ("FILE", 104, 0, True)
    assert (args.acse_timeout, args.dimse_timeout, known) == (7.0, 30.0, ())
    assert args.instance_location == str(tmp_path / "x")
    args, _ = qrscp.settled(parser.read(["-c", str(path), "-aet", "QRSCP", "--port", "105"]))
    assert (args.ae_title, args.port) == ("QRSCP", 105)
    args, _ = qrscp.settled(parser.read(["-v", "106", "-c", str(path), "-od", "y"]))
    assert (args.port, args.instance_location) == (106, "y")


@pytest.mark.no_socket
def test_tls_to_a_peer_needs_to_be_said_how(tmp_path: Path) -> None:
    path = peers(tmp_path, A=104)
    path.write_text(path.read_text() + "tls = true\n")
    args, known = qrscp.settled(qrscp.make_parser().read(["-c", str(path)]))
    with pytest.raises(WrongUse, match=r"A wants TLS: add \+tls KEY CERT"):
        qrscp.destinations(args, known)


def test_an_archive_that_cannot_be_opened(tool: Tool, start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = tool("qrscp", "-od", tmp_path / "file", "0")
    assert (run.code, len(run.lines)) == (5, 1)
    assert "cannot be used: " in run.lines[0]
    run = tool("qrscp", "-od", tmp_path / "new", "--database-location", tmp_path, "0")
    assert run.code == 5
    start()
    run = tool("qrscp", "-od", tmp_path / "archive", "0")
    assert (run.code, len(run.lines)) == (5, 1)
    assert "in use by another process" in run.lines[0]


# -- clean ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "left"), [("yes\n", 0), ("no\n", 6), ("", 6)])
def test_clean_asks_first(
    tool: Tool, some: list[Object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    typed: str, left: int,
) -> None:  # fmt: skip
    folder = tmp_path / "archive"
    with server("qrscp", "-od", folder) as running:
        to = (LOOPBACK, running.port, *(each.path for each in some))
        assert tool("storescu", *to).code == 0
        assert running.stop(signal.SIGTERM)[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    run = tool("qrscp", "-od", folder, "--clean")
    assert run.code == 0
    said = "I: 6 objects removed" if typed == "yes\n" else "W: Nothing was removed"
    assert run.lines == ["Remove all 6 objects? Type yes:", said]
    assert len(list(folder.rglob("*.dcm"))) == left


# -- as a process -----------------------------------------------------------------------------


def introduction(running: Server) -> list[str]:
    """Read the lines that it begins with."""
    assert running.process.stderr is not None
    return [running.process.stderr.readline().rstrip("\n") for _ in range(3)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_it_says_and_that_it_keeps(
    tool: Tool, some: list[Object], tmp_path: Path, number: int
) -> None:
    folder = tmp_path / "archive"
    with server("qrscp", "-od", folder, "-aet", "MY NODE") as running:
        assert introduction(running) == [
            f"I: MY NODE listens on port {running.port} and has 0 studies, 0 objects, in {folder}",
            "I: Anybody may call; who may be sent to: STORESCP",
            f"I: Next: dicomwire storescu -r -aec 'MY NODE' {LOOPBACK} {running.port} FOLDER",
        ]
        to = ("-aec", "MY NODE", LOOPBACK, running.port)
        assert tool("storescu", *to, *(each.path for each in some)).code == 0
        code, lines = running.stop(number)
    assert code == 0
    assert sum("Store Request" in line and line.endswith(" stored") for line in lines) == 6
    file = peers(tmp_path, A=104, B=105)
    with server("qrscp", "-od", folder, "--only-known", "-c", file) as running:
        said = introduction(running)
        assert running.stop(number)[0] == 0
    assert said[0].endswith(f"has 3 studies, 6 objects, in {folder}")
    assert said[1] == "I: Who may call, and be sent to: A, B"
    assert "I: Next: dicomwire findscu --table -S -k QueryRetrieveLevel=STUDY" in said[2]
