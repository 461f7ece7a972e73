"""Orthanc as receiver, and as sender on request of its REST API."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from dicomwire import evt
from dicomwire.protocol.errors import Rejected, Released
from tests.peers.objects import (
    DEFLATED,
    IMPLICIT_LITTLE,
    UNCOMPRESSED,
    Object,
    contents,
    write_image,
)
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.ours import ask, echo, receiving, send

# One process for all of them, on one worker

Convert = Callable[[Object], Object]


@pytest.fixture(scope="module")
def some(objects: list[Object]) -> list[Object]:
    """The objects that say which patient, study and series they belong to: it takes no others."""
    required = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
    headers = {each: dcmread(each.path, stop_before_pixels=True) for each in objects}
    found = [each for each in objects if all(headers[each].get(name) for name in required)]
    assert len(found) > 15
    return found


@pytest.mark.conformance("C-ECHO", "SCU", "Orthanc")
def test_echo_to(their_orthanc: Orthanc) -> None:
    echo(their_orthanc.port, ae_title=TITLE)


@pytest.mark.conformance("C-ECHO", "SCP", "Orthanc")
def test_echo_from(their_orthanc: Orthanc) -> None:
    with receiving() as ours:
        their_orthanc.knows("ours", ours.port)
        their_orthanc.call("POST", "/modalities/ours/echo", {})
        assert isinstance(ours.next_end().ended, Released)


@pytest.mark.conformance("C-STORE", "SCU", "Orthanc")
def test_every_byte_arrives_there(
    their_orthanc: Orthanc, some: list[Object], as_dcmtk_writes: Convert
) -> None:
    sent = [as_dcmtk_writes(each) for each in some]  # it decodes and encodes with DCMTK
    send(their_orthanc.port, sent, ae_title=TITLE)
    stored = their_orthanc.stored()
    assert stored.keys() == {each.instance for each in sent}
    for each in sent:
        # it writes NULL bytes behind a deflated data set, up to the length before deflation
        extra = stored[each.instance].removeprefix(each.data)
        assert extra == (bytes(len(extra)) if each.syntax == DEFLATED else b""), each.path


@pytest.mark.conformance("C-STORE", "SCU", "Orthanc")
@pytest.mark.parametrize("longest", [None, 0])
def test_a_large_object_arrives_there(
    their_orthanc: Orthanc, large: Object, longest: int | None
) -> None:
    send(their_orthanc.port, [large], ae_title=TITLE, max_pdu=longest)
    assert their_orthanc.stored() == {large.instance: large.data}


@pytest.mark.conformance("C-STORE", "SCU", "Orthanc")
def test_several_at_once_there(their_orthanc: Orthanc, tmp_path: Path) -> None:
    some = [write_image(tmp_path / f"{n}.dcm", 1, 301, 499, number=n) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        parts = [some[n::4] for n in range(4)]
        list(pool.map(lambda part: send(their_orthanc.port, part, ae_title=TITLE), parts))
    assert their_orthanc.stored() == {each.instance: each.data for each in some}


@pytest.mark.conformance("C-STORE", "SCP", "Orthanc")
@pytest.mark.parametrize("kept_in", ["memory", "files"])
def test_every_byte_arrives_here(
    their_orthanc: Orthanc,
    some: list[Object],
    large: Object,
    as_dcmtk_writes: Convert,
    tmp_path: Path,
    kept_in: str,
) -> None:
    some = [*some, large]
    with receiving(tmp_path if kept_in == "files" else None) as ours:
        their_orthanc.knows("ours", ours.port)
        identifiers = [their_orthanc.upload(each.path) for each in some]
        their_orthanc.call("POST", "/modalities/ours/store", identifiers)
    assert ours.by_instance == {each.instance: as_dcmtk_writes(each).data for each in some}
    assert {each.instance: each.syntax for each in ours.received} == {
        each.instance: each.syntax for each in some
    }


@pytest.mark.conformance("C-STORE", "SCP", "Orthanc")
def test_conversion_to_what_we_accept(their_orthanc: Orthanc, some: list[Object]) -> None:
    plain = [each for each in some if each.syntax in UNCOMPRESSED]
    with receiving(syntaxes=[IMPLICIT_LITTLE]) as ours:
        their_orthanc.knows("ours", ours.port)
        identifiers = [their_orthanc.upload(each.path) for each in plain]
        their_orthanc.call("POST", "/modalities/ours/store", identifiers)
    assert {each.syntax for each in ours.received} == {IMPLICIT_LITTLE}
    assert ours.contents == contents(plain)


@pytest.mark.conformance("C-STORE", "SCP", "Orthanc")
def test_it_reads_our_status(their_orthanc: Orthanc, objects: list[Object]) -> None:
    def refuse(event: Any) -> int:
        return 0xA700

    with receiving(handlers=[(evt.EVT_C_STORE, refuse)]) as ours:
        their_orthanc.knows("ours", ours.port)
        identifier = their_orthanc.upload(objects[0].path)
        status, answer = their_orthanc.ask("POST", "/modalities/ours/store", [identifier])
    assert status == 500
    assert "0xa700" in json.loads(answer)["Details"].lower()


@pytest.mark.conformance("Association refused", "SCU", "Orthanc")
def test_a_title_it_does_not_have(their_orthanc: Orthanc) -> None:
    assoc = ask(their_orthanc.port, ae_title="SOMEBODY")
    assert isinstance(assoc.ended, Rejected)
    assert "called AE title" in str(assoc.ended)


@pytest.mark.conformance("Association refused", "SCP", "Orthanc")
def test_a_title_we_do_not_have(their_orthanc: Orthanc) -> None:
    with receiving(require_called_aet=True) as ours:
        their_orthanc.knows("ours", ours.port, title="SOMEBODY")
        status, _ = their_orthanc.ask("POST", "/modalities/ours/echo", {})
        assert status == 500
        assert ours.next_end().is_rejected
        their_orthanc.knows("ours", ours.port)
        their_orthanc.call("POST", "/modalities/ours/echo", {})


@pytest.mark.conformance("Association aborted", "SCU", "Orthanc")
def test_our_abort(their_orthanc: Orthanc) -> None:
    assoc = ask(their_orthanc.port, ae_title=TITLE)
    assoc.abort()
    assert assoc.is_aborted
    echo(their_orthanc.port, ae_title=TITLE)


@pytest.mark.conformance("Association aborted", "SCP", "Orthanc")
def test_our_abort_of_its_association(their_orthanc: Orthanc, objects: list[Object]) -> None:
    def abort(event: Any) -> int:
        event.assoc.abort()
        return 0xA700

    with receiving(handlers=[(evt.EVT_C_STORE, abort)]) as ours:
        their_orthanc.knows("ours", ours.port)
        identifier = their_orthanc.upload(objects[0].path)
        status, _ = their_orthanc.ask("POST", "/modalities/ours/store", [identifier])
        assert status == 500
        assert ours.next_end().is_aborted
        their_orthanc.call("POST", "/modalities/ours/echo", {})
