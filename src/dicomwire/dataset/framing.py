"""An encoded data set into the proof that its lengths fit, and its UIDs; values are passed over.

Nothing is decoded, and no value is read that is longer than a block: what it costs depends on the
number of elements, not on the size of the object. Memory is constant, whatever the nesting.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from dicomwire.dataset.deflate import Inflater
from dicomwire.dataset.elements import (
    BIG,
    CUT_SHORT,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    ITEM_END,
    LITTLE,
    LONG_VRS,
    SEQUENCE_END,
    SHORT_VRS,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    UNDEFINED,
    Encoding,
    tag_text,
)
from dicomwire.dataset.errors import DataSetError

STUDY_INSTANCE_UID, SERIES_INSTANCE_UID = 0x0020000D, 0x0020000E
MOST_NESTED = 32
"""Sequences within sequences that are taken: readers of objects recurse."""
MOST_INFLATED = 1 << 28
"""Bytes that a deflated data set may inflate to while it is looked through."""

ReadAt = Callable[[int, int], bytes]
"""Returns so many bytes from a position on, fewer only at the end."""

_UIDS = frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID))
_BLOCK, _LONG_BLOCK, _INFLATED = 1 << 11, 1 << 15, 1 << 18  # bytes
_LONGEST_UID = 128  # twice what PS3.5 9.1 allows, for the lenient
_SHORT = Struct("<HHHH").unpack_from  # group, number, VR, length
_HEADER = Struct("<HHL").unpack_from
_LENGTH = Struct("<L").unpack_from
_SHORT_VRS = frozenset(int.from_bytes(vr, "little") for vr in SHORT_VRS)
_PLAIN_LONG_VRS = frozenset(int.from_bytes(vr, "little") for vr in LONG_VRS - {b"SQ"})
_OF_ITEMS, _ITEM = 0xFFFE, ITEM & 0xFFFF  # the group of what has no VR (PS3.5 7.5)
_PIXELS = 0x7FE0
_GZIP_TRAILER = 8  # bytes: a checksum, and the length when inflated
_FRAGMENTED = frozenset((b"OB", b"OW"))  # PS3.5 A.4
_LITTLE_ITEM, _BIG_ITEM = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"


class _Level:
    """A data set or item, or a sequence of them, that the walk is in."""

    __slots__ = ("bound", "encoding", "end", "is_sequence", "of_fragments")

    def __init__(
        self,
        end: int | None,
        encoding: Encoding,
        within: _Level | None,
        is_sequence: bool = False,
        of_fragments: bool = False,
    ) -> None:
        self.end = end  # None until a delimiter
        self.bound: int | None = end if end is not None or within is None else within.bound
        self.encoding = encoding
        self.is_sequence = is_sequence
        self.of_fragments = of_fragments


class Framing:
    """A walk over the headers of an encoded data set.

    Parameters
    ----------
    read_at : callable
        Reads it.
    length : int
        Its bytes.
    encoding : Encoding
        How it is written.
    most_nested : int
        How many sequences may stand in each other.
    most_inflated : int
        How many bytes a deflated one may inflate to.

    Attributes
    ----------
    length : int
        As given.
    uids : dict of int to str
        SOP Class, SOP Instance, Study Instance and Series Instance UID by tag, of what is there;
        of two the first.
    odd : int
        The tag of the first element whose length is odd (PS3.5 7.1.1); 0 if there is none.
    """

    def __init__(
        self,
        read_at: ReadAt,
        length: int,
        encoding: Encoding,
        most_nested: int = MOST_NESTED,
        most_inflated: int = MOST_INFLATED,
    ) -> None:
        self.length = length
        self.uids: dict[int, str] = {}
        self.odd = 0
        self._most_nested = most_nested
        self._inflated: _Inflated | None = None
        end: int | None = length
        if encoding.deflated:
            self._inflated = _Inflated(read_at, length, most_inflated)
            read_at, end = self._inflated.read_at, None
            encoding = EXPLICIT
        self._read_at = read_at
        self._layout = LITTLE if encoding.little else BIG
        self._first_item = _LITTLE_ITEM if encoding.little else _BIG_ITEM
        self._takes = {EXPLICIT: self._take_explicit, IMPLICIT: self._take_implicit}
        self._levels = [_Level(end, encoding, None)]
        self._nested = 0
        self._block, self._start, self._at = b"", 0, 0  # bytes, where they begin, where we are

    def go_on(self, most: int = 0) -> bool:
        """Walk on; tell whether the end is reached.

        Parameters
        ----------
        most : int
            After about how many elements to pause; 0 is no limit.

        Raises
        ------
        DataSetError
            When a length does not fit, an element or delimiter is where none may be, sequences
            are nested too deep, or it inflates to too much.
        OSError
            When it cannot be read.
        """
        count = 0
        while self._levels:
            self._step()
            count += 1
            if count == most:
                return False
        return True

    @property
    def _position(self) -> int:
        return self._start + self._at

    def _step(self) -> None:
        level = self._levels[-1]
        at_root = len(self._levels) == 1
        if level.end is not None and self._position >= level.end:
            if self._position > level.end:
                raise DataSetError(f"An element overruns what it is in, at byte {self._position}")
            self._end_of(level)
            return
        if level.is_sequence:
            self._take_items(level)
        elif (take := self._takes.get(level.encoding)) is not None:
            self._at = take(self._block, self._at, self._last(level), at_root)
        if level.end is not None and self._position >= level.end:
            return
        head = self._bytes(8)
        if not head and level.end is None and at_root:
            self._end_of(level)
            return
        if len(head) < 8:
            raise self._cut_short()
        group, number, length = self._layout.tag.unpack(head)
        self._at += 8
        if level.is_sequence:
            self._item(level, group << 16 | number, length)
        elif group == _OF_ITEMS:
            self._delimiter(level, group << 16 | number, length)
        else:
            self._element(level, group << 16 | number, head, length)

    def _last(self, level: _Level) -> int:
        """Return where in the block a level ends, or the block does."""
        last = len(self._block)
        return last if level.end is None else min(last, level.end - self._start)

    def _take_explicit(self, block: bytes, at: int, last: int, at_root: bool) -> int:
        """Walk the elements that end in the block and have nothing in them (PS3.5 7.1.2).

        Nearly all elements of an object are such; each costs a tenth of what `_element` takes.
        """
        while at + 8 <= last:
            group, number, vr, length = _SHORT(block, at)
            begin = at + 8
            if vr not in _SHORT_VRS:
                if vr not in _PLAIN_LONG_VRS or at + 12 > last:
                    break
                begin = at + 12
                (length,) = _LENGTH(block, at + 8)
            after = begin + length
            if after > last or group == _OF_ITEMS:  # so is one of undefined length
                break
            if length & 1 and not self.odd:
                self.odd = group << 16 | number
            if at_root and group <= 0x20 and (tag := group << 16 | number) in _UIDS:
                self._found(tag, block[begin:after])
            at = after
        return at

    def _take_implicit(self, block: bytes, at: int, last: int, at_root: bool) -> int:
        """Do the same where the VR is not written (PS3.5 7.1.3)."""
        while at + 8 <= last:
            group, number, length = _HEADER(block, at)
            begin = at + 8
            after = begin + length
            if after > last or group == _OF_ITEMS or block[begin : begin + 4] == _LITTLE_ITEM:
                break
            if length & 1 and not self.odd:
                self.odd = group << 16 | number
            if at_root and group <= 0x20 and (tag := group << 16 | number) in _UIDS:
                self._found(tag, block[begin:after])
            at = after
        return at

    def _take_items(self, level: _Level) -> None:
        """Pass over the empty items and the fragments that end in the block."""
        block, at, last = self._block, self._at, self._last(level)
        unpack, of_fragments = self._layout.tag.unpack_from, level.of_fragments
        while at + 8 <= last:
            group, number, length = unpack(block, at)
            after = at + 8 + length
            if number != _ITEM or group != _OF_ITEMS or after > last:
                break
            if length and not of_fragments:
                break
            at = after
        self._at = at

    def _element(self, level: _Level, tag: int, head: bytes, length: int) -> None:
        """Pass over an element whose first 8 bytes were read, or go into it."""
        implicit, vr = level.encoding.implicit, b""
        if not implicit:
            vr = head[4:6]
            if vr in SHORT_VRS:
                length = self._layout.short.unpack(head)[3]
            elif vr in LONG_VRS:
                rest = self._bytes(4)
                if len(rest) < 4:
                    raise self._cut_short()
                (length,) = self._layout.long.unpack(rest)
                self._at += 4
            else:
                raise DataSetError(f"Element {tag_text(tag)} has no valid VR: {vr!r}", CUT_SHORT)
        if length == UNDEFINED:
            self._open_undefined(level, tag, vr)
            return
        if length & 1 and not self.odd:
            self.odd = tag
        end = self._fits(level, tag, length)
        if vr == b"SQ" or (implicit and self._looks_like_items(tag, length)):
            self._open(_Level(end, level.encoding, level, is_sequence=True))
        elif len(self._levels) == 1 and tag in _UIDS:
            self._found(tag, self._bytes(min(length, _LONGEST_UID)))
            self._skip_to(end)
        else:
            self._skip_to(end)

    def _open_undefined(self, level: _Level, tag: int, vr: bytes) -> None:
        if level.encoding.implicit or vr == b"SQ":
            self._open(_Level(None, level.encoding, level, is_sequence=True))
        elif vr == b"UN":  # PS3.5 6.2.2
            inner = Encoding(True, level.encoding.little)
            self._open(_Level(None, inner, level, is_sequence=True))
        elif vr in _FRAGMENTED:
            self._levels.append(_Level(None, level.encoding, level, True, of_fragments=True))
        else:
            raise DataSetError(f"Element {tag_text(tag)} is {vr.decode()} of undefined length")

    def _open(self, level: _Level) -> None:
        self._nested += 1
        if self._nested > self._most_nested:
            raise DataSetError(f"Sequences are nested more than {self._most_nested} deep")
        self._levels.append(level)

    def _looks_like_items(self, tag: int, length: int) -> bool:
        """Whether a value in Implicit VR begins with an item.

        Private elements may hold anything, and pixels too.
        """
        if length < 8 or tag >> 16 & 1 or tag >> 16 == _PIXELS:
            return False
        return self._bytes(4) == self._first_item

    def _item(self, level: _Level, tag: int, length: int) -> None:
        if tag == SEQUENCE_END and level.end is None:
            self._close(level, length)
            return
        if tag != ITEM:
            what = f"{tag_text(tag)} stands where a sequence item is due"
            raise DataSetError(what, CUT_SHORT)
        if level.of_fragments or not length:
            self._skip_to(self._fits(level, tag, length))
        elif length == UNDEFINED:
            self._levels.append(_Level(None, level.encoding, level))
        else:
            end = self._fits(level, tag, length)
            self._levels.append(_Level(end, level.encoding, level))

    def _delimiter(self, level: _Level, tag: int, length: int) -> None:
        if tag != ITEM_END or level.end is not None or len(self._levels) == 1:
            raise DataSetError(f"{tag_text(tag)} stands where an element is due", CUT_SHORT)
        self._close(level, length)

    def _close(self, level: _Level, length: int) -> None:
        if length:  # PS3.5 7.5
            raise DataSetError(f"A delimiter has the length {length}", CUT_SHORT)
        self._end_of(level)

    def _end_of(self, level: _Level) -> None:
        self._levels.pop()
        if level.is_sequence and not level.of_fragments:
            self._nested -= 1
        if not self._levels and self._inflated is not None:
            self._inflated.finish()

    def _fits(self, level: _Level, tag: int, length: int) -> int:
        """Return where a value ends; it has to be within what it is in."""
        end = self._position + length
        if level.bound is not None and end > level.bound:
            what = f"Element {tag_text(tag)} of {length} bytes is longer than what it is in"
            raise DataSetError(what, CUT_SHORT)
        return end

    def _found(self, tag: int, value: bytes) -> None:
        text = value.rstrip(b"\0 ").decode("latin-1")
        self.uids.setdefault(tag, text)

    # -- bytes -----------------------------------------------------------------------------

    def _bytes(self, count: int) -> bytes:
        """Return the next bytes without passing them, fewer only at the end."""
        at, block = self._at, self._block
        if at + count > len(block):
            position = self._position
            size = _LONG_BLOCK if position else _BLOCK
            self._block = block = self._read_at(position, max(count, size))
            self._start, self._at, at = position, 0, 0
        return block[at : at + count]

    def _skip_to(self, position: int) -> None:
        """Pass what comes before a position; the data have to reach it."""
        self._at = position - self._start
        if self._inflated is not None and self._at > len(self._block):
            self._block, self._start, self._at = b"", position, 0
            if not self._inflated.reaches(position):
                raise self._cut_short()

    def _cut_short(self) -> DataSetError:
        return DataSetError(f"The data set ends early, after byte {self._position}", CUT_SHORT)


class _Inflated:
    """A deflated data set as one that can be read at positions that never go back by a block.

    Parameters
    ----------
    read_at : callable
        Reads the deflated bytes.
    length : int
        How many they are.
    most : int
        How many bytes it may inflate to.
    """

    def __init__(self, read_at: ReadAt, length: int, most: int) -> None:
        self._source, self._length, self._taken = read_at, length, 0
        self._inflater = Inflater(self._next, most)
        self._kept, self._start = b"", 0  # the last bytes given, and where they begin

    def _next(self, count: int) -> bytes:
        data = self._source(self._taken, min(count, self._length - self._taken))
        self._taken += len(data)
        return data

    @property
    def _end(self) -> int:
        return self._start + len(self._kept)

    def read_at(self, position: int, count: int) -> bytes:
        """Return inflated bytes from a position on, fewer only at the end."""
        self.reaches(position)
        kept = self._kept[position - self._start :]
        self._kept = kept + self._inflater.read(count - len(kept)) if count > len(kept) else kept
        self._start = position
        return self._kept[:count]

    def reaches(self, position: int) -> bool:
        """Whether there are so many inflated bytes; those before are forgotten."""
        while self._end < position:
            self._start = self._end
            self._kept = self._inflater.read(min(_INFLATED, position - self._start))
            if not self._kept:
                return False
        return True

    def finish(self) -> None:
        """Check what comes after the deflated stream: at most its padding (PS3.5 A.5).

        It may be missing. Some write the trailer of a gzip file besides (RFC 1952 2.3.1).

        Raises
        ------
        DataSetError
            When it is anything else.
        """
        after = self._inflater.unused + self._next(_GZIP_TRAILER + 2)
        if len(after) >= _GZIP_TRAILER and _LENGTH(after, 4)[0] == self._end & UNDEFINED:
            after = after[_GZIP_TRAILER:]
        if after not in (b"", b"\0"):
            raise DataSetError("More than the padding to even length follows the deflated data set")
