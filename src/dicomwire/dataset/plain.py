"""Data sets of text and numbers into bytes as pydicom would write them, many times faster.

What a query is answered with is small and plain, and there may be ten thousand of it. Whatever
this file does not know for certain it leaves to pydicom. It is imported with pydicom, on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from struct import Struct, pack
from struct import error as StructError
from typing import Any, NamedTuple

from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from dicomwire.dataset.elements import LONG_VRS, SHORT_VRS, UNDEFINED, Encoding

CHARACTER_SET = 0x00080005
PIXEL_DATA = 0x7FE00010

# Specific Character Set -> pydicom's name of its codec, where that is all there is to it: no
# escape sequences (PS3.3 C.12.1.1.2). The default repertoire is read and written as ISO 8859-1.
CODECS = {
    "": default_encoding,
    "ISO_IR 6": default_encoding,
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso_ir_126",
    "ISO_IR 127": "iso_ir_127",
    "ISO_IR 138": "iso_ir_138",
    "ISO_IR 144": "iso_ir_144",
    "ISO_IR 148": "iso_ir_148",
    "ISO_IR 166": "iso_ir_166",
    "ISO_IR 192": "UTF8",
}

Stored = tuple[int, DataElement | RawDataElement]

_IMPLICIT = Struct("<HHL").pack  # PS3.5 Table 7.1-3
_SHORT = Struct("<HH2sH").pack  # PS3.5 Table 7.1-2
_LONG = Struct("<HH2sxxL").pack  # PS3.5 Table 7.1-1
_ITEM = Struct("<4sL").pack
_ITEM_TAG = b"\xfe\xff\x00\xe0"


class _NotPlain(Exception):
    """Something is left to pydicom."""


def encode_plain(ds: Dataset, encoding: Encoding) -> bytes | None:
    """Return a data set in a little endian encoding; None when that is left to pydicom.

    Parameters
    ----------
    ds : pydicom.Dataset
        The data set; it is not changed.
    encoding : Encoding
        How it is to be written; it is not deflated here.
    """
    if not encoding.little or not _is_simple(ds):
        return None
    stored = _in_order(ds)
    if stored and stored[-1][0] >= PIXEL_DATA:
        return None
    try:
        return _data_set(ds, stored, encoding.implicit, default_encoding)
    except (
        _NotPlain, ArithmeticError, AttributeError, LookupError, StructError, TypeError, ValueError
    ):  # fmt: skip
        return None


def _is_simple(ds: Dataset) -> bool:
    """Whether it is a Dataset itself that knows of no file: no subclass has its own ways then."""
    return type(ds) is Dataset and "file_meta" not in vars(ds)


def _in_order(ds: Dataset) -> list[Stored]:
    # as plain numbers: pydicom's tags compare themselves in Python
    return sorted(zip(map(int.__pos__, ds.keys()), ds.values(), strict=True))


def _data_set(
    ds: Dataset, stored: list[Stored], implicit: bool, codec: str | None, is_item: bool = False
) -> bytes:
    parts: list[bytes] = []
    append = parts.append
    as_read = False
    if stored and stored[0][0] < CHARACTER_SET:
        raise _NotPlain  # groups 0000 and 0002, and text before its character set is known
    for tag, element in stored:
        if not tag & 0xFFFF:
            continue  # PS3.5 7.2: group lengths are retired
        if tag == CHARACTER_SET:
            codec = CODECS.get(_character_set(element))
        if type(element) is not DataElement:
            as_read = as_read or _check_as_read(ds, implicit, is_item)
            parts += _raw(tag, element, implicit)  # type: ignore[arg-type]  # there is no third
            continue
        write, pad, vr, layout, is_text = _WAYS[element.VR]
        value = element.value
        if is_text and codec and type(value) is str and value.isascii():
            encoded = value.encode()  # what nearly all of it is
        else:
            encoded = b"" if value is None else write(value, codec, implicit)
        size = len(encoded)
        if size & 1:
            encoded += pad
            size += 1
        if element.is_undefined_length:
            raise _NotPlain
        if implicit:
            append(_IMPLICIT(tag >> 16, tag & 0xFFFF, size))
        else:
            append(layout(tag >> 16, tag & 0xFFFF, vr, size))
        append(encoded)
    return b"".join(parts)


def _character_set(element: DataElement | RawDataElement) -> str:
    value: Any = element.value
    if isinstance(value, bytes):
        return value.rstrip(b" \0").decode("ascii")
    return value or ""


def _check_as_read(ds: Dataset, implicit: bool, is_item: bool) -> bool:
    """Check that raw elements may be written as they were read; pydicom decodes them otherwise."""
    if is_item or ds.original_encoding != (implicit, True):
        raise _NotPlain
    element = ds.get_item(CHARACTER_SET)
    codec: str | list[str] = default_encoding
    if element is not None:
        # an unknown one is a KeyError: pydicom knows what to do
        codec = [CODECS[_character_set(element)]]
    if codec != ds.original_character_set:
        raise _NotPlain
    return True


def _raw(tag: int, element: RawDataElement, implicit: bool) -> tuple[bytes, bytes]:
    """Return the header and the value of an element that was read and never looked at."""
    value = element.value
    if not isinstance(value, bytes) or element.length == UNDEFINED:
        raise _NotPlain
    if implicit:
        return _IMPLICIT(tag >> 16, tag & 0xFFFF, len(value)), value
    vr = (element.VR or "").encode()
    if vr not in SHORT_VRS and vr not in LONG_VRS:
        raise _NotPlain
    layout = _LONG if vr in LONG_VRS else _SHORT
    return layout(tag >> 16, tag & 0xFFFF, vr, len(value)), value


# -- values: each function takes what pydicom keeps, the codec of text, and whether VRs are implicit


def _string(value: Any, codec: str | None, implicit: bool) -> bytes:
    """Encode a value of the default character repertoire."""
    text = value if isinstance(value, str) else "\\".join(value)
    return text.encode("latin-1")


def _text(value: Any, codec: str | None, implicit: bool) -> bytes:
    """Encode a value that Specific Character Set counts for."""
    text = value if isinstance(value, str) else "\\".join(value)
    return text.encode() if text.isascii() and codec else text.encode(codec)  # type: ignore[arg-type]


def _names(value: Any, codec: str | None, implicit: bool) -> bytes:
    if isinstance(value, MultiValue):
        if len(value) == 1:
            raise _NotPlain
        return b"\\".join([_name(each, codec) for each in value])
    return _name(value, codec)


def _name(name: Any, codec: str | None) -> bytes:
    if name.original_string is not None:  # it was read, or written before
        return bytes(name.encode((codec,)))
    return _text("=".join(name.components), codec, True)


def _number_string(value: Any, codec: str | None, implicit: bool) -> bytes:
    if isinstance(value, MultiValue):
        return "\\".join(map(_digits, value)).encode("ascii")
    if not isinstance(value, str | int | float | Decimal):
        raise _NotPlain
    return _digits(value).encode("ascii")


def _digits(number: Any) -> str:
    """Write a number as it was written when it was read."""
    written: str = number.original_string if hasattr(number, "original_string") else str(number)
    return written


def _numbers(code: str) -> Callable[[Any, str | None, bool], bytes]:
    one = Struct("<" + code).pack

    def write(value: Any, codec: str | None, implicit: bool) -> bytes:
        if isinstance(value, int | float):
            return one(value)
        if isinstance(value, MultiValue):
            return pack(f"<{len(value)}{code}", *value)
        if value == "":
            return b""
        raise _NotPlain

    return write


def _items(value: Any, codec: str | None, implicit: bool) -> bytes:
    parts: list[bytes] = []
    for item in value:
        if not _is_simple(item) or item.is_undefined_length_sequence_item:
            raise _NotPlain
        encoded = _data_set(item, _in_order(item), implicit, codec, True)
        parts += _ITEM(_ITEM_TAG, len(encoded)), encoded
    return b"".join(parts)


class _Way(NamedTuple):
    """How the values of a VR are written."""

    write: Callable[[Any, str | None, bool], bytes]
    pad: bytes
    vr: bytes
    layout: Callable[..., bytes]
    is_text: bool


_WRITERS: dict[Callable[[Any, str | None, bool], bytes], str] = {
    _string: "AE AS CS DA DT TM UI UR",
    _text: "LO LT SH ST UC UT",
    _names: "PN",
    _number_string: "DS IS",
    _items: "SQ",
    _numbers("H"): "US",
    _numbers("L"): "UL",
    _numbers("l"): "SL",
    _numbers("Q"): "UV",
    _numbers("q"): "SV",
    _numbers("f"): "FL",
    _numbers("d"): "FD",
}
# SS is not here: the second value of a LUT descriptor has another VR than the first and the third.
_WAYS = {
    vr.decode(): _Way(
        write,
        b"\0" if vr == b"UI" else b" ",
        vr,
        _LONG if vr in LONG_VRS else _SHORT,
        write in (_string, _text),
    )
    for write, vrs in _WRITERS.items()
    for vr in vrs.encode().split()
}
