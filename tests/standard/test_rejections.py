"""The codes of A-ASSOCIATE-RJ and A-ABORT have the words of PS3.8 Tables 9-21 and 9-26."""

from __future__ import annotations

import pytest

from dicomwire.standard import rejections
from dicomwire.standard.rejections import RESULTS, SOURCES, abort_text, rejection

# PS3.8 Table 9-21: source, reason, words
REJECTIONS = [
    (1, 1, "no reason given"),
    (1, 2, "application context name not supported"),
    (1, 3, "calling AE title not recognised"),
    (1, 7, "called AE title not recognised"),
    (2, 1, "no reason given"),
    (2, 2, "protocol version not supported"),
    (3, 1, "temporary congestion"),
    (3, 2, "local limit exceeded"),
]


@pytest.mark.parametrize(("source", "reason", "words"), REJECTIONS)
def test_defined(source: int, reason: int, words: str) -> None:
    row = rejection(source, reason)
    assert (row.source, row.reason, row.text) == (source, reason, words)
    assert row.check


def test_no_row_besides_those() -> None:
    assert [row[:3] for row in rejections.REJECTIONS] == REJECTIONS
    assert RESULTS == {1: "rejected-permanent", 2: "rejected-transient"}
    assert {source for source, _, _ in REJECTIONS} == set(SOURCES)


def test_any_two_octets_have_a_row() -> None:
    defined = {row[:2] for row in REJECTIONS}
    for source in range(256):
        for reason in range(256):
            row = rejection(source, reason)
            assert row[:2] == (source, reason)
            assert row.check
            assert (row.text == f"reserved reason {reason}") == ((source, reason) not in defined)


@pytest.mark.parametrize(
    ("source", "reason", "words"),
    [
        (0, 0, "DICOM UL service-user"),
        (0, 6, "DICOM UL service-user"),  # PS3.8 9.3.8: the reason is not significant
        (1, 0, "reserved source 1"),
        (2, 0, "DICOM UL service-provider: reason not specified"),
        (2, 1, "DICOM UL service-provider: unrecognised PDU"),
        (2, 2, "DICOM UL service-provider: unexpected PDU"),
        (2, 3, "DICOM UL service-provider: reserved reason 3"),
        (2, 4, "DICOM UL service-provider: unrecognised PDU parameter"),
        (2, 5, "DICOM UL service-provider: unexpected PDU parameter"),
        (2, 6, "DICOM UL service-provider: invalid PDU parameter value"),
        (255, 255, "reserved source 255"),
    ],
)
def test_abort_text(source: int, reason: int, words: str) -> None:
    assert abort_text(source, reason) == words
