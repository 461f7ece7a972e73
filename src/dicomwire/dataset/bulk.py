"""A data set into the same one without its bulk data (PS3.4 Z.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwire.dataset.byte_order import unshared
from dicomwire.dataset.part10 import FileHeader

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_BULK = (
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelDataProviderURL",
    "SpectroscopyData",
    "EncapsulatedDocument",
)
# Repeating groups: curves and audio (50xx), overlays (60xx); PS3.3 C.10.2, C.10.3, C.9.2.
_REPEATED = {0x5000: (0x200C, 0x3000), 0x6000: (0x3000,)}


def without_bulk_data(dataset: Dataset | FileHeader) -> Dataset:
    """Return a copy of a data set from which bulk data is left out.

    Parameters
    ----------
    dataset : Dataset or FileHeader
        It is not changed.
    """
    from pydicom import dcmread

    theirs = dcmread(dataset.path) if isinstance(dataset, FileHeader) else dataset
    ours = unshared(theirs)
    if hasattr(theirs, "file_meta"):
        ours.file_meta = theirs.file_meta
    for item in ours.get("WaveformSequence") or ():
        if "WaveformData" in item:
            del item.WaveformData
    for keyword in _BULK:
        if keyword in ours:
            del ours[keyword]
    for tag in list(ours.keys()):
        if tag.element in _REPEATED.get(tag.group & 0xFF00, ()):
            del ours[tag]
    return ours
