"""Bytes to raw elements: the data set is the one that pydicom's own reader gives, always."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from dicomwire.dataset.codec import encode
from dicomwire.dataset.elements import EXPLICIT, IMPLICIT, Encoding
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.part10 import read_header
from dicomwire.dataset.raw import read_raw
from tests.dataset import samples
from tests.dataset.samples import explicit, implicit, parsed, shipped_files
from tests.dataset.test_plain import ENCODINGS, data_sets, study
from tests.examples import examples

pytestmark = pytest.mark.filterwarnings("ignore")  # values are made up


def kept(ds: Dataset) -> dict[int, Any]:
    """The elements as they are stored."""
    return dict(ds.items())


def same(ds: Dataset | None, data: bytes, syntax: str) -> None:
    """Check that a data set is the one that pydicom reads."""
    expected = parsed(data, syntax)
    assert ds is not None
    assert kept(ds) == kept(expected)
    assert [type(each) for each in ds.values()] == [type(each) for each in expected.values()]
    assert ds.original_encoding == expected.original_encoding
    assert ds.original_character_set == expected.original_character_set


@given(data_sets())
@examples(200)
def test_what_is_taken_on_is_read_as_pydicom_reads_it(made: Dataset) -> None:
    for syntax, encoding in ENCODINGS.items():
        try:
            data = encode(made, syntax)
        except DataSetError:
            continue
        ds = read_raw(data, encoding)
        if ds is not None:
            same(ds, data, syntax)


@pytest.mark.parametrize("syntax", ENCODINGS)
def test_a_study_is_taken_on(syntax: str) -> None:
    data = encode(study(), syntax)
    ds = read_raw(data, ENCODINGS[syntax])
    same(ds, data, syntax)
    assert ds is not None
    assert ds == parsed(data, syntax)
    assert ds.PatientName == "Müller^Zoë"
    assert ds.ModalitiesInStudy == ["CT", "SR"]
    assert ds.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "Schädel"


@pytest.mark.parametrize("path", shipped_files(), ids=lambda path: path.name)
def test_shipped_files(path: Any) -> None:
    if path.name.startswith("DICOMDIR"):
        return  # it has no UIDs
    header = read_header(path)
    syntax = header.transfer_syntax_uid
    if syntax not in ENCODINGS:
        return
    data = path.read_bytes()[header.offset :]
    ds = read_raw(data, ENCODINGS[syntax])
    if ds is not None:
        same(ds, data, syntax)


NAME = implicit(0x00100010, b"A^B ")
LEFT: dict[str, tuple[bytes, Encoding]] = {
    "nothing": (b"", IMPLICIT),
    "half a header": (NAME + b"\0\0\0", IMPLICIT),
    "a value cut short": (NAME[:-1], IMPLICIT),
    "an explicit value cut short": (explicit(0x00100010, "PN", b"A^B ")[:-1], EXPLICIT),
    "half a long header": (explicit(0x00081190, "UR", b"")[:-2], EXPLICIT),
    "explicit for implicit": (explicit(0x00100010, "PN", b"A^B "), IMPLICIT),
    "explicit that could be implicit": (explicit(0x00080054, "AE", b"") + bytes(0x4541), IMPLICIT),
    "implicit for explicit": (NAME, EXPLICIT),
    "undefined length": (struct.pack("<HHL", 8, 0x1140, 0xFFFFFFFF), IMPLICIT),
    "undefined length, explicit": (
        struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF), EXPLICIT
    ),
    "the end of an item": (NAME + implicit(0xFFFEE00D, b""), IMPLICIT),
    "a VR that is none": (explicit(0x00100010, "ZZ", b"A^B "), EXPLICIT),
    "big endian": (explicit(0x00100010, "PN", b"A^B ", ">"), Encoding(False, False)),
    "another character set": (implicit(0x00080005, b"ISO_IR 13 "), IMPLICIT),
}  # fmt: skip


@pytest.mark.parametrize("which", LEFT)
def test_what_is_left_to_pydicom(which: str) -> None:
    assert read_raw(*LEFT[which]) is None


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    for syntax, encoding in ENCODINGS.items():
        ds = read_raw(data, encoding)
        if ds is not None:
            assert kept(ds) == kept(parsed(data, syntax))


def test_the_syntaxes_are_those_of_the_samples() -> None:
    assert {samples.IMPLICIT, samples.EXPLICIT} == set(ENCODINGS)
