"""The table of UIDs: that it is fresh, that names are pydicom's, and that the generator checks."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import UID

from dicomwire.standard.uids import (
    APPLICATION_CONTEXT_NAME,
    INSTANCES,
    NAMES,
    OTHERS,
    SOP_CLASSES,
    TRANSFER_SYNTAXES,
    name_of,
)
from tools import generate_standard

# In the standard, but not in pydicom 3.0's dictionary.
AHEAD = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
    "1.2.840.10008.5.1.4.1.1.9.100.1": "Waveform Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.9.100.2": "Waveform Acquisition Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage",
}


def test_names_are_pydicoms() -> None:
    assert {uid: name for uid, name in NAMES.items() if uid not in AHEAD} == {
        uid: UID(uid).name for uid in NAMES if uid not in AHEAD
    }
    assert {uid: name_of(uid) for uid in AHEAD} == AHEAD


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.1.1", "Verification SOP Class"),
        ("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage"),
        ("1.2.840.10008.1.2", "Implicit VR Little Endian"),
        ("1.2.840.10008.4.2", "Storage Service Class"),
        ("1.2.840.10008.5.1.1.9", "Basic Grayscale Print Management Meta SOP Class"),
        (APPLICATION_CONTEXT_NAME, "DICOM Application Context Name"),
        ("1.2.826.0.1.3680043.9.3811.9", "1.2.826.0.1.3680043.9.3811.9"),
        ("", ""),
    ],
)
def test_name_of(uid: str, name: str) -> None:
    assert name_of(uid) == name


def test_no_uid_has_two_rows() -> None:
    tables = (SOP_CLASSES, TRANSFER_SYNTAXES, INSTANCES, OTHERS)
    assert [len(SOP_CLASSES), len(TRANSFER_SYNTAXES), len(INSTANCES)] == [252 + 14, 45, 9]
    assert len(NAMES) == sum(map(len, tables))
    assert all(NAMES.values())


def test_the_checked_in_file_is_fresh() -> None:
    assert generate_standard.main(["--check"]) == 0


def test_a_stale_file_is_told_and_rewritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "uids.py"
    assert generate_standard.main(["--check"], target) == 1
    target.write_text("# older", encoding="utf-8")
    assert generate_standard.main(["--check"], target) == 1
    assert "stale" in capsys.readouterr().err
    assert generate_standard.main([], target) == 0
    assert target.read_bytes() == generate_standard.TARGET.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("CTImageStorage default", "CTImagestorage default", "is CTImageStorage, not"),
        ("CTImageStorage default", "CTImageStorage defalt", "unknown word defalt"),
    ],
)
def test_a_wrong_fact_stops_the_generator(old: str, new: str, fault: str) -> None:
    text = generate_standard.FACTS.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ValueError, match=fault):
        generate_standard.source(text.replace(old, new))
