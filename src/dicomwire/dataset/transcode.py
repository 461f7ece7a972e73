"""The bytes of a data set in one uncompressed transfer syntax into those of another, streaming.

Text and unknown values pass as they are; binary numbers change their byte order where it differs.
Sequences and items leave with undefined length (PS3.5 7.5.1), so that nothing has to be known about
what follows; retired group lengths (PS3.5 7.2) stay behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dicomwire.dataset.byte_order import WORD_SIZES, swapped
from dicomwire.dataset.elements import (
    BIG,
    IMPLICIT,
    ITEM,
    ITEM_END,
    LITTLE,
    LONG_VRS,
    MAX_DEPTH,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Encoding,
    Reader,
    tag_text,
)
from dicomwire.dataset.errors import DataSetError

PIXEL_DATA = 0x7FE00010
PIXEL_REPRESENTATION = 0x00280103
_CHUNK = 1 << 18  # a multiple of every word size
_MOST_SHORT = 0xFFFE  # the longest value that a 16-bit length can give


def transcode(reader: Reader, write: Callable[[bytes], object], target: Encoding) -> None:
    """Write the data set that a reader gives, up to its end, in another encoding.

    Parameters
    ----------
    reader : Reader
        The data set in the encoding it has.
    write : callable
        Takes the bytes of the data set in the encoding it gets.
    target : Encoding
        That encoding; whether it is deflated is not looked at.

    Raises
    ------
    DataSetError
        If the data set is not what its encoding says, or has compressed pixel data.
    """
    _Transcoder(reader, write, target).data_set(UNDEFINED, Level())


@dataclass(slots=True)
class Level:
    """What elements of a data set say about later ones of the same data set."""

    depth: int = 0
    is_signed: bool = False
    creators: dict[int, str] = field(default_factory=dict)

    def below(self) -> Level:
        """Return the level of an item; pixel representation holds for items too."""
        return Level(self.depth + 1, self.is_signed)


class _Transcoder:
    def __init__(self, reader: Reader, write: Callable[[bytes], object], target: Encoding) -> None:
        self._reader = reader
        self._write = write
        self._implicit = target.implicit
        self._layout = LITTLE if target.little else BIG
        self._swap = reader.encoding.little != target.little
        self._needs_vr = reader.encoding.implicit and not target.implicit

    def data_set(self, length: int, level: Level) -> None:
        """Pass on the elements of the data set or item that starts here."""
        reader = self._reader
        end = None if length == UNDEFINED else reader.position + length
        while end is None or reader.position < end:
            element = reader.header()
            if element is None or element.tag == ITEM_END:
                if level.depth and element is None:
                    raise DataSetError("The data set ends inside an item")
                return
            if element.tag & 0xFFFF:
                self._element(element, level)
            else:
                reader.skip(element)
        if reader.position > end:
            raise DataSetError(f"An element overruns its item at byte {reader.position}")

    def _element(self, element: Element, level: Level) -> None:
        tag, vr, length = element
        if self._needs_vr:
            vr = vr_of(tag, length, level)
        if length == UNDEFINED and (tag == PIXEL_DATA or vr not in _MAY_HOLD_ITEMS):
            raise DataSetError(
                f"{tag_text(tag)} has a value of undefined length in an uncompressed data set",
                "whether the file states the transfer syntax that it is in",
            )
        if vr == b"UN" and length == UNDEFINED:
            self._unknown_items(tag, level)
        elif vr == b"SQ" or length == UNDEFINED:
            self._sequence(tag, length, level)
        else:
            self._head(tag, vr, length)
            self._value(tag, vr, length, level)

    def _head(self, tag: int, vr: bytes, length: int) -> None:
        group, number, layout = tag >> 16, tag & 0xFFFF, self._layout
        if self._implicit or not vr:
            self._write(layout.tag.pack(group, number, length))
        elif vr in LONG_VRS:
            self._write(layout.short.pack(group, number, vr, 0) + layout.long.pack(length))
        else:
            self._write(layout.short.pack(group, number, vr, length))

    def _value(self, tag: int, vr: bytes, length: int, level: Level) -> None:
        size = WORD_SIZES.get(vr, 0) if self._swap else 0
        while length:
            value = self._reader.read(min(length, _CHUNK))
            length -= len(value)
            if size:
                value = swapped(value, size)
            self._write(value)
            if self._needs_vr and (tag == PIXEL_REPRESENTATION or tag & 0x1FF00 == 0x10000):
                remember(tag, value, level)

    def _sequence(self, tag: int, length: int, level: Level) -> None:
        if level.depth == MAX_DEPTH:
            raise DataSetError(f"Sequences are nested more than {MAX_DEPTH} deep")
        self._head(tag, b"SQ", UNDEFINED)
        for item in self._reader.items(length):
            self._head(ITEM, b"", UNDEFINED)
            self.data_set(item.length, level.below())
            self._head(ITEM_END, b"", 0)
        self._head(SEQUENCE_END, b"", 0)

    def _unknown_items(self, tag: int, level: Level) -> None:
        """Pass on a UN element of undefined length: implicit VR inside (PS3.5 6.2.2)."""
        self._head(tag, b"UN", UNDEFINED)
        inner = _Transcoder(self._reader.as_implicit(), self._write, IMPLICIT)
        for item in inner._reader.items(UNDEFINED):
            inner._head(ITEM, b"", UNDEFINED)
            inner.data_set(item.length, level.below())
            inner._head(ITEM_END, b"", 0)
        inner._head(SEQUENCE_END, b"", 0)


_MAY_HOLD_ITEMS = frozenset((b"", b"SQ", b"UN"))


def remember(tag: int, value: bytes, level: Level) -> None:
    """Note what a value says about later elements: pixel representation, private creators."""
    if tag == PIXEL_REPRESENTATION:
        level.is_signed = value[:2] in (b"\1\0", b"\0\1")  # in either byte order
    elif tag & 0xFFFF < 0x100:
        level.creators[tag] = value.decode("latin-1").strip(" \0")


def vr_of(tag: int, length: int, level: Level) -> bytes:
    """Return the VR for an element of Implicit VR Little Endian.

    Unknown ones get UN (PS3.5 6.2.2), as do values too long for the length field of their VR.
    """
    if length == UNDEFINED and tag != PIXEL_DATA:
        return b"SQ"  # PS3.5 7.5: nothing else has an undefined length here
    names = _private_vr(tag, level) if tag >> 16 & 1 else _public_vr(tag)
    if "OW" in names:  # PS3.5 A.1
        vr = b"OW"
    elif names.startswith("US or SS"):
        vr = b"SS" if level.is_signed else b"US"
    else:
        vr = names.encode("ascii")
    return b"UN" if length > _MOST_SHORT and vr not in LONG_VRS else vr


def _public_vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _private_vr(tag: int, level: Level) -> str:
    """Return the VR of a private element by its private creator (PS3.5 7.8.1)."""
    from pydicom.datadict import private_dictionary_VR

    group, number = tag >> 16, tag & 0xFFFF
    if 0x10 <= number <= 0xFF:
        return "LO"
    creator = level.creators.get(group << 16 | number >> 8)
    if creator is None:
        return "UN"
    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"
