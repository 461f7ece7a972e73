"""The bytes of a data set into element headers, in any uncompressed transfer syntax (PS3.5 7.1)."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from dicomwire.dataset.errors import DataSetError
from dicomwire.standard.transfer_syntaxes import TRANSFER_SYNTAXES

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018

MAX_DEPTH = 64
"""Sequences nested deeper than this are taken for an attack or an accident."""

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs with a length of 16 bits (PS3.5 Table 7.1-2)."""

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs with two reserved bytes and a length of 32 bits (PS3.5 Table 7.1-1)."""

CUT_SHORT = "that the file or message is whole, and that its transfer syntax is the stated one"

_LONGEST_UID = 128  # twice what PS3.5 9.1 allows, for the lenient
_SKIPPED = 1 << 18  # bytes read at a time where a value is passed over


class Encoding(NamedTuple):
    """How elements are written: the transfer syntax without its UID (PS3.5 10, Annex A)."""

    implicit: bool
    little: bool
    deflated: bool = False


IMPLICIT = Encoding(True, True)
EXPLICIT = Encoding(False, True)

_ENCODINGS = {
    row.uid: Encoding(row.is_implicit_vr, row.is_little_endian, row.is_deflated)
    for row in TRANSFER_SYNTAXES
}


def encoding_of(transfer_syntax_uid: str) -> Encoding:
    """Return how a transfer syntax writes elements.

    Private ones are taken for Explicit VR Little Endian, as all compressed ones are (PS3.5 A.4).
    """
    return _ENCODINGS.get(transfer_syntax_uid, EXPLICIT)


class Element(NamedTuple):
    """The header of an element or item; `vr` is empty where the syntax does not write it."""

    tag: int
    vr: bytes
    length: int


def tag_text(tag: int) -> str:
    """Return a tag the way the standard writes it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


class Layout:
    """The packings of one byte order."""

    __slots__ = ("long", "short", "tag")

    def __init__(self, order: str) -> None:
        self.tag = Struct(order + "HHL")
        self.short = Struct(order + "HH2sH")
        self.long = Struct(order + "L")


LITTLE, BIG = Layout("<"), Layout(">")


class Reader:
    """Reads element headers and values from a function that reads bytes.

    Parameters
    ----------
    read : callable
        Returns up to the asked number of bytes, fewer only at the end.
    encoding : Encoding
        How the elements are written.
    """

    def __init__(self, read: Callable[[int], bytes], encoding: Encoding) -> None:
        self._read = read
        self._layout = LITTLE if encoding.little else BIG
        self.encoding = encoding
        self.position = 0

    def take(self, count: int) -> bytes:
        """Return `count` bytes, fewer only at the end of the data."""
        data = self._read(count)
        self.position += len(data)
        return data

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes."""
        data = self.take(count)
        if len(data) != count:
            raise self._cut_short()
        return data

    def _cut_short(self) -> DataSetError:
        return DataSetError(f"The data set ends early, at byte {self.position}", CUT_SHORT)

    def header(self) -> Element | None:
        """Return the next header, None where the data end.

        Raises
        ------
        DataSetError
            If the data end inside it, or its VR is none.
        """
        head = self.take(8)
        if not head:
            return None
        if len(head) != 8:
            raise self._cut_short()
        group, number, length = self._layout.tag.unpack(head)
        tag = group << 16 | number
        if self.encoding.implicit or group == 0xFFFE:  # PS3.5 7.5: items have no VR
            return Element(tag, b"", length)
        vr = head[4:6]
        if vr in SHORT_VRS:
            return Element(tag, vr, self._layout.short.unpack(head)[3])
        if vr in LONG_VRS:
            return Element(tag, vr, self._layout.long.unpack(self.read(4))[0])
        raise DataSetError(f"Element {tag_text(tag)} has no valid VR: {vr!r}", CUT_SHORT)

    def items(self, length: int) -> ItemWalk:
        """Return an iterator over the item headers of a sequence whose header was just read."""
        return ItemWalk(self, length)

    def as_implicit(self) -> Reader:
        """Return a reader of the items in a UN element of undefined length (PS3.5 6.2.2)."""
        return Reader(self.take, IMPLICIT)

    def skip(self, element: Element, depth: int = 0) -> None:
        """Pass over the value of the element whose header was just read."""
        left = element.length
        if left == UNDEFINED:
            (self.as_implicit() if element.vr == b"UN" else self)._skip_items(depth)
            return
        while left:
            left -= len(self.read(min(left, _SKIPPED)))

    def _skip_items(self, depth: int) -> None:
        if depth == MAX_DEPTH:
            raise DataSetError(f"Sequences are nested more than {MAX_DEPTH} deep")
        for item in self.items(UNDEFINED):
            if item.length != UNDEFINED:
                self.skip(item)
                continue
            while (element := self.header()) is not None and element.tag != ITEM_END:
                self.skip(element, depth + 1)


class ItemWalk:
    """The item headers of one sequence; the caller consumes each item before the next."""

    def __init__(self, reader: Reader, length: int) -> None:
        self._reader = reader
        self._end = None if length == UNDEFINED else reader.position + length

    def __iter__(self) -> ItemWalk:
        return self

    def __next__(self) -> Element:
        reader = self._reader
        if self._end is not None and reader.position >= self._end:
            if reader.position > self._end:
                raise DataSetError(f"An item overruns its sequence at byte {reader.position}")
            raise StopIteration
        item = reader.header()
        if item is None:
            raise DataSetError("The data set ends inside a sequence", CUT_SHORT)
        if item.tag == SEQUENCE_END:
            raise StopIteration
        if item.tag != ITEM:
            raise DataSetError(
                f"{tag_text(item.tag)} stands where a sequence item is due", CUT_SHORT
            )
        return item


def sop_uids(reader: Reader) -> tuple[bytes, bytes]:
    """Return the values of SOP Class UID and SOP Instance UID, empty where there are none.

    Reads no further than (0008,0018).
    """
    found = uids_at(reader, SOP_CLASS_UID, SOP_INSTANCE_UID)
    return found.get(SOP_CLASS_UID, b""), found.get(SOP_INSTANCE_UID, b"")


def uids_at(reader: Reader, *tags: int) -> dict[int, bytes]:
    """Return the values of those of some UIDs that a data set has, at its top level.

    Reads no further than the last of them.

    Parameters
    ----------
    reader : Reader
        At the beginning of a data set.
    *tags : int
        The elements, in ascending order.
    """
    found: dict[int, bytes] = {}
    last = tags[-1]
    while (element := reader.header()) is not None and element.tag <= last:
        if element.tag in tags:
            found[element.tag] = reader.read(min(element.length, _LONGEST_UID))
            if element.tag == last:
                break
        else:
            reader.skip(element)
    return found
