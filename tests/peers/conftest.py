"""The peers and what is sent to them, as fixtures."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.peers import Arguments, Serving, run_well, serving
from tests.peers.certificates import Party, party
from tests.peers.objects import TWINS, Object, read, renamed, shipped, write_image
from tests.peers.orthanc import SECOND_TITLE, WORKLIST_PLUGIN, Orthanc, orthanc

SCRIPTS = Path(__file__).parent / "scripts"

Start = Callable[..., AbstractContextManager[Serving]]


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """Files that pydicom ships: images, plans, reports, in all kinds of transfer syntaxes."""
    return [*shipped(), *renamed(TWINS, tmp_path_factory.mktemp("twins"))]


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Object:
    """20 MB of noise, whose length is no multiple of anything."""
    return write_image(tmp_path_factory.mktemp("large") / "large.dcm", 3, 1759, 2003)


@pytest.fixture(scope="session")
def as_dcmtk_writes(
    peer_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Object], Object]:
    """An object as DCMTK encodes it in the same transfer syntax.

    DCMTK decodes what it sends and encodes it anew, with the lengths of sequences explicit and
    without padding; its dcmconv does the same to a file. That has to arrive from its senders.
    """
    dcmconv = peer_program("dcmconv")
    folder = tmp_path_factory.mktemp("dcmconv")
    done: dict[Path, Object] = {}

    def convert(item: Object) -> Object:
        if item.path not in done:
            target = folder / f"{len(done)}-{item.path.name}"
            run_well([dcmconv, "--padding-off", item.path, target])
            done[item.path] = read(target)
        return done[item.path]

    return convert


@pytest.fixture
def dcmtk(peer_program: Callable[[str], str], tmp_path: Path) -> Callable[..., str]:
    """`dcmtk("storescu", ...)`: run a program of DCMTK that has to end well; what it printed."""

    def go(name: str, *arguments: str | Path, **environment: str) -> str:
        return run_well([peer_program(name), *arguments], **environment)

    return go


@pytest.fixture
def dcmtk_scp(peer_program: Callable[[str], str], tmp_path: Path) -> Start:
    """`dcmtk_scp("storescp", ...)`: a receiver of DCMTK, which writes into `received`."""

    @contextmanager
    def start(name: str, *options: str | Path, **environment: str) -> Iterator[Serving]:
        folder = tmp_path / "received"
        folder.mkdir(exist_ok=True)

        def command(port: int) -> Arguments:
            return [peer_program(name), "-v", "-od", folder, *options, str(port)]

        with serving(command, tmp_path / f"{name}.log", **environment) as server:
            yield server

    return start


@pytest.fixture
def received_objects(tmp_path: Path) -> Callable[[], list[Object]]:
    """What a peer has written into `received`."""
    return lambda: [read(path) for path in (tmp_path / "received").iterdir()]


@pytest.fixture
def received(received_objects: Callable[[], list[Object]]) -> Callable[[], dict[str, bytes]]:
    """What a peer has written into `received`: data sets by SOP Instance UID."""
    return lambda: {each.instance: each.data for each in received_objects()}


def script(name: str) -> list[str | Path]:
    """The start of a command line that runs one of `scripts`."""
    return [sys.executable, "-W", "ignore", SCRIPTS / name]


def leave_out(missing: str) -> None:
    """Leave a test out, or fail it, because something is missing."""
    if os.environ.get("DICOMWIRE_REQUIRE_PEERS") == "1":
        pytest.fail(f"{missing} is missing, and DICOMWIRE_REQUIRE_PEERS=1", pytrace=False)
    pytest.skip(f"left out, needs {missing}")


@pytest.fixture(scope="session")
def pynetdicom_here() -> None:
    """Leave the test out, or fail it, where pynetdicom is not installed."""
    if find_spec("pynetdicom") is None:
        leave_out("pynetdicom")


@pytest.fixture
def pynetdicom_scu(pynetdicom_here: None) -> Callable[..., dict[str, Any]]:
    """`pynetdicom_scu(port, ...)`: run `scripts/pynetdicom_scu.py`; what it says came of it."""

    def go(port: int, *arguments: str | Path) -> dict[str, Any]:
        printed = run_well([*script("pynetdicom_scu.py"), str(port), *arguments])
        said: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return said

    return go


@pytest.fixture
def pynetdicom_scp(pynetdicom_here: None, tmp_path: Path) -> Start:
    """`pynetdicom_scp(...)`: run `scripts/pynetdicom_scp.py`, which writes into `received`."""

    def start(*options: str | Path) -> AbstractContextManager[Serving]:
        folder = tmp_path / "received"
        folder.mkdir(exist_ok=True)
        return serving(
            lambda port: [*script("pynetdicom_scp.py"), str(port), folder, *options],
            tmp_path / "pynetdicom.log",
        )

    return start


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Party:
    """A certificate that both we and the peers show, by an authority that both trust."""
    return party(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory, trusted: Party) -> Party:
    """Who trusts the same authority, but shows a certificate by another."""
    made = party(tmp_path_factory.mktemp("stranger"))
    return made._replace(authority=trusted.authority)


@pytest.fixture(scope="session")
def orthanc_once(
    peer_program: Callable[[str], str], trusted: Party, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """An Orthanc without TLS as acceptor, and with it as requestor where a modality wants it."""
    settings = {**trusted.orthanc, "DicomTlsEnabled": False}
    folder = tmp_path_factory.mktemp("orthanc")
    with orthanc(peer_program("Orthanc"), folder, **settings) as server:
        yield server


@pytest.fixture(scope="session")
def orthanc_tls_once(
    peer_program: Callable[[str], str], trusted: Party, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """An Orthanc that takes TLS connections only."""
    folder = tmp_path_factory.mktemp("orthanc-tls")
    with orthanc(peer_program("Orthanc"), folder, **trusted.orthanc) as server:
        yield server


@pytest.fixture(scope="session")
def orthanc_second_once(
    peer_program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """Another Orthanc, of another title, with a plugin that serves the folder `worklists`."""
    folder = tmp_path_factory.mktemp("orthanc-second")
    folder.joinpath("worklists").mkdir()
    settings = {
        "DicomAet": SECOND_TITLE,
        "Plugins": [str(WORKLIST_PLUGIN)] if WORKLIST_PLUGIN.exists() else [],
        "Worklists": {"Enable": True, "Database": str(folder / "worklists")},
    }
    with orthanc(peer_program("Orthanc"), folder, **settings) as server:
        yield server


@pytest.fixture
def their_orthanc(orthanc_once: Orthanc) -> Orthanc:
    """`orthanc_once`, empty."""
    orthanc_once.forget()
    return orthanc_once


@pytest.fixture
def their_second_orthanc(orthanc_second_once: Orthanc) -> Orthanc:
    """`orthanc_second_once`, empty."""
    orthanc_second_once.forget()
    return orthanc_second_once


@pytest.fixture
def their_worklist(their_second_orthanc: Orthanc) -> Orthanc:
    """`their_second_orthanc`, where it has the plugin for worklists; its folder is empty."""
    if not WORKLIST_PLUGIN.exists():
        leave_out(WORKLIST_PLUGIN.name)
    for path in their_second_orthanc.folder.joinpath("worklists").iterdir():
        path.unlink()
    return their_second_orthanc


@pytest.fixture
def their_orthanc_tls(orthanc_tls_once: Orthanc) -> Orthanc:
    """`orthanc_tls_once`, empty."""
    orthanc_tls_once.forget()
    return orthanc_tls_once
