"""Our stgcmtscu and mppsscu, as processes, and every peer that serves them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import LOOPBACK, Serving, free_port, run, serving
from tests.peers.conftest import script
from tests.peers.exchanges import MPPS
from tests.peers.objects import shipped
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.scripts.managed import COMMITMENT, ON_A_NEW_ASSOCIATION
from tests.peers.test_tools import SOURCE, tool, use

MISSING = ("--uid", "CTImageStorage=1.2.3.404")


@pytest.fixture(scope="module")
def theirs(pynetdicom_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """pynetdicom's server of storage commitment and procedure steps."""
    wanted = json.dumps({"contexts": [COMMITMENT, MPPS], "private": [], "instances": {}})
    log = tmp_path_factory.mktemp("managed") / "scp.log"
    command = script("pynetdicom_managed_scp.py")
    with serving(lambda port: [*command, str(port), wanted], log) as server:
        yield server


def committed(*arguments: str | Path) -> tuple[int, dict[str, bool]]:
    """Run stgcmtscu; its exit code, and by SOP Instance UID whether an object is kept."""
    done = run([*tool("stgcmtscu"), "-q", "--json", *arguments], **SOURCE)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {each["SOPInstanceUID"]: each["committed"] for each in said}


@pytest.mark.conformance("Storage commitment", "SCU", "Orthanc")
def test_our_stgcmtscu_and_orthanc(their_orthanc: Orthanc) -> None:
    ct, mr = shipped(["CT_small", "MR_small"])
    use("storescu", "-aec", TITLE, LOOPBACK, str(their_orthanc.port), ct.path)
    port = free_port()
    their_orthanc.knows("ours", port, title="STGCMTSCU")
    to = ["-aec", TITLE, "+P", str(port), "-ba", LOOPBACK, LOOPBACK, str(their_orthanc.port)]
    assert committed(*to, ct.path) == (0, {ct.instance: True})
    assert committed(*to, ct.path, mr.path) == (3, {ct.instance: True, mr.instance: False})


@pytest.mark.conformance("Storage commitment", "SCU", "pynetdicom")
def test_our_stgcmtscu_and_pynetdicom(theirs: Serving) -> None:
    (ct,) = shipped(["CT_small"])
    to = [LOOPBACK, str(theirs.port)]
    assert committed(*to, ct.path) == (0, {ct.instance: True})
    assert committed(*to, ct.path, *MISSING) == (3, {ct.instance: True, "1.2.3.404": False})


@pytest.mark.conformance("Storage commitment", "SCU", "pynetdicom")
def test_our_stgcmtscu_is_told_over_a_new_association(theirs: Serving) -> None:
    (ct,) = shipped(["CT_small"])
    port = str(free_port())
    ours = ["-aet", f"{ON_A_NEW_ASSOCIATION}{port}", "+P", port, "-ba", LOOPBACK]
    to = [*ours, LOOPBACK, str(theirs.port)]
    assert committed(*to, ct.path, *MISSING) == (3, {ct.instance: True, "1.2.3.404": False})


@pytest.mark.conformance("Performed procedure step", "SCU", "pynetdicom")
@pytest.mark.conformance("N-CREATE", "SCU", "pynetdicom")
@pytest.mark.conformance("N-SET", "SCU", "pynetdicom")
@pytest.mark.parametrize("final", ["--complete", "--discontinue"])
def test_our_mppsscu_and_pynetdicom(theirs: Serving, final: str) -> None:
    (ct,) = shipped(["CT_small"])
    to = [LOOPBACK, str(theirs.port)]
    scheduled = "ScheduledStepAttributesSequence[0].StudyInstanceUID=1.2.3"
    uid = use("mppsscu", "-k", "Modality=CT", "-k", scheduled, *to).strip()
    protocol = ["-k", "PerformedSeriesSequence[0].ProtocolName=Head"]
    end = [final, "--uid", uid, "--object", ct.path, *protocol, *to]
    assert use("mppsscu", *end) == f"{uid}\n"
    again = run([*tool("mppsscu"), *end], **SOURCE)
    assert again.returncode == (3 if final == "--complete" else 0)
    assert ("may no longer be updated" in again.stdout) == (final == "--complete")
    unknown = run([*tool("mppsscu"), "--discontinue", "--uid", "1.2.3", *to], **SOURCE)
    assert unknown.returncode == 3
    assert "no such instance" in unknown.stdout
