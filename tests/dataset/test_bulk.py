"""Turns data sets with bulk data into the same ones without, and proves that only that is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from dicomwire.dataset.bulk import without_bulk_data
from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.part10 import read_header
from tests.protocol.pairs import EXPLICIT, IMPLICIT

CT_FILE = Path(str(get_testdata_file("CT_small.dcm")))

# tag, VR, value; PS3.4 Z.1.3
BULK: list[tuple[int, str, Any]] = [
    (0x7FE00010, "OW", bytes(8)),
    (0x7FE00008, "OF", bytes(8)),
    (0x7FE00009, "OD", bytes(8)),
    (0x00287FE0, "UR", "http://127.0.0.1/pixels"),
    (0x56000020, "OF", bytes(8)),
    (0x00420011, "OB", bytes(8)),
    (0x50003000, "OW", bytes(8)),
    (0x501E3000, "OW", bytes(8)),
    (0x5002200C, "OW", bytes(8)),
    (0x60003000, "OW", bytes(8)),
    (0x60FE3000, "OW", bytes(8)),
]
# their neighbours, which stay
KEPT: list[tuple[int, str, Any]] = [
    (0x00080018, "UI", "1.2.3"),
    (0x00280010, "US", 2),
    (0x50000005, "US", 1),
    (0x60000010, "US", 2),
    (0x60000011, "US", 2),
    (0x56000010, "OF", bytes(4)),
    (0x00420010, "ST", "a title"),
    (0x70000010, "LO", "no overlay"),
]


def everything() -> Dataset:
    dataset = Dataset()
    for tag, vr, value in sorted(BULK + KEPT):
        dataset.add_new(tag, vr, value)
    wave = Dataset()
    wave.NumberOfWaveformSamples = 4
    wave.add_new(0x54001010, "OW", bytes(8))
    dataset.WaveformSequence = [wave, Dataset()]
    return dataset


@pytest.mark.parametrize("syntax", [None, EXPLICIT, IMPLICIT])
def test_bulk_data_goes_and_its_neighbours_stay(syntax: str | None) -> None:
    given = everything()
    if syntax is not None:
        given = decode(encode(given, syntax), syntax)
    before = encode(given, syntax or EXPLICIT)
    ours = without_bulk_data(given)
    assert {int(element.tag) for element in ours} == {tag for tag, *_ in KEPT} | {0x54000100}
    first, second = ours.WaveformSequence
    assert [element.keyword for element in first] == ["NumberOfWaveformSamples"]
    assert len(second) == 0
    assert encode(given, syntax or EXPLICIT) == before  # what was given is as it was


def test_what_has_none_stays_as_it_is() -> None:
    given = Dataset()
    given.PatientID = "7"
    assert without_bulk_data(given) == given


def test_file_meta_information_stays_with_it() -> None:
    given = dcmread(CT_FILE)
    ours = without_bulk_data(given)
    assert ours.file_meta.TransferSyntaxUID == given.file_meta.TransferSyntaxUID
    assert "PixelData" not in ours
    assert "PixelData" in given
    assert ours.SOPInstanceUID == given.SOPInstanceUID
    assert {each.tag for each in given} - {each.tag for each in ours} == {0x7FE00010}


def test_a_file_is_read_for_it() -> None:
    ours = without_bulk_data(read_header(CT_FILE))
    assert "PixelData" not in ours
    assert ours.file_meta.TransferSyntaxUID == EXPLICIT
