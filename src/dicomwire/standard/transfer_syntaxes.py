"""Transfer syntaxes as rows: how each encodes a data set (PS3.5 section 10, Annex A)."""

from __future__ import annotations

from typing import NamedTuple

from dicomwire.standard import uids

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"  # PS3.5 A.1
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"  # PS3.5 A.2
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"  # PS3.5 A.5
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"  # PS3.5 A.3, retired


class TransferSyntax(NamedTuple):
    """How a transfer syntax encodes a data set.

    Parameters
    ----------
    uid, keyword, name : str
        As PS3.6 gives them.
    is_implicit_vr : bool
        Whether elements come without their value representation.
    is_little_endian : bool
        Whether numbers come with the least significant byte first.
    is_deflated : bool
        Whether the whole data set is compressed (RFC 1951).
    is_encapsulated : bool
        Whether Pixel Data is a sequence of fragments.
    """

    uid: str
    keyword: str
    name: str
    is_implicit_vr: bool
    is_little_endian: bool
    is_deflated: bool
    is_encapsulated: bool


DEFAULT_TRANSFER_SYNTAXES = (
    IMPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
)
_DEFLATED = {
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    "1.2.840.10008.1.2.4.95",  # JPIP Referenced Deflate
    "1.2.840.10008.1.2.4.205",  # JPIP HTJ2K Referenced Deflate
}
# Explicit VR Little Endian without fragments: the pixels are elsewhere.
_REFERENCED = {
    "1.2.840.10008.1.2.4.94",  # JPIP: at the Pixel Data Provider URL
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.204",
    "1.2.840.10008.1.2.4.205",
    "1.2.840.10008.1.2.7.1",  # SMPTE ST 2110 (PS3.22): in a flow of their own
    "1.2.840.10008.1.2.7.2",
    "1.2.840.10008.1.2.7.3",
}

TRANSFER_SYNTAXES = tuple(
    TransferSyntax(
        *row,
        is_implicit_vr=row.uid == IMPLICIT_VR_LITTLE_ENDIAN,
        is_little_endian=row.uid != EXPLICIT_VR_BIG_ENDIAN,
        is_deflated=row.uid in _DEFLATED,
        is_encapsulated=row.uid not in _REFERENCED and row.uid not in DEFAULT_TRANSFER_SYNTAXES,
    )
    for row in uids.TRANSFER_SYNTAXES
)
ALL_TRANSFER_SYNTAXES = tuple(row.uid for row in TRANSFER_SYNTAXES)
BY_UID = {row.uid: row for row in TRANSFER_SYNTAXES}


def is_uncompressed(uid: str) -> bool:
    """Return whether a data set can go from and to this transfer syntax without touching pixels.

    Parameters
    ----------
    uid : str
        A transfer syntax UID; an unknown one is taken for compressed.

    Returns
    -------
    bool
        True for the four of `DEFAULT_TRANSFER_SYNTAXES`: deflating keeps every value as it is.
    """
    return uid in DEFAULT_TRANSFER_SYNTAXES
