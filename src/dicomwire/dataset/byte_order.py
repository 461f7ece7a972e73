"""Values of one byte order into values of the other (PS3.5 7.3, 8.1), in bytes and in data sets."""

from __future__ import annotations

from array import array
from copy import copy
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset
    from pydicom.dataelem import RawDataElement

    Stored = DataElement | RawDataElement

WORD_SIZES = {
    b"AT": 2,
    b"OW": 2,
    b"SS": 2,
    b"US": 2,
    b"FL": 4,
    b"OF": 4,
    b"OL": 4,
    b"SL": 4,
    b"UL": 4,
    b"FD": 8,
    b"OD": 8,
    b"OV": 8,
    b"SV": 8,
    b"UV": 8,
}
"""How many bytes change places, by VR. All others, OB and UN included, are the same in both."""

_WORD_SIZES_OF_BYTES = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}  # bytes in pydicom too
_TYPE_CODES = {2: "H", 4: "I", 8: "Q"}


def swapped(value: bytes, size: int) -> bytes:
    """Return a value with the bytes of each word of `size` bytes in reverse.

    Bytes after the last whole word stay: they have no meaning in either order.
    """
    whole = len(value) - len(value) % size
    words = array(_TYPE_CODES[size], value[:whole])
    words.byteswap()
    return words.tobytes() + value[whole:]


def unshared(ds: Dataset, parsed: bool = False) -> Dataset:
    """Return a copy of a data set that can be encoded or changed without touching the original.

    Values are shared, elements and items are not.

    Parameters
    ----------
    ds : pydicom.Dataset
        The original.
    parsed : bool
        Whether every element of the copy is decoded, so that it depends on no byte order any more
        but for the values that pydicom keeps as bytes.
    """
    from pydicom import Dataset

    stored = {tag: _loaded(ds, tag, item) for tag, item in ds.items()}
    is_implicit, is_little = ds.original_encoding
    if any(item.VR is None for item in stored.values()):
        is_implicit = True  # whatever the file said: pydicom noticed that it was not so
    duplicate = Dataset(stored)
    duplicate.set_original_encoding(is_implicit, is_little, ds.original_character_set)
    duplicate.is_undefined_length_sequence_item = ds.is_undefined_length_sequence_item
    for tag, item in list(stored.items()):
        if parsed or not item.is_raw:
            duplicate[tag] = _unshared_element(duplicate[tag], parsed)
    return duplicate


def _loaded(ds: Dataset, tag: int, item: Stored) -> Stored:
    """Return an element with its value, which pydicom may have left in the file."""
    from pydicom.dataelem import RawDataElement

    if isinstance(item, RawDataElement) and item.value is None and item.length:
        return ds[tag]
    return item


def _unshared_element(element: DataElement, parsed: bool) -> DataElement:
    from pydicom import DataElement

    if element.VR != "SQ":
        return copy(element)
    items = [unshared(item, parsed) for item in element.value]
    undefined = element.is_undefined_length
    return DataElement(element.tag, "SQ", items, is_undefined_length=undefined)


def swap_values(ds: Dataset) -> None:
    """Bring the values that pydicom keeps as bytes into the other byte order, in place.

    Parameters
    ----------
    ds : pydicom.Dataset
        A copy that `unshared` made with every element decoded.
    """
    from pydicom import DataElement

    for element in list(ds):
        if element.VR == "SQ":
            for item in element.value:
                swap_values(item)
        elif element.value and (size := _WORD_SIZES_OF_BYTES.get(element.VR)):
            value = swapped(_bytes_of(element.value), size)
            ds[element.tag] = DataElement(element.tag, element.VR, value, already_converted=True)


def _bytes_of(value: bytes | BinaryIO) -> bytes:
    if isinstance(value, bytes | bytearray):
        return value
    start = value.tell()
    data = value.read()
    value.seek(start)
    return data
