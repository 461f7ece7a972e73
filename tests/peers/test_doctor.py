"""The doctor's visit to every peer: healthy ones, and ones that something is wrong with."""

from __future__ import annotations

import json
from typing import Any

from tests.peers import LOOPBACK, run
from tests.peers.certificates import Party
from tests.peers.conftest import Start
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.test_tools import SOURCE, tool


def visit(port: int, *options: object) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by step."""
    arguments = [str(each) for each in options]
    done = run([*tool("doctor"), "--json", *arguments, LOOPBACK, str(port)], **SOURCE)
    found = {each["step"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == found["verdict"]["exit"]
    return found


def test_dcmtk_is_well(dcmtk_scp: Start) -> None:
    with dcmtk_scp("storescp", "+xs") as peer:
        found = visit(peer.port)
    assert found["verdict"]["exit"] == 0
    assert found["peer"]["software"].startswith("DCMTK")
    assert found["PDU length"]["maximum_length"] == 16384
    assert "1.2.840.10008.5.1.4.1.1.2" in found["storage"]["sop_classes"]
    assert "1.2.840.10008.1.2.4.70" in found["syntaxes"]["transfer_syntaxes"]
    assert found["services"]["services"]["query"] == []


def test_dcmtk_refuses_everybody(dcmtk_scp: Start) -> None:
    with dcmtk_scp("storescp", "--refuse") as peer:
        found = visit(peer.port)
    assert found["verdict"]["exit"] == 1
    assert found["association"]["state"] == "failed"
    assert found["other titles"]["accepted"] == []


def test_dcmtk_uses_tls_and_we_do_not(dcmtk_scp: Start, trusted: Party) -> None:
    with dcmtk_scp("storescp", *trusted.dcmtk) as peer:
        found = visit(peer.port)
        assert found["TLS"]["speaks"] == "TLS"
        assert found["verdict"]["fault"] == "SETTINGS"
        assert visit(peer.port, *trusted.dcmtk)["verdict"]["exit"] == 0


def test_we_use_tls_and_dcmtk_does_not(dcmtk_scp: Start, trusted: Party) -> None:
    with dcmtk_scp("storescp") as peer:
        found = visit(peer.port, *trusted.dcmtk)
    assert found["TLS"]["speaks"] == "DICOM"
    assert "without TLS" in found["verdict"]["text"]


def test_pynetdicom_is_well(pynetdicom_scp: Start) -> None:
    with pynetdicom_scp() as peer:
        found = visit(peer.port)
    assert found["verdict"]["exit"] == 0
    assert found["peer"]["software"] == "pynetdicom"


def test_orthanc_is_well(their_orthanc: Orthanc) -> None:
    found = visit(their_orthanc.port, "-aec", TITLE)
    assert found["verdict"]["exit"] == 0
    assert "Orthanc" in found["peer"]["software"]
    assert found["services"]["services"]["query"]
    assert found["services"]["services"]["C-MOVE"]


def test_orthanc_by_a_wrong_title(their_orthanc: Orthanc) -> None:
    found = visit(their_orthanc.port, "-aec", "ARCHIVE")
    assert found["verdict"]["exit"] == 1
    assert found["other titles"]["accepted"] == [TITLE]
    assert found["verdict"]["advice"] == f"type -aec {TITLE}"
    assert found["echo"]["state"] == "ok"


def test_orthanc_that_wants_tls(their_orthanc_tls: Orthanc) -> None:
    found = visit(their_orthanc_tls.port, "-aec", TITLE)
    assert found["TLS"]["speaks"] == "TLS"
    assert "and we did not" in found["verdict"]["text"]
