"""Turns identifiers into the lines of the log that users of pynetdicom know."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomwire import evt
from dicomwire.dataset.codec import encode
from dicomwire.network.log_identifiers import identifier_lines
from tests.network.ends import IMPLICIT, entity, established, lines

FIND = "1.2.840.10008.5.1.4.1.2.1.1"


def query(**elements: Any) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = "PATIENT"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def found(event: Any) -> Iterator[tuple[int, Dataset]]:
    yield 0xFF00, query(PatientID="ANSWER")


def ask(caplog: pytest.LogCaptureFixture, level: int, **options: bool) -> str:
    caplog.set_level(level, "dicomwire")
    scu, scp = entity("SCU", FIND, **options), entity("SCP", FIND, **options)
    with established((evt.EVT_C_FIND, found), scu=scu, scp=scp) as (assoc, _):
        assert [status.Status for status, _ in assoc.send_c_find(query(PatientID="ASKED"), FIND)]
    return "\n".join(lines(caplog, level))


def test_both_sides_show_them_at_info(caplog: pytest.LogCaptureFixture) -> None:
    said = ask(caplog, logging.INFO)
    element = "(0010,0020) LO [ASKED]"
    for title in ("# Request Identifier", "Find SCP Request Identifier:"):
        assert f"{title}\n\n(0008,0052) CS [PATIENT]" in said
    assert said.count(element) == 2
    assert said.count("LO [ANSWER]") == 1  # who sends it shows it at DEBUG
    assert "# Response Identifier" in said


def test_a_response_that_is_sent_is_shown_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    said = ask(caplog, logging.DEBUG)
    assert "Find SCP Response Identifier:\n\n(0008,0052) CS" in said
    assert said.count("LO [ANSWER]") == 2


def test_above_info_there_is_nothing_of_a_patient(caplog: pytest.LogCaptureFixture) -> None:
    assert "LO [" not in ask(caplog, logging.WARNING)


@pytest.mark.parametrize(
    ("off", "gone", "left"),
    [
        ("log_request_identifiers", "ASKED", "ANSWER"),
        ("log_response_identifiers", "ANSWER", "ASKED"),
    ],
)
def test_either_kind_can_be_kept_out(
    caplog: pytest.LogCaptureFixture, off: str, gone: str, left: str
) -> None:
    said = ask(caplog, logging.DEBUG, **{off: False})
    assert f"LO [{gone}]" not in said
    assert f"LO [{left}]" in said


@pytest.mark.no_socket
def test_what_a_peer_sends_begins_no_line() -> None:
    data = encode(query(PatientID="A"), IMPLICIT).replace(b"A ", b"\n\x1b")
    shown = identifier_lines("title", data, IMPLICIT)
    assert all(line.isprintable() for line in shown)


@pytest.mark.no_socket
def test_an_identifier_that_cannot_be_read_is_said_so() -> None:
    cut, odd = b"\x08\0\x52\0\xff\xff\0\0short", b"\x28\0\x10\0\1\0\0\0\5"
    for data in (cut, odd):  # odd: Rows of one byte, which is only seen when it is looked at
        shown = identifier_lines("title", data, IMPLICIT)
        assert shown[0] == "title"
        assert "cannot be read" in "".join(shown)
