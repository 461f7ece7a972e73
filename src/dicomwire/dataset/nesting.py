"""The bytes of a data set into how deep its sequences stand within each other, if that is too deep.

pydicom decodes a sequence by calling itself, and copies what is within each time: 80 KB of 5,000
sequences within each other are 200 MB, and a program that prints them never ends.
"""

from __future__ import annotations

from struct import Struct

from dicomwire.dataset.elements import (
    ITEM,
    ITEM_END,
    LONG_VRS,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
    Encoding,
)
from dicomwire.dataset.errors import DataSetError

_PIXEL_DATA = 0x7FE00010


def check_depth(data: bytes | bytearray, encoding: Encoding, most: int) -> None:
    """Look whether sequences stand too deep within each other.

    Parameters
    ----------
    data : bytes-like
        A whole data set, not deflated. What is wrong with it otherwise is not said here.
    encoding : Encoding
        How it is written.
    most : int
        How deep they may stand.

    Raises
    ------
    DataSetError
        When there is one more within the deepest.
    """
    order = "<" if encoding.little else ">"
    item = Struct(order + "HH").pack(ITEM >> 16, ITEM & 0xFFFF)
    if data.count(item) > most:  # each sequence that has another within has an item
        _Walk(data, encoding, item, most).run()


class _Walk:
    """A way through all elements, sequences and items, from the first byte to the last.

    What has begun and is not over stands on a stack, never in calls: where it ends, None where a
    delimiter says so; whether it is a sequence; whether its elements have no VR.
    """

    def __init__(self, data: bytes | bytearray, encoding: Encoding, item: bytes, most: int) -> None:
        order = "<" if encoding.little else ">"
        self._tag = Struct(order + "HHL").unpack_from
        self._short = Struct(order + "H").unpack_from
        self._long = Struct(order + "L").unpack_from
        self._data, self._item, self._most = data, item, most
        self._open: list[tuple[int | None, bool, bool]] = []
        self._implicit = encoding.implicit
        self._depth = 0

    def run(self) -> None:
        """Go to the end, or to where the bytes make no sense."""
        position, end = 0, len(self._data)
        while 0 <= position <= end - 8:
            self._leave(position)
            group, number, length = self._tag(self._data, position)
            tag = group << 16 | number
            if tag == ITEM:
                self._enter(position + 8, length, False, self._is_implicit)
                position += 8
            elif tag in (ITEM_END, SEQUENCE_END):
                self._delimit(tag == SEQUENCE_END)
                position += 8
            else:
                position = self._element(position, tag, length)

    @property
    def _is_implicit(self) -> bool:
        return self._open[-1][2] if self._open else self._implicit

    def _enter(self, start: int, length: int, is_sequence: bool, implicit: bool) -> None:
        self._open.append((None if length == UNDEFINED else start + length, is_sequence, implicit))
        if is_sequence:
            self._depth += 1
            if self._depth > self._most:
                raise DataSetError(
                    f"Sequences are nested more than {self._most} deep",
                    "whether the peer can be trusted; the setting is Limits.depth",
                )

    def _leave(self, position: int) -> None:
        """Pop what ends by its length."""
        while self._open:
            end = self._open[-1][0]
            if end is None or end > position:
                return
            self._pop()

    def _delimit(self, is_sequence: bool) -> None:
        """Pop what a delimiter ends."""
        while self._open:
            if self._pop() is is_sequence:
                return

    def _pop(self) -> bool:
        is_sequence = self._open.pop()[1]
        self._depth -= is_sequence
        return is_sequence

    def _element(self, position: int, tag: int, length: int) -> int:
        """Enter a sequence, or pass an element; return where to go on, -1 for nowhere."""
        start, implicit = position + 8, self._is_implicit
        if not implicit:
            vr = bytes(self._data[position + 4 : position + 6])
            if vr in SHORT_VRS:
                (length,) = self._short(self._data, position + 6)
            elif vr in LONG_VRS and position + 12 <= len(self._data):
                (length,) = self._long(self._data, position + 8)
                start += 4
                implicit = vr == b"UN"  # PS3.5 6.2.2
            else:
                return -1
        if tag == _PIXEL_DATA and length == UNDEFINED:
            return self._pass_fragments(start)
        if length == UNDEFINED or self._data[start : start + 4] == self._item:
            self._enter(start, length, True, implicit)
            return start
        return start + length

    def _pass_fragments(self, position: int) -> int:
        """Return where encapsulated pixel data is over (PS3.5 A.4)."""
        while position <= len(self._data) - 8:
            group, number, length = self._tag(self._data, position)
            position += 8
            if group << 16 | number != ITEM:
                return position
            position += length
        return -1
