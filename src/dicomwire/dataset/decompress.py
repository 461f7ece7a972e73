"""A data set with compressed pixel data into one whose pixel data is not, by pydicom's decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwire.dataset.byte_order import unshared
from dicomwire.dataset.errors import DataSetError
from dicomwire.standard.uids import name_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def decompressed(dataset: Dataset) -> Dataset:
    """Return a data set in Explicit VR Little Endian.

    Parameters
    ----------
    dataset : Dataset
        With `file_meta`; it is not changed, and the copy keeps its SOP Instance UID: what a
        sub-operation sends has to be what was asked for.

    Raises
    ------
    DataSetError
        When no decoder for its transfer syntax is installed, or the pixel data is damaged.
    """
    import copy

    ours = unshared(dataset)
    ours.file_meta = copy.deepcopy(dataset.file_meta)
    syntax = str(ours.file_meta.TransferSyntaxUID)
    try:
        ours.decompress(generate_instance_uid=False)
    except (ImportError, RuntimeError, ValueError, AttributeError, KeyError, OSError) as error:
        raise DataSetError(
            f"Pixel data in {name_of(syntax)} cannot be decompressed: {error}",
            "that numpy and a decoder for it are installed: pip install 'dicomwire[pixels]'",
        ) from error
    return ours
