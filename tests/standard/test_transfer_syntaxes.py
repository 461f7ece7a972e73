"""The transfer syntaxes: order, flags, and what converts without touching pixels."""

from __future__ import annotations

import pytest

from dicomwire.standard.transfer_syntaxes import (
    ALL_TRANSFER_SYNTAXES,
    BY_UID,
    DEFAULT_TRANSFER_SYNTAXES,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
    is_uncompressed,
)

ROOT = "1.2.840.10008.1.2"

# After the root; "." is the root itself.
ORDER = """
    . .1 .1.99 .2 .4.50 .4.51 .4.57 .4.70 .4.80 .4.81 .4.90 .4.91 .4.92 .4.93 .4.94 .4.95 .4.100
    .4.100.1 .4.101 .4.101.1 .4.102 .4.102.1 .4.103 .4.103.1 .4.104 .4.104.1 .4.105 .4.105.1
    .4.106 .4.106.1 .4.107 .4.108 .4.110 .4.111 .4.112 .4.201 .4.202 .4.203 .4.204 .4.205 .5
    .7.1 .7.2 .7.3 .8.1
"""


@pytest.mark.box("H.t", "1.7")
def test_all_transfer_syntaxes_are_the_45_in_order() -> None:
    assert list(ALL_TRANSFER_SYNTAXES) == [ROOT + word.rstrip(".") for word in ORDER.split()]
    assert len(set(ALL_TRANSFER_SYNTAXES)) == 45


def test_the_default_four_are_in_order() -> None:
    assert list(DEFAULT_TRANSFER_SYNTAXES) == [ROOT, f"{ROOT}.1", f"{ROOT}.1.99", f"{ROOT}.2"]
    assert all(map(is_uncompressed, DEFAULT_TRANSFER_SYNTAXES))
    assert sum(map(is_uncompressed, ALL_TRANSFER_SYNTAXES)) == 4
    assert not is_uncompressed("1.2.3")


def test_one_is_implicit_and_one_is_big_endian() -> None:
    assert [row.uid for row in TRANSFER_SYNTAXES if row.is_implicit_vr] == [
        IMPLICIT_VR_LITTLE_ENDIAN
    ]
    assert [row.uid for row in TRANSFER_SYNTAXES if not row.is_little_endian] == [
        EXPLICIT_VR_BIG_ENDIAN
    ]


def test_deflating_the_data_set_is_not_deflating_its_frames() -> None:
    assert [row.keyword for row in TRANSFER_SYNTAXES if row.is_deflated] == [
        "DeflatedExplicitVRLittleEndian",
        "JPIPReferencedDeflate",
        "JPIPHTJ2KReferencedDeflate",
    ]
    frames = BY_UID["1.2.840.10008.1.2.8.1"]
    assert (frames.name, frames.is_encapsulated) == ("Deflated Image Frame Compression", True)


@pytest.mark.parametrize("uid", [".4.94", ".4.95", ".4.204", ".4.205", ".7.1", ".7.2", ".7.3"])
def test_pixels_that_are_elsewhere_are_not_in_fragments(uid: str) -> None:
    assert not BY_UID[ROOT + uid].is_encapsulated


def test_every_other_compressed_one_is_in_fragments() -> None:
    assert sum(row.is_encapsulated for row in TRANSFER_SYNTAXES) == 45 - 4 - 7
    assert not BY_UID[EXPLICIT_VR_LITTLE_ENDIAN].is_encapsulated
