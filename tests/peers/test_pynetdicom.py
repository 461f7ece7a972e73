"""pynetdicom in a process of its own, as sender and as receiver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire import build_context, evt
from dicomwire.protocol.errors import Aborted, Rejected, Released
from dicomwire.protocol.items import UserIdentity
from tests.peers.conftest import Start
from tests.peers.objects import IMPLICIT_LITTLE, UNCOMPRESSED, Object, contents
from tests.peers.ours import ask, echo, receiving, send

Scu = Callable[..., dict[str, Any]]
Received = Callable[[], dict[str, bytes]]


@pytest.mark.conformance("C-ECHO", "SCU", "pynetdicom")
def test_echo_to(pynetdicom_scp: Start) -> None:
    with pynetdicom_scp() as peer:
        echo(peer.port)


@pytest.mark.conformance("C-ECHO", "SCP", "pynetdicom")
def test_echo_from(pynetdicom_scu: Scu) -> None:
    with receiving() as ours:
        said = pynetdicom_scu(ours.port)
        assert said == {"accepted": True, "statuses": [0], "ended": ["released"]}
        assert isinstance(ours.next_end().ended, Released)


@pytest.mark.conformance("C-STORE", "SCU", "pynetdicom")
@pytest.mark.parametrize("size", [16382, 131072, 0])
def test_every_byte_arrives_there(
    pynetdicom_scp: Start, objects: list[Object], large: Object, received: Received, size: int
) -> None:
    with pynetdicom_scp("--pdu", str(size)) as peer:
        send(peer.port, [*objects, large], max_pdu=0)
    assert received() == {each.instance: each.data for each in [*objects, large]}


@pytest.mark.conformance("C-STORE", "SCU", "pynetdicom")
def test_conversion_to_what_it_accepts(
    pynetdicom_scp: Start, objects: list[Object], received_objects: Callable[[], list[Object]]
) -> None:
    plain = [each for each in objects if each.syntax in UNCOMPRESSED]
    with pynetdicom_scp("--syntax", IMPLICIT_LITTLE) as peer:
        classes = dict.fromkeys(each.sop_class for each in plain)
        send(peer.port, plain, contexts=[build_context(uid, [*UNCOMPRESSED]) for uid in classes])
    arrived = received_objects()
    assert {each.syntax for each in arrived} == {IMPLICIT_LITTLE}
    assert contents(arrived) == contents(plain)


@pytest.mark.conformance("C-STORE", "SCP", "pynetdicom")
@pytest.mark.parametrize("kept_in", ["memory", "files"])
def test_every_byte_arrives_here(
    pynetdicom_scu: Scu, objects: list[Object], large: Object, tmp_path: Path, kept_in: str
) -> None:
    # it sends an odd data set as it is
    some = [each for each in [*objects, large] if each.path.name != "image_dfl.dcm"]
    folder = tmp_path if kept_in == "files" else None
    with receiving(folder, maximum_pdu_size=0) as ours:
        said = pynetdicom_scu(ours.port, "--raw", "--pdu", "0", *(each.path for each in some))
    assert said == {"accepted": True, "statuses": [0] * len(some), "ended": ["released"]}
    # undecoded, it names the instance as the file meta information does
    assert [each.data for each in ours.received] == [each.data for each in some]


@pytest.mark.conformance("C-STORE", "SCP", "pynetdicom")
def test_what_it_encodes_is_what_was_meant(pynetdicom_scu: Scu, objects: list[Object]) -> None:
    plain = [each for each in objects if each.syntax in UNCOMPRESSED]
    with receiving() as ours:
        said = pynetdicom_scu(ours.port, *(each.path for each in plain))
    assert said["statuses"] == [0] * len(plain)
    assert ours.contents == contents(plain)


@pytest.mark.conformance("User identity", "SCU", "pynetdicom")
def test_user_identity_to(pynetdicom_scp: Start) -> None:
    with pynetdicom_scp("--user", "alice:s3cret") as peer:
        echo(peer.port, ext_neg=[UserIdentity(2, False, b"alice", b"s3cret")])
        refused = ask(peer.port, ext_neg=[UserIdentity(2, False, b"alice", b"guess")])
        assert refused.is_rejected


@pytest.mark.conformance("User identity", "SCP", "pynetdicom")
@pytest.mark.parametrize(("user", "accepted"), [("alice:s3cret", True), ("alice:guess", False)])
def test_user_identity_from(pynetdicom_scu: Scu, user: str, accepted: bool) -> None:
    def verify(event: Any) -> tuple[bool, None]:
        return (event.primary_field, event.secondary_field) == (b"alice", b"s3cret"), None

    with receiving(handlers=[(evt.EVT_USER_ID, verify)]) as ours:
        assert pynetdicom_scu(ours.port, "--user", user)["accepted"] is accepted


@pytest.mark.conformance("Association refused", "SCU", "pynetdicom")
def test_refused_there(pynetdicom_scp: Start) -> None:
    with pynetdicom_scp("--title", "THEM") as peer:
        assoc = ask(peer.port, ae_title="SOMEBODY")
        assert isinstance(assoc.ended, Rejected)
        assert "called AE title" in str(assoc.ended)
        echo(peer.port, ae_title="THEM")


@pytest.mark.conformance("Association refused", "SCP", "pynetdicom")
def test_refused_here(pynetdicom_scu: Scu) -> None:
    with receiving(require_called_aet=True) as ours:
        said = pynetdicom_scu(ours.port, "--called", "SOMEBODY")
        assert said == {"accepted": False, "statuses": [], "ended": ["rejected"]}
        assert pynetdicom_scu(ours.port, "--called", "OURS")["accepted"]


@pytest.mark.conformance("Association aborted", "SCU", "pynetdicom")
def test_aborted_there(pynetdicom_scp: Start, objects: list[Object]) -> None:
    with pynetdicom_scp("--abort") as peer:
        assoc = ask(peer.port, objects)
        assert not assoc.send_c_store(objects[0].path)
        assert assoc.is_aborted
        assert isinstance(assoc.ended, Aborted)


@pytest.mark.conformance("Association aborted", "SCP", "pynetdicom")
def test_aborted_by_the_sender(pynetdicom_scu: Scu) -> None:
    with receiving() as ours:
        assert pynetdicom_scu(ours.port, "--abort")["ended"] == ["aborted"]
        assert isinstance(ours.next_end().ended, Aborted)
