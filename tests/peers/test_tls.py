"""C-ECHO and C-STORE over TLS: every peer that can, in both directions, and who is kept out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire.protocol.errors import Lost
from tests.peers import LOOPBACK, run
from tests.peers.certificates import Party
from tests.peers.conftest import Start
from tests.peers.objects import DEFLATED, Object
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.ours import Receiver, ask, echo, receiving, send
from tests.peers.test_dcmtk_scp import profile

Convert = Callable[[Object], Object]
Received = Callable[[], dict[str, bytes]]


@pytest.fixture
def some(objects: list[Object], large: Object) -> list[Object]:
    """Some objects: enough for TLS, which sees bytes only."""
    names = {"CT_small", "ExplVR_BigEnd", "rtplan", "test-SR", "examples_ybr_color", "image_dfl"}
    return [large, *(each for each in objects if each.path.stem in names)]


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "DCMTK")
@pytest.mark.conformance("C-STORE over TLS", "SCU", "DCMTK")
@pytest.mark.parametrize("name", ["storescp", "dcmrecv"])
def test_to_dcmtk(
    dcmtk_scp: Start,
    trusted: Party,
    some: list[Object],
    tmp_path: Path,
    received: Received,
    name: str,
) -> None:
    options: dict[str, list[str | Path]] = {
        "storescp": ["+xa"],
        "dcmrecv": ["-xf", profile(some, tmp_path / "dcmrecv.cfg"), "Everything"],
    }
    tls = (trusted.client(), "localhost")
    with dcmtk_scp(name, "+B", *trusted.dcmtk, *options[name]) as peer:
        echo(peer.port, tls_args=tls)
        send(peer.port, some, tls_args=tls)
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-ECHO over TLS", "SCP", "DCMTK")
@pytest.mark.conformance("C-STORE over TLS", "SCP", "DCMTK")
@pytest.mark.parametrize("kept_in", ["memory", "files"])
def test_from_dcmtk(
    dcmtk: Callable[..., str],
    trusted: Party,
    some: list[Object],
    as_dcmtk_writes: Convert,
    tmp_path: Path,
    kept_in: str,
) -> None:
    plain = [each for each in some if each.syntax == "1.2.840.10008.1.2.1"]
    folder = tmp_path if kept_in == "files" else None
    with receiving(folder, tls=trusted.server(), syntaxes=[plain[0].syntax]) as ours:
        to = [*trusted.dcmtk, LOOPBACK, str(ours.port)]
        assert "Echo Response (Success)" in dcmtk("echoscu", "-v", *to)
        dcmtk("storescu", "-R", *to, *(each.path for each in plain))
    assert ours.by_instance == {each.instance: as_dcmtk_writes(each).data for each in plain}


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "pynetdicom")
@pytest.mark.conformance("C-STORE over TLS", "SCU", "pynetdicom")
def test_to_pynetdicom(
    pynetdicom_scp: Start, trusted: Party, some: list[Object], received: Received
) -> None:
    tls = (trusted.client(), "localhost")
    with pynetdicom_scp(*trusted.pynetdicom) as peer:
        echo(peer.port, tls_args=tls)
        send(peer.port, some, tls_args=tls)
    assert received() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-ECHO over TLS", "SCP", "pynetdicom")
@pytest.mark.conformance("C-STORE over TLS", "SCP", "pynetdicom")
def test_from_pynetdicom(
    pynetdicom_scu: Callable[..., dict[str, Any]],
    trusted: Party,
    some: list[Object],
    tmp_path: Path,
) -> None:
    even = [each for each in some if each.path.name != "image_dfl.dcm"]
    with receiving(tmp_path, tls=trusted.server()) as ours:
        assert pynetdicom_scu(ours.port, *trusted.pynetdicom)["statuses"] == [0]
        paths = [each.path for each in even]
        said = pynetdicom_scu(ours.port, *trusted.pynetdicom, "--raw", *paths)
    assert said == {"accepted": True, "statuses": [0] * len(even), "ended": ["released"]}
    assert [each.data for each in ours.received] == [each.data for each in even]


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "Orthanc")
@pytest.mark.conformance("C-STORE over TLS", "SCU", "Orthanc")
def test_to_orthanc(
    their_orthanc_tls: Orthanc, trusted: Party, some: list[Object], as_dcmtk_writes: Convert
) -> None:
    tls = (trusted.client(), "localhost")
    echo(their_orthanc_tls.port, ae_title=TITLE, tls_args=tls)
    sent = [as_dcmtk_writes(each) for each in some if each.syntax != DEFLATED]
    send(their_orthanc_tls.port, sent, ae_title=TITLE, tls_args=tls)
    assert their_orthanc_tls.stored() == {each.instance: each.data for each in sent}


@pytest.mark.conformance("C-ECHO over TLS", "SCP", "Orthanc")
@pytest.mark.conformance("C-STORE over TLS", "SCP", "Orthanc")
def test_from_orthanc(
    their_orthanc: Orthanc, trusted: Party, some: list[Object], as_dcmtk_writes: Convert
) -> None:
    with receiving(tls=trusted.server()) as ours:
        their_orthanc.knows("secure", ours.port, tls=True)
        their_orthanc.call("POST", "/modalities/secure/echo", {})
        identifiers = [their_orthanc.upload(each.path) for each in some]
        their_orthanc.call("POST", "/modalities/secure/store", identifiers)
    assert ours.by_instance == {each.instance: as_dcmtk_writes(each).data for each in some}


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "DCMTK")
def test_storescp_keeps_a_stranger_out(dcmtk_scp: Start, trusted: Party, stranger: Party) -> None:
    with dcmtk_scp("storescp", *trusted.dcmtk) as peer:
        for context in (stranger.client(), trusted.client(own=False)):
            assoc = ask(peer.port, tls_args=(context, "localhost"))
            assert not assoc.is_established
            assert assoc.is_aborted
        echo(peer.port, tls_args=(trusted.client(), "localhost"))


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "DCMTK")
def test_we_do_not_talk_to_a_stranger(dcmtk_scp: Start, trusted: Party, stranger: Party) -> None:
    with dcmtk_scp("storescp", *stranger.dcmtk) as peer:
        assoc = ask(peer.port, tls_args=(trusted.client(), "localhost"))
        assert isinstance(assoc.ended, Lost)
        assert "certificate" in str(assoc.ended)
        assert "Check:" in str(assoc.ended)


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "DCMTK")
def test_the_certificate_is_for_another_host(dcmtk_scp: Start, trusted: Party) -> None:
    with dcmtk_scp("storescp", *trusted.dcmtk) as peer:
        assoc = ask(peer.port, tls_args=(trusted.client(), "pacs.example.org"))
        assert isinstance(assoc.ended, Lost)
        assert "pacs.example.org" in str(assoc.ended)


@pytest.mark.conformance("C-ECHO over TLS", "SCU", "DCMTK")
@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_only_one_side_has_tls(dcmtk_scp: Start, trusted: Party, whose: str) -> None:
    options = trusted.dcmtk if whose == "theirs" else []
    tls = (trusted.client(), "localhost") if whose == "ours" else None
    with dcmtk_scp("storescp", *options) as peer:
        assoc = ask(peer.port, tls_args=tls)
        assert assoc.is_aborted
        assert re.search("TLS", str(assoc.ended))


@pytest.mark.conformance("C-ECHO over TLS", "SCP", "DCMTK")
def test_we_keep_strangers_out_and_go_on(
    peer_program: Callable[[str], str], trusted: Party, stranger: Party
) -> None:
    def echoes(ours: Receiver, *options: str | Path) -> bool:
        done = run([peer_program("echoscu"), *options, LOOPBACK, str(ours.port)])
        return done.returncode == 0

    with receiving(tls=trusted.server()) as ours:
        assert not echoes(ours)  # without TLS
        assert not echoes(ours, *stranger.dcmtk)
        assert not echoes(ours, "+tla", "-ic")  # without a certificate
        assert echoes(ours, *trusted.dcmtk)
    with receiving(tls=trusted.server(verify=False)) as ours:
        assert echoes(ours, *stranger.dcmtk)
