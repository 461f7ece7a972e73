"""Our findscu, getscu and movescu, as processes, and every peer's archive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from tests.peers import LOOPBACK, Serving, free_port, run, serving
from tests.peers.certificates import Party
from tests.peers.conftest import Start, script
from tests.peers.objects import Object, contents, read
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.ours import send
from tests.peers.queries import NM_STUDY, six, study_of
from tests.peers.test_query_dcmtk import QRSCP, worklist_item
from tests.peers.test_tools import SOURCE, tool, use

ARCHIVE = "ANY-SCP"
Run = Callable[..., str]
Node = Callable[..., AbstractContextManager[Serving]]
STUDY = ("-S", "-k", "QueryRetrieveLevel=STUDY")
NM = ("-k", f"StudyInstanceUID={NM_STUDY}")

# What is asked of DCMTK's findscu and of ours: the matches have to be the same.
REQUESTS = [
    "-S -k (0008,0052)=STUDY -k PatientName=* -k StudyInstanceUID -k StudyDate",
    "-S -k 0008,0052=STUDY -k PatientName=Compressed* -k StudyInstanceUID",
    "-S -k QueryRetrieveLevel=STUDY -k StudyDate=20040101-20041231 -k StudyInstanceUID",
    "-S -k QueryRetrieveLevel=STUDY -k StudyDate=-20040601 -k StudyInstanceUID -k PatientID",
    "-P -k QueryRetrieveLevel=PATIENT -k PatientID=?CT1 -k PatientName",
    f"-S -k QueryRetrieveLevel=SERIES -k StudyInstanceUID={NM_STUDY} -k SeriesInstanceUID "
    "-k Modality",
    f"-S -k QueryRetrieveLevel=IMAGE -k StudyInstanceUID={NM_STUDY} "
    "-k SeriesInstanceUID=2.25.72 -k SOPInstanceUID -k InstanceNumber",
    "-S -k QueryRetrieveLevel=STUDY -k PatientName=NOBODY -k StudyInstanceUID",
]


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    """What there is to be found."""
    return six(tmp_path)


@pytest.fixture
def qrscp(peer_program: Callable[[str], str], tmp_path: Path, some: list[Object]) -> Node:
    """`qrscp(port)`: dcmqrscp with those objects, which knows a destination OURS."""

    @contextmanager
    def start(port: int = 1) -> Iterator[Serving]:
        folder, configuration = tmp_path / "database", tmp_path / "dcmqrscp.cfg"
        folder.mkdir()
        configuration.write_text(QRSCP.format(port=port, title=ARCHIVE, folder=folder))
        command = [peer_program("dcmqrscp"), "-v", "-c", configuration]
        log = tmp_path / "dcmqrscp.log"
        with serving(lambda at: [*command, str(at)], log) as server:
            send(server.port, some, ae_title=ARCHIVE)
            yield server

    return start


@pytest.fixture
def theirs(pynetdicom_here: None, tmp_path: Path, some: list[Object]) -> Node:
    """`theirs(port)`: pynetdicom's archive with those objects and a destination OURS."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for number, each in enumerate(some):
        (folder / f"{number}.dcm").write_bytes(each.path.read_bytes())

    def start(port: int = 1) -> AbstractContextManager[Serving]:
        command = script("pynetdicom_query_scp.py")
        return serving(lambda at: [*command, str(at), folder, str(port)], tmp_path / "theirs.log")

    return start


@pytest.fixture
def full(their_orthanc: Orthanc, some: list[Object]) -> Orthanc:
    """Orthanc with those objects, which lets OURS ask."""
    for each in some:
        their_orthanc.upload(each.path)
    their_orthanc.knows("ours", 1)
    return their_orthanc


def held(folder: Path) -> dict[str, list[object]]:
    """What was written into a folder."""
    return contents([read(path) for path in folder.iterdir()])


def as_text(path: Path) -> str:
    """What a written match says, without the file meta information."""
    match = dcmread(path)
    return str(Dataset({element.tag: element for element in match}))


def same_matches(dcmtk: Run, tmp_path: Path, port: int, request: str, *titles: str) -> list[str]:
    """Ask with DCMTK's findscu and with ours; the matches, which have to be the same."""
    found = []
    for name in ("dcmtk", "ours"):
        folder = tmp_path / name
        folder.mkdir()
        ask = dcmtk if name == "dcmtk" else use
        ask("findscu", "-X", "-od", folder, *titles, *request.split(), LOOPBACK, str(port))
        assert all(path.match("rsp000?.dcm") for path in folder.iterdir())
        found.append(sorted(as_text(path) for path in folder.iterdir()))
    assert found[0] == found[1]
    return found[1]


# -- find -------------------------------------------------------------------------------------


@pytest.mark.conformance("C-FIND", "SCU", "DCMTK")
@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_our_findscu_and_dcmqrscp(qrscp: Node, dcmtk: Run, tmp_path: Path, request_: str) -> None:
    with qrscp() as peer:
        found = same_matches(dcmtk, tmp_path, peer.port, request_)
    assert bool(found) == ("NOBODY" not in request_)


@pytest.mark.conformance("C-FIND", "SCU", "Orthanc")
@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_our_findscu_and_orthanc(full: Orthanc, dcmtk: Run, tmp_path: Path, request_: str) -> None:
    titles = ["-aet", "OURS", "-aec", TITLE]
    found = same_matches(dcmtk, tmp_path, full.port, request_, *titles)
    assert bool(found) == ("NOBODY" not in request_)


@pytest.mark.conformance("C-FIND", "SCU", "pynetdicom")
def test_our_findscu_and_pynetdicom(theirs: Node, some: list[Object]) -> None:
    with theirs() as peer:
        printed = use("findscu", "--json", *STUDY, "-k", "StudyInstanceUID", LOOPBACK,
                      str(peer.port))  # fmt: skip
    found = [Dataset.from_json(line).SOPInstanceUID for line in printed.splitlines()]
    assert sorted(found) == sorted(each.instance for each in some)


@pytest.mark.conformance("C-FIND", "SCU", "pynetdicom")
def test_our_findscu_gives_up(theirs: Node) -> None:
    endless = ["-k", "PatientID=ENDLESS", "-k", "StudyInstanceUID"]
    with theirs() as peer:
        to = [LOOPBACK, str(peer.port)]
        printed = use("findscu", "-v", "--cancel", "3", *STUDY, *endless, *to)
    assert "Received Final Find Response (Cancel" in printed
    assert printed.rstrip().endswith("I: Releasing Association")


@pytest.mark.conformance("C-FIND", "SCU", "DCMTK")
def test_our_findscu_and_a_worklist(
    peer_program: Callable[[str], str], dcmtk: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "worklist" / ARCHIVE
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    for number, name in enumerate(["Alpha^Anna", "Beta^Bert", "Alpha^Adam"]):
        worklist_item(number, name).save_as(folder / f"{number}.wl", enforce_file_format=True)
    command = [peer_program("wlmscpfs"), "-dfr", "-dfp", folder.parent]
    step = "(0040,0100)[0]"
    request = f"-W -k PatientName=Alpha* -k PatientID -k {step}.Modality=MR -k {step}.(0040,0001)"
    with serving(lambda port: [*command, str(port)], tmp_path / "wlmscpfs.log") as peer:
        found = same_matches(dcmtk, tmp_path, peer.port, request)
    assert len(found) == 2


# -- get ----------------------------------------------------------------------------------------


@pytest.mark.conformance("C-GET", "SCU", "DCMTK")
def test_our_getscu_and_dcmqrscp(qrscp: Node, some: list[Object], tmp_path: Path) -> None:
    folder = tmp_path / "received"
    every = "\\".join(study_of(some[number]) for number in (0, 4, 5))
    with qrscp() as peer:
        query = [*STUDY, "-k", f"StudyInstanceUID={every}"]
        printed = use("getscu", "-od", folder, *query, LOOPBACK, str(peer.port))
    assert printed == "I: 6 received\n"
    assert held(folder) == contents(some)


@pytest.mark.conformance("C-GET", "SCU", "Orthanc")
def test_our_getscu_and_orthanc(full: Orthanc, some: list[Object], tmp_path: Path) -> None:
    folder = tmp_path / "received"
    to = ["-aet", "OURS", "-aec", TITLE, LOOPBACK, str(full.port)]
    use("getscu", "-od", folder, *STUDY, *NM, *to)
    assert held(folder) == contents(some[:4])


@pytest.mark.conformance("C-GET", "SCU", "pynetdicom")
def test_our_getscu_and_pynetdicom(theirs: Node, some: list[Object], tmp_path: Path) -> None:
    folder = tmp_path / "received"
    with theirs() as peer:
        use("getscu", "-od", folder, *STUDY, *NM, LOOPBACK, str(peer.port))
    assert held(folder) == contents(some[:4])


# -- move ---------------------------------------------------------------------------------------


@pytest.mark.conformance("C-MOVE", "SCU", "DCMTK")
def test_our_movescu_receives_from_dcmqrscp(
    qrscp: Node, some: list[Object], tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "received"
    with qrscp(port) as peer:
        to = ["-aet", "OURS", *STUDY, *NM, LOOPBACK, str(peer.port)]
        printed = use("movescu", "+P", str(port), "-od", folder, *to)
        unknown = run([*tool("movescu"), "-aem", "NOWHERE", *to], **SOURCE)
    assert printed.splitlines()[-1] == "I: 4 sent to OURS"
    assert held(folder) == contents(some[:4])
    assert unknown.returncode == 3
    assert "0xA801" in unknown.stdout


@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
def test_our_movescu_and_orthanc(
    full: Orthanc,
    dcmtk_scp: Start,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
) -> None:
    with dcmtk_scp("storescp") as third:
        full.knows("third", third.port, title="THIRD")
        to = ["-aet", "OURS", "-aec", TITLE, "-aem", "THIRD", LOOPBACK, str(full.port)]
        use("movescu", *STUDY, *NM, *to)
    assert contents(received_objects()) == contents(some[:4])


@pytest.mark.conformance("C-MOVE", "SCU", "pynetdicom")
def test_our_movescu_and_pynetdicom(theirs: Node, some: list[Object], tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "received"
    with theirs(port) as peer:
        store = ["--store", "--store-port", str(port), "--store-aet", "OURS", "-od", folder]
        use("movescu", *store, *STUDY, *NM, LOOPBACK, str(peer.port))
    assert held(folder) == contents(some[:4])


# -- over TLS ---------------------------------------------------------------------------------


@pytest.mark.conformance("C-FIND over TLS", "SCU", "Orthanc")
@pytest.mark.conformance("C-GET over TLS", "SCU", "Orthanc")
@pytest.mark.conformance("C-MOVE over TLS", "SCU", "Orthanc")
def test_our_query_tools_over_tls(
    their_orthanc_tls: Orthanc, some: list[Object], tmp_path: Path, trusted: Party
) -> None:
    for each in some:
        their_orthanc_tls.upload(each.path)
    port = free_port()
    their_orthanc_tls.knows("ours", port, tls=True)
    titles = ["-aet", "OURS", "-aec", TITLE]
    to = [*trusted.dcmtk, *titles, *STUDY, *NM, "localhost", str(their_orthanc_tls.port)]
    printed = use("findscu", "--json", *to)
    assert [json.loads(line)["0020000D"]["Value"] for line in printed.splitlines()] == [[NM_STUDY]]
    use("getscu", "-od", tmp_path / "got", *to)
    use("movescu", "+P", str(port), "-od", tmp_path / "moved", *to)
    assert held(tmp_path / "got") == held(tmp_path / "moved") == contents(some[:4])
