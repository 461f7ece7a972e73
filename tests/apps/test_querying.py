"""Options of queries into what is proposed, and what is negotiated about it."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from dicomwire.apps import findscu
from dicomwire.apps.querying import propose, questions
from dicomwire.apps.syntaxes import UNCOMPRESSED
from tests.dataset.samples import BIG_ENDIAN, EXPLICIT, IMPLICIT

pytestmark = pytest.mark.no_socket

ROOT = "1.2.840.10008.5.1.4.1.2"
WORKLIST = "1.2.840.10008.5.1.4.31"
DEFLATED = "1.2.840.10008.1.2.1.99"


def read(*argv: str) -> argparse.Namespace:
    return findscu.make_parser().read(["host", "104", *argv])


@pytest.mark.parametrize(
    ("options", "model"),
    [
        ([], f"{ROOT}.1.1"),
        (["-P"], f"{ROOT}.1.1"),
        (["-S"], f"{ROOT}.2.1"),
        (["-O"], f"{ROOT}.3.1"),
        (["-W"], WORKLIST),
        (["-U"], "1.2.840.10008.5.1.4.34.6.3"),
    ],
)
def test_models(options: list[str], model: str) -> None:
    assert propose(read(*options), "Find", UNCOMPRESSED).model == model


@pytest.mark.parametrize(
    ("option", "groups"),
    [
        ([], [UNCOMPRESSED]),
        (["-x="], [(EXPLICIT, IMPLICIT, BIG_ENDIAN)]),
        (["-xe"], [(EXPLICIT, IMPLICIT, BIG_ENDIAN)]),
        (["-xb"], [(BIG_ENDIAN, EXPLICIT, IMPLICIT)]),
        (["-xi"], [(IMPLICIT,)]),
        (["-xd"], [(DEFLATED, EXPLICIT, IMPLICIT, BIG_ENDIAN)]),
    ],
)
def test_transfer_syntaxes(option: list[str], groups: list[tuple[str, ...]]) -> None:
    contexts = propose(read(*option), "Find", UNCOMPRESSED).contexts
    assert [tuple(each.transfer_syntax) for each in contexts] == groups


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ("", None),
        ("--relational-query", "01 00 00 00 00"),
        ("--dt-matching", "00 01 00 00 00"),
        ("--fuzzy-names", "00 00 01 00 00"),
        ("--timezone-adj", "00 00 00 01 00"),
        ("--enhanced-conversion", "00 00 00 00 01"),
        ("-W", None),
        ("-W --relational-query", None),
        ("-W --fuzzy-names", "01 01 01 00"),
        ("-W --timezone-adj", "01 01 00 01"),
    ],
)
def test_extended_negotiation(options: str, sent: str | None) -> None:
    proposal = propose(read(*options.split()), "Find", UNCOMPRESSED)
    items: list[Any] = proposal.items
    assert [each.sop_class_uid for each in items] == [proposal.model] * len(items)
    information = [each.service_class_application_information for each in items]
    assert information == ([bytes.fromhex(sent)] if sent else [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-k", "PatientID"], "No Query/Retrieve Level: most peers want one"),
        (["-k", "QueryRetrieveLevel=PATIENTS"], "'PATIENTS' is no Query/Retrieve Level"),
        (["-k", "QueryRetrieveLevel=SERIES"], ""),
        (["-W", "-k", "PatientID"], ""),
        (["-U", "-k", "PatientID"], ""),
    ],
)
def test_a_level_that_peers_will_miss(
    options: list[str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(questions(read(*options))) == 1
    assert [said in each.message for each in caplog.records] == [True] * bool(said)


def test_repeat() -> None:
    assert len(questions(read("-W", "-k", "PatientID", "--repeat", "3"))) == 3
