"""The lines that tutorials have their readers type, with `dicomwire ` before them, and Orthanc."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.peers import run_well, serving
from tests.peers.objects import Object, contents, read, shipped
from tests.peers.orthanc import SECOND_TITLE, Orthanc, orthanc
from tests.peers.test_query_tools import as_text
from tests.peers.test_tools import SOURCE, tool

Type = Callable[..., str]
PROGRAMS = ["dicomwire", "DCMTK"]

ECHO = "echoscu -v localhost 4242"
STORE = "storescu -xs -v localhost 4242 demo1.dcm"
FIND = 'findscu -v -P -k "(0008,0052)=PATIENT" -k PatientName="C*" localhost 4242'
MOVE = 'movescu -v -P -k 0008,0052="PATIENT" -k PatientID=1CT1 -aem STORESCP localhost 4242'
RECEIVE = "storescp -v 2001"
GET = "getscu -v localhost 4242 query.dcm"
QUERY = "(0008,0052) CS [PATIENT]\n(0010,0020) LO [1CT1]\n"


class Reader(NamedTuple):
    """Somebody with a terminal in a folder."""

    folder: Path
    port: int
    type: Type


@pytest.fixture(scope="module")
def installed(
    peer_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """Orthanc as it comes, which takes any called title; asking it is allowed to everybody."""
    folder = tmp_path_factory.mktemp("installed")
    allowed = {f"DicomAlwaysAllow{each}": True for each in ("Find", "Get", "Move")}
    with orthanc(peer_program("Orthanc"), folder, DicomCheckCalledAet=False, **allowed) as server:
        yield server


@pytest.fixture
def demo(installed: Orthanc) -> Object:
    """The object of the tutorials; Orthanc is empty."""
    installed.forget()
    return shipped(["CT_small"])[0]


@pytest.fixture
def reader(
    peer_program: Callable[[str], str], installed: Orthanc, demo: Object, tmp_path: Path
) -> Callable[[str], Reader]:
    """`reader("DCMTK")`: who types the lines for those tools, in a folder with their files."""

    def sit_down(programs: str) -> Reader:
        folder = tmp_path / programs
        folder.mkdir()
        (folder / "demo1.dcm").write_bytes(demo.path.read_bytes())
        (folder / "query.txt").write_text(QUERY)
        run_well([peer_program("dump2dcm"), folder / "query.txt", folder / "query.dcm"])

        def type_line(line: str, *more: str | Path) -> str:
            name, *arguments = shlex.split(line.replace("4242", str(installed.port)))
            start = tool(name) if programs == "dicomwire" else [peer_program(name)]
            where = ["-od", folder / "received"] if name == "getscu" else []
            (folder / "received").mkdir(exist_ok=True)
            paths = [folder / each if each.endswith(".dcm") else each for each in arguments]
            return run_well([*start, *where, *more, *paths], **SOURCE)

        return Reader(folder, installed.port, type_line)

    return sit_down


def held(folder: Path) -> dict[str, list[object]]:
    """What is in the files of a folder."""
    return contents([read(path) for path in folder.iterdir()])


def stored(server: Orthanc, folder: Path) -> dict[str, list[object]]:
    """What is in the objects that Orthanc has."""
    folder.mkdir()
    for number, identifier in enumerate(server.call("GET", "/instances")):
        status, file = server.ask("GET", f"/instances/{identifier}/file")
        assert status == 200
        (folder / f"{number}.dcm").write_bytes(file)
    return held(folder)


@pytest.mark.conformance("C-ECHO", "SCU", "Orthanc")
def test_echo(reader: Callable[[str], Reader]) -> None:
    theirs, ours = (reader(programs).type(ECHO) for programs in reversed(PROGRAMS))
    for printed in (ours, theirs):
        assert "I: Received Echo Response (Success)" in printed
        assert "I: Releasing Association" in printed


@pytest.mark.conformance("C-STORE", "SCU", "Orthanc")
@pytest.mark.parametrize("programs", PROGRAMS)
def test_store(
    reader: Callable[[str], Reader],
    installed: Orthanc,
    demo: Object,
    tmp_path: Path,
    programs: str,
) -> None:
    printed = reader(programs).type(STORE)
    assert "I: Received Store Response (Success)" in printed
    assert stored(installed, tmp_path / "stored") == contents([demo])


@pytest.mark.box("16.6")
@pytest.mark.conformance("C-FIND", "SCU", "Orthanc")
def test_find(reader: Callable[[str], Reader], installed: Orthanc, demo: Object) -> None:
    installed.upload(demo.path)
    found = []
    for programs in PROGRAMS:
        someone = reader(programs)
        printed = someone.type(FIND)
        assert "I: Find Response: 1 (Pending)" in printed
        assert "CompressedSamples^CT1" in printed
        assert "I: Received Final Find Response (Success)" in printed
        someone.type(FIND, "-X", "-od", someone.folder / "received")
        found.append([as_text(path) for path in (someone.folder / "received").iterdir()])
    assert found[0] == found[1]
    assert len(found[0]) == 1


@pytest.mark.box("16.8")
@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
@pytest.mark.conformance("C-STORE", "SCP", "Orthanc")
@pytest.mark.parametrize("programs", PROGRAMS)
def test_move_to_another_window(
    reader: Callable[[str], Reader],
    installed: Orthanc,
    demo: Object,
    tmp_path: Path,
    programs: str,
) -> None:
    installed.upload(demo.path)
    folder = tmp_path / "window"
    name, *options, _ = RECEIVE.split()

    def window(port: int) -> list[str | Path]:
        return [*tool(name), *options, "-od", folder, str(port)]

    with serving(window, tmp_path / "storescp.log", **SOURCE) as receiver:
        installed.knows("window", receiver.port, title="STORESCP")
        printed = reader(programs).type(MOVE)
    assert "I: Received Final Move Response (Success)" in printed
    assert held(folder) == contents([demo])
    assert "I: Received Store Request (MsgID" in receiver.output


@pytest.mark.box("16.7")
@pytest.mark.conformance("C-GET", "SCU", "Orthanc")
@pytest.mark.parametrize("programs", PROGRAMS)
def test_get_with_a_query_file(
    reader: Callable[[str], Reader], installed: Orthanc, demo: Object, programs: str
) -> None:
    installed.upload(demo.path)
    someone = reader(programs)
    printed = someone.type(GET)
    assert "I: Received Final Get Response (Success)" in printed or programs == "DCMTK"
    assert held(someone.folder / "received") == contents([demo])


@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
@pytest.mark.parametrize("programs", PROGRAMS)
def test_from_one_orthanc_to_another(
    reader: Callable[[str], Reader],
    installed: Orthanc,
    their_second_orthanc: Orthanc,
    demo: Object,
    tmp_path: Path,
    programs: str,
) -> None:
    installed.knows("second", their_second_orthanc.port, title=SECOND_TITLE)
    someone = reader(programs)
    someone.type(STORE)
    printed = someone.type(MOVE.replace("STORESCP", SECOND_TITLE))
    assert "I: Received Final Move Response (Success)" in printed
    assert stored(their_second_orthanc, tmp_path / "stored") == contents([demo])


@pytest.mark.parametrize("programs", PROGRAMS)
def test_a_destination_that_orthanc_does_not_know(
    reader: Callable[[str], Reader], installed: Orthanc, demo: Object, programs: str
) -> None:
    installed.upload(demo.path)
    with pytest.raises(AssertionError, match="ended with") as failed:
        reader(programs).type(MOVE.replace("STORESCP", "NOBODY"))
    said = {"dicomwire": "the peer answered 0xC000: Failure", "DCMTK": "UnableToProcess"}
    assert said[programs] in str(failed.value)
