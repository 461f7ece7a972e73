"""The bytes of a small data set into pydicom's raw elements, as pydicom would read them.

pydicom decodes a raw element when it is looked at. Whatever this file does not know for certain it
leaves to pydicom. It is imported with pydicom, on first use.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Any

from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from dicomwire.dataset.elements import LONG_VRS, SHORT_VRS, UNDEFINED, Encoding
from dicomwire.dataset.plain import CHARACTER_SET, CODECS

_HEADER = Struct("<HHL").unpack_from  # PS3.5 Table 7.1-3
_LONG = Struct("<L").unpack_from  # PS3.5 Table 7.1-1
_VRS = {vr: (vr.decode(), vr in LONG_VRS) for vr in SHORT_VRS | LONG_VRS}
_EMPTY: dict[str | None, Any] = {
    vr: empty_value_for_VR(vr, raw=True) for vr in (None, *(name for name, _ in _VRS.values()))
}
_tag = lru_cache(4096)(BaseTag)

Elements = dict[BaseTag, RawDataElement]


def read_raw(data: bytes, encoding: Encoding) -> Dataset | None:
    """Return the data set in some bytes; None when that is left to pydicom.

    Parameters
    ----------
    data : bytes
        A whole data set, not deflated.
    encoding : Encoding
        How it is written.
    """
    if not encoding.little or len(data) < 8 or _looks_explicit(data) == encoding.implicit:
        return None
    elements = _implicit(data) if encoding.implicit else _explicit(data)
    if elements is None:
        return None
    found = elements.get(_tag(CHARACTER_SET))
    codec: str | list[str] = default_encoding
    if found is not None:
        name = (found.value or b"").rstrip(b" \0").decode("latin-1")
        if name not in CODECS:
            return None
        codec = [CODECS[name]]
    ds = Dataset(elements)  # type: ignore[arg-type]  # a dict's type parameters are invariant
    ds.set_original_encoding(encoding.implicit, True, codec)
    return ds


def _looks_explicit(data: bytes) -> bool:
    """Whether the first element has a VR; pydicom says so when the transfer syntax is not kept."""
    return 0x40 < data[4] < 0x5B and 0x40 < data[5] < 0x5B


def _implicit(data: bytes) -> Elements | None:
    elements: Elements = {}
    position, end, empty = 0, len(data), _EMPTY[None]
    while position < end:
        if end - position < 8:
            return None
        group, number, length = _HEADER(data, position)
        position += 8
        if length == UNDEFINED or length > end - position or group == 0xFFFE:
            return None
        value = data[position : position + length] if length else empty
        tag = _tag(group << 16 | number)
        elements[tag] = RawDataElement(tag, None, length, value, position, True, True)
        position += length
    return elements


def _explicit(data: bytes) -> Elements | None:
    elements: Elements = {}
    position, end = 0, len(data)
    while position < end:
        if end - position < 8:
            return None
        group, number, length = _HEADER(data, position)
        vr, is_long = _VRS.get(data[position + 4 : position + 6], (None, False))
        if vr is None or end - position < (12 if is_long else 8):
            return None
        length = _LONG(data, position + 8)[0] if is_long else length >> 16
        position += 12 if is_long else 8
        if length == UNDEFINED or length > end - position:
            return None
        value = data[position : position + length] if length else _EMPTY[vr]
        tag = _tag(group << 16 | number)
        elements[tag] = RawDataElement(tag, vr, length, value, position, False, True)
        position += length
    return elements
