"""Our command-line tools, as processes, and every peer's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

import dicomwire
from tests.peers import LOOPBACK, Serving, run, run_well, serving
from tests.peers.certificates import Party
from tests.peers.conftest import Start
from tests.peers.objects import DEFLATED, UNCOMPRESSED, Object, contents, read, write_image
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.test_dcmtk_scp import profile
from tests.peers.test_dcmtk_scu import PROPOSE

SOURCE = {"PYTHONPATH": str(Path(dicomwire.__file__).parents[1])}
Convert = Callable[[Object], Object]
Received = Callable[[], dict[str, bytes]]
Run = Callable[..., str]
Scu = Callable[..., dict[str, Any]]


def tool(name: str) -> list[str | Path]:
    """The start of the command line of one of our tools."""
    return [sys.executable, "-m", "dicomwire", name]


def use(name: str, *arguments: str | Path) -> str:
    """Run one of our tools, which has to end well; return what it printed."""
    return run_well([*tool(name), *arguments], **SOURCE)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`start("storescp", ...)`: one of our receivers, which writes into `received`."""

    def go(name: str, *options: str | Path) -> AbstractContextManager[Serving]:
        output: list[str | Path] = ["-od", tmp_path / "received"] if name == "storescp" else []
        return serving(
            lambda port: [*tool(name), "-v", *output, *options, str(port)],
            tmp_path / f"{name}.log",
            **SOURCE,
        )

    return go


def names_are_of_their_objects(folder: Path) -> bool:
    """Whether each file is called after its SOP instance, and none is left half written."""
    paths = list(folder.iterdir())
    return all(path.name.partition(".")[2] == read(path).instance for path in paths)


# -- echo -------------------------------------------------------------------------------------


@pytest.mark.conformance("C-ECHO", "SCU", "DCMTK")
@pytest.mark.parametrize("name", ["storescp", "dcmrecv"])
def test_our_echoscu_and_dcmtk(dcmtk_scp: Start, name: str) -> None:
    with dcmtk_scp(name) as peer:
        printed = use("echoscu", "-v", "--repeat", "3", LOOPBACK, str(peer.port))
    assert printed.count("Received Echo Response (Success)") == 3


@pytest.mark.conformance("C-ECHO", "SCU", "pynetdicom")
def test_our_echoscu_and_pynetdicom(pynetdicom_scp: Start) -> None:
    with pynetdicom_scp() as peer:
        use("echoscu", LOOPBACK, str(peer.port))


@pytest.mark.conformance("C-ECHO", "SCU", "Orthanc")
def test_our_echoscu_and_orthanc(their_orthanc: Orthanc) -> None:
    use("echoscu", "-aec", TITLE, LOOPBACK, str(their_orthanc.port))


@pytest.mark.conformance("Association refused", "SCU", "Orthanc")
def test_our_echoscu_says_why_it_was_refused(their_orthanc: Orthanc) -> None:
    done = run([*tool("echoscu"), LOOPBACK, str(their_orthanc.port)], **SOURCE)
    assert done.returncode != 0
    assert "called AE title" in done.stdout


@pytest.mark.conformance("C-ECHO", "SCP", "DCMTK")
@pytest.mark.conformance("C-ECHO", "SCP", "Orthanc")
@pytest.mark.conformance("C-ECHO", "SCP", "pynetdicom")
@pytest.mark.box("16.3")
def test_our_echoscp(start: Start, dcmtk: Run, pynetdicom_scu: Scu, their_orthanc: Orthanc) -> None:
    with start("echoscp") as ours:
        dcmtk("echoscu", "-ppc", "128", "-pts", "38", LOOPBACK, str(ours.port))
        dcmtk("echoscu", "--repeat", "20", LOOPBACK, str(ours.port))
        assert pynetdicom_scu(ours.port)["statuses"] == [0]
        their_orthanc.knows("tool", ours.port)
        their_orthanc.call("POST", "/modalities/tool/echo", {})


# -- store ------------------------------------------------------------------------------------


@pytest.mark.conformance("C-STORE", "SCU", "DCMTK")
@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize("name", ["storescp", "dcmrecv"])
def test_our_storescu_and_dcmtk(
    dcmtk_scp: Start,
    objects: list[Object],
    large: Object,
    tmp_path: Path,
    received: Received,
    name: str,
    jobs: str,
) -> None:
    some = [*objects, large]
    options: dict[str, list[str | Path]] = {
        "storescp": ["+xa", "--fork"],
        "dcmrecv": ["-xf", profile(some, tmp_path / "dcmrecv.cfg"), "Everything"],
    }
    with dcmtk_scp(name, "+B", *options[name]) as peer:
        paths = [each.path for each in some]
        use("storescu", "--jobs", jobs, LOOPBACK, str(peer.port), *paths)
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-STORE", "SCU", "pynetdicom")
def test_our_storescu_and_pynetdicom(
    pynetdicom_scp: Start, objects: list[Object], received: Received
) -> None:
    with pynetdicom_scp() as peer:
        use("storescu", LOOPBACK, str(peer.port), *(each.path for each in objects))
    assert received() == {each.instance: each.data for each in objects}


@pytest.mark.conformance("C-STORE", "SCU", "Orthanc")
def test_our_storescu_and_orthanc(their_orthanc: Orthanc, tmp_path: Path) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 2, 301, 499, number=n) for n in range(8)]
    printed = use("storescu", "-v", "-aec", TITLE, LOOPBACK, str(their_orthanc.port), tmp_path)
    assert printed.count("Received Store Response (Success)") == 8
    assert their_orthanc.stored() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("name", ["storescu", "dcmsend"])
def test_dcmtk_and_our_storescp(
    start: Start,
    dcmtk: Run,
    objects: list[Object],
    as_dcmtk_writes: Convert,
    received: Received,
    tmp_path: Path,
    name: str,
) -> None:
    compressed = [each for each in objects if each.syntax not in UNCOMPRESSED]
    with start("storescp", "--no-check") as ours:  # some have no Study Instance UID
        to = [LOOPBACK, str(ours.port)]
        if name == "dcmsend":
            dcmtk("dcmsend", "-dn", *to, *(each.path for each in compressed))
        for syntax in {each.syntax for each in compressed if name == "storescu"}:
            paths = [each.path for each in compressed if each.syntax == syntax]
            dcmtk("storescu", "-R", PROPOSE[syntax], *to, *paths)
    assert received() == {each.instance: as_dcmtk_writes(each).data for each in compressed}
    assert names_are_of_their_objects(tmp_path / "received")


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("name", ["storescu", "dcmsend"])
def test_dcmtk_and_our_storescp_uncompressed(
    start: Start,
    dcmtk: Run,
    objects: list[Object],
    received_objects: Callable[[], list[Object]],
    name: str,
) -> None:
    plain = [each for each in objects if each.syntax in UNCOMPRESSED]
    options = ["-R"] if name == "storescu" else []
    with start("storescp") as ours:
        dcmtk(name, *options, LOOPBACK, str(ours.port), *(each.path for each in plain))
    assert contents(received_objects()) == contents(plain)


@pytest.mark.conformance("C-STORE", "SCP", "DCMTK")
def test_four_storescu_and_our_storescp(
    start: Start,
    dcmtk: Run,
    tmp_path: Path,
    received_objects: Callable[[], list[Object]],
) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 1, 701, 999, number=n) for n in range(8)]
    with start("storescp") as ours, ThreadPoolExecutor(4) as pool:
        to = ["-R", LOOPBACK, str(ours.port)]
        parts = [[each.path for each in some[n::4]] for n in range(4)]
        list(pool.map(lambda paths: dcmtk("storescu", *to, *paths), parts))
    assert contents(received_objects()) == contents(some)


@pytest.mark.conformance("C-STORE", "SCP", "pynetdicom")
def test_pynetdicom_and_our_storescp(
    start: Start, pynetdicom_scu: Scu, objects: list[Object], received: Received
) -> None:
    some = [each for each in objects if each.syntax != DEFLATED]
    # undecoded, it names an instance as its file meta information does
    some = [each for each in some if each.path.stem not in ("rtplan", "rtdose")]
    with start("storescp", "--no-check") as ours:  # some have no Study Instance UID
        said = pynetdicom_scu(ours.port, "--raw", *(each.path for each in some))
    assert said["statuses"] == [0] * len(some)
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-STORE", "SCP", "Orthanc")
def test_orthanc_and_our_storescp(
    start: Start, their_orthanc: Orthanc, tmp_path: Path, received: Received
) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 2, 301, 499, number=n) for n in range(8)]
    with start("storescp") as ours:
        their_orthanc.knows("tool", ours.port)
        identifiers = [their_orthanc.upload(each.path) for each in some]
        their_orthanc.call("POST", "/modalities/tool/store", identifiers)
    assert received() == {each.instance: each.data for each in some}


# -- over TLS -----------------------------------------------------------------------------------


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "DCMTK")
@pytest.mark.conformance("C-STORE over TLS", "SCU", "DCMTK")
def test_our_senders_over_tls(
    dcmtk_scp: Start, objects: list[Object], trusted: Party, stranger: Party, received: Received
) -> None:
    with dcmtk_scp("storescp", "+xa", "+B", *trusted.dcmtk) as peer:
        to = ["localhost", str(peer.port)]
        use("echoscu", *trusted.dcmtk, *to)
        use("storescu", *trusted.dcmtk, *to, *(each.path for each in objects))
        done = run([*tool("echoscu"), *stranger.dcmtk, *to], **SOURCE)
        assert done.returncode != 0
        plain = run([*tool("echoscu"), *to], **SOURCE)
        assert plain.returncode != 0
        assert "TLS" in plain.stdout
    assert received() == {each.instance: each.data for each in objects}


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "Orthanc")
@pytest.mark.conformance("C-STORE over TLS", "SCU", "Orthanc")
def test_our_senders_over_tls_and_orthanc(
    their_orthanc_tls: Orthanc, large: Object, trusted: Party
) -> None:
    to = [*trusted.dcmtk, "-aec", TITLE, "localhost", str(their_orthanc_tls.port)]
    use("echoscu", *to)
    use("storescu", *to, large.path)
    assert their_orthanc_tls.stored() == {large.instance: large.data}


@pytest.mark.conformance("C-STORE over TLS", "SCP", "DCMTK")
@pytest.mark.conformance("C-STORE over TLS", "SCP", "Orthanc")
@pytest.mark.conformance("C-STORE over TLS", "SCP", "pynetdicom")
def test_our_storescp_over_tls(
    start: Start,
    dcmtk: Run,
    pynetdicom_scu: Scu,
    their_orthanc: Orthanc,
    trusted: Party,
    tmp_path: Path,
    received: Received,
) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 1, 301, 499, number=n) for n in range(3)]
    with start("storescp", *trusted.dcmtk) as ours:
        port = str(ours.port)
        dcmtk("storescu", "-R", "-xe", *trusted.dcmtk, LOOPBACK, port, some[0].path)
        pynetdicom_scu(ours.port, *trusted.pynetdicom, "--raw", some[1].path)
        their_orthanc.knows("secure", ours.port, tls=True)
        their_orthanc.call("POST", "/modalities/secure/store", their_orthanc.upload(some[2].path))
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-ECHO over TLS", "SCP", "DCMTK")
def test_our_echoscp_over_tls(start: Start, dcmtk: Run, trusted: Party) -> None:
    with start("echoscp", *trusted.dcmtk) as ours:
        dcmtk("echoscu", *trusted.dcmtk, LOOPBACK, str(ours.port))
