"""A DICOM file, read once as a stream, into lines of text in the form of DCMTK's dcmdump.

`(0010,0010) PN [Name]    # length, number of values, keyword`: what is in a sequence is indented.
Values that are not shown are passed over and not read. What `text_of` makes of a value is what
`dump_text` reads again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from io import FileIO
from pathlib import Path
from struct import unpack
from typing import BinaryIO

from dicomwire.apps.keys import Step
from dicomwire.archive.text import DEFAULT_ENCODINGS, ONE_VALUE, encodings_of
from dicomwire.dataset.codec import PYDICOM_ERRORS
from dicomwire.dataset.deflate import Inflater
from dicomwire.dataset.elements import (
    EXPLICIT,
    IMPLICIT,
    ITEM_END,
    LONG_VRS,
    MAX_DEPTH,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
    Reader,
    encoding_of,
)
from dicomwire.dataset.errors import DataSetError, NotDicom, UnreadableFile
from dicomwire.dataset.part10 import open_for_reading, recognised
from dicomwire.dataset.transcode import PIXEL_DATA, Level, remember, vr_of
from dicomwire.network.log_text import visible
from dicomwire.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from dicomwire.standard.uids import name_of

SHORT = 64  # characters of a value that are shown when it is cut
BYTE_WORDS = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OV": 8}
"""VRs that are shown in hexadecimal, and how many bytes are a number."""
NUMBERS = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q",
    "FL": "f", "FD": "d", "OF": "f", "OD": "d",
}  # fmt: skip
"""VRs of numbers, and how they are packed."""
IN_CHARACTER_SET = ("LO", "LT", "PN", "SH", "ST", "UC", "UT")
CONTROLS = {code: 0x2400 + code for code in range(32)} | {127: 0x2421}
"""Control characters are shown as pictures of themselves: one line stays one line, and `dump_text`
knows what they were."""
NOTHING = "(no value available)"

_SIZES = {"H": 2, "h": 2, "L": 4, "l": 4, "f": 4, "Q": 8, "q": 8, "d": 8}
_DELIMITERS = set(b"\\^=\r\n\t\f")  # after one, PS3.5 6.1.2.5.3 goes back to the first set
_CHARACTER_SET, _TRANSFER_SYNTAX = 0x00080005, 0x00020010
_LONGEST = 1 << 20  # bytes that are read of a value which is text or numbers
_CHUNK = 1 << 16  # bytes of a binary value that are turned into text at a time
_FIRST_READ = 1 << 12

Write = Callable[[str], object]
Wanted = tuple[tuple[Step, ...], ...]


class Dumper:
    """Writes files as text.

    Parameters
    ----------
    write : callable
        Takes pieces of text.
    whole : bool
        Whether long values are shown whole.
    wanted : tuple of tuple of Step
        Ways to the elements to show, wherever a way begins; all when there are none.

    Attributes
    ----------
    whole : bool
        See above.
    """

    def __init__(self, write: Write, whole: bool = False, wanted: Wanted = ()) -> None:
        self._write = write
        self.whole = whole
        self._wanted = wanted

    def file(self, path: Path) -> None:
        """Write what is in a file.

        Raises
        ------
        UnreadableFile, DataSetError
            When it cannot be read, or not to its end; what could be read has been written.
        """
        with open_for_reading(path) as file:
            try:
                self._file(file, path)
            except BrokenPipeError:  # of who takes the lines
                raise
            except OSError as error:
                what = f"cannot be read: {error.strerror}"
                raise UnreadableFile(path, what, "the disk or the network share") from error

    def _file(self, file: FileIO, path: Path) -> None:
        size = os.fstat(file.fileno()).st_size
        syntax = self._meta(file, size)
        begin = file.tell()
        if begin < size or not begin:
            head = file.read(_FIRST_READ)
            file.seek(begin)
            syntax = syntax or data_set_syntax(head, size - begin)
            if not syntax:
                raise NotDicom(path, "is not a DICOM file" if size else "is empty")
        encoding = encoding_of(syntax)
        self._comment(f"Data set, {visible(name_of(syntax) or syntax)}")
        _Walk(self, file, size, encoding, self._wanted or None).data_set()

    def _meta(self, file: FileIO, size: int) -> str:
        """Write the file meta information (PS3.10 7.1); return the transfer syntax that it says."""
        head = file.read(134)
        file.seek(132 if head[128:132] == b"DICM" else 0)
        at = file.tell()
        if head[at : at + 2] != b"\2\0":
            return ""
        self._comment("File meta information")
        walk = _Walk(self, file, size, EXPLICIT, self._wanted or None)
        while True:
            at = file.tell()
            group = file.read(2)
            file.seek(at)
            if group != b"\2\0":
                return walk.syntax
            walk.one()

    def _comment(self, text: str) -> None:
        if not self._wanted:
            self._write(f"# {text}\n")

    def line(self, depth: int, tag: int, vr: str, value: str, length: int, count: int) -> None:
        """Write one line."""
        said = _keyword(tag)
        size = "u/l" if length == UNDEFINED else str(length)
        group = f"({tag >> 16:04x},{tag & 0xFFFF:04x})"
        if vr == "UI" and (name := name_of(value.strip("[]"))) != value.strip("[]"):
            said += f" = {name}"
        self._write(f"{'  ' * depth}{group} {vr} {value:<40} # {size:>3}, {count} {said}\n")

    def binary(self, depth: int, tag: int, vr: str, length: int, pieces: Iterator[str]) -> None:
        """Write a line whose value comes in pieces."""
        self._write(f"{'  ' * depth}({tag >> 16:04x},{tag & 0xFFFF:04x}) {vr} ")
        for piece in pieces:
            self._write(piece)
        self._write(f" # {length}, 1 {_keyword(tag)}\n")


def data_set_syntax(head: bytes, size: int) -> str:
    """Return the transfer syntax of a bare data set, empty when it looks like none.

    Parameters
    ----------
    head : bytes
        How it begins; that may be with another group than 0008, as in a query file.
    size : int
        Its length.
    """
    if found := recognised(head, 0, size):
        return found
    if len(head) < 8 or head[1] or head[0] & 1:
        return ""
    if head[4:6] in SHORT_VRS | LONG_VRS:
        return EXPLICIT_VR_LITTLE_ENDIAN
    tag = int.from_bytes(head[0:2], "little") << 16 | int.from_bytes(head[2:4], "little")
    length = int.from_bytes(head[4:8], "little")
    known = vr_of(tag, min(length, 2), Level()) != b"UN" and length <= size - 8
    return IMPLICIT_VR_LITTLE_ENDIAN if known else ""


class _Walk:
    """Goes through the elements of a data set.

    Parameters
    ----------
    out : Dumper
        Takes the lines.
    file : file
        At the beginning of the data set.
    size : int
        Where it ends.
    encoding : Encoding
        How it is encoded.
    wanted : tuple or None
        Ways to the elements to show; None shows all.
    """

    def __init__(
        self, out: Dumper, file: BinaryIO, size: int, encoding: Encoding, wanted: Wanted | None
    ) -> None:
        self._out = out
        self._file = file
        self._size = size
        self._inflated = encoding.deflated
        self._read = Inflater(file.read).read if encoding.deflated else file.read
        self._reader = Reader(self._read, encoding)
        self._wanted = wanted
        self._top = Level()
        self._encodings: Sequence[str] = DEFAULT_ENCODINGS
        self.syntax = ""

    def data_set(self) -> None:
        """Go on to the end."""
        self._elements(self._reader, UNDEFINED, self._top, 0, self._wanted)

    def one(self) -> None:
        """Take one element."""
        element = self._reader.header()
        if element is not None:
            self._element(self._reader, element, self._top, 0, self._wanted)

    def _elements(
        self, reader: Reader, length: int, level: Level, depth: int, wanted: Wanted | None
    ) -> None:
        end = None if length == UNDEFINED else reader.position + length
        while end is None or reader.position < end:
            element = reader.header()
            if element is None:
                if level.depth:
                    raise DataSetError("The data set ends inside an item")
                return
            if element.tag == ITEM_END:
                return
            self._element(reader, element, level, depth, wanted)
        if reader.position > end:
            raise DataSetError(f"An element overruns its item at byte {reader.position}")

    def _element(
        self, reader: Reader, element: Element, level: Level, depth: int, wanted: Wanted | None
    ) -> None:
        tag, vr, length = element
        known = (vr or vr_of(tag, length, level)).decode()
        if length == UNDEFINED and tag == PIXEL_DATA:
            self._pixels(reader, tag, depth, _is_shown(tag, wanted))
        elif known == "SQ" or length == UNDEFINED:
            self._sequence(reader, element, known, level, depth, wanted)
        else:
            self._value(reader, tag, known, length, level, depth, _is_shown(tag, wanted))

    def _sequence(
        self,
        reader: Reader,
        element: Element,
        vr: str,
        level: Level,
        depth: int,
        wanted: Wanted | None,
    ) -> None:
        tag, length = element.tag, element.length
        if level.depth == MAX_DEPTH:
            raise DataSetError(f"Sequences are nested more than {MAX_DEPTH} deep")
        shown = _is_shown(tag, wanted)
        wanted = None if shown else wanted
        inner = depth + 1 if shown else depth
        if shown:
            self._out.line(depth, tag, "SQ", f"(Sequence with {_kind(length)})", length, 1)
        # PS3.5 6.2.2: a UN element of undefined length has implicit VR inside
        unknown = vr == "UN" and not reader.encoding.implicit
        inside = Reader(self._read, IMPLICIT) if unknown else reader
        for number, item in enumerate(inside.items(length)):
            if shown:
                text = f"(Item with {_kind(item.length)})"
                self._out.line(inner, item.tag, "na", text, item.length, 1)
            below = _below(tag, number, wanted, self._wanted)
            outside = self._encodings
            self._elements(inside, item.length, level.below(), inner + shown, below)
            self._encodings = outside  # an item may have a character set of its own
            if shown:
                self._out.line(inner, ITEM_END, "na", "(ItemDelimitationItem)", 0, 0)
        if unknown:
            reader.position += inside.position
        if shown:
            self._out.line(depth, 0xFFFEE0DD, "na", "(SequenceDelimitationItem)", 0, 0)

    def _pixels(self, reader: Reader, tag: int, depth: int, shown: bool) -> None:
        """Go through compressed pixel data: OB, whatever a file says (PS3.5 A.4)."""
        if shown:
            self._out.line(depth, tag, "OB", "(PixelSequence)", UNDEFINED, 1)
        for item in reader.items(UNDEFINED):
            if not shown:
                self._pass(reader, item.length)
            elif item.length:
                self._binary(reader, item.tag, "pi", item.length, depth + 1)
            else:
                self._out.line(depth + 1, item.tag, "pi", NOTHING, 0, 1)
        if shown:
            self._out.line(depth, 0xFFFEE0DD, "na", "(SequenceDelimitationItem)", 0, 0)

    def _value(
        self,
        reader: Reader,
        tag: int,
        vr: str,
        length: int,
        level: Level,
        depth: int,
        shown: bool,
    ) -> None:
        if not shown and length > _FIRST_READ:
            self._pass(reader, length)
            return
        self._expect(reader, length)
        if vr in BYTE_WORDS and shown and length:
            self._binary(reader, tag, vr, length, depth)
            return
        limit = length if self._out.whole else min(length, _LONGEST)
        value = reader.read(limit)
        self._pass(reader, length - limit)
        remember(tag, value[:64], level)
        if tag == _CHARACTER_SET:
            self._encodings = encodings_of(value.rstrip(b" \0"))
        elif tag == _TRANSFER_SYNTAX:
            self.syntax = value.rstrip(b" \0").decode("latin-1")
        if shown:
            text, count = text_of(value, vr, self._encodings, reader.encoding.little)
            self._out.line(depth, tag, vr, self._cut(text), length, count)

    def _cut(self, text: str) -> str:
        return text if self._out.whole or len(text) <= SHORT else f"{text[: SHORT - 3]}..."

    def _binary(self, reader: Reader, tag: int, vr: str, length: int, depth: int) -> None:
        size, little = BYTE_WORDS.get(vr, 1), reader.encoding.little
        if self._out.whole and length > _CHUNK:
            pieces = self._pieces(reader, length, size, little)
            self._out.binary(depth, tag, vr, length, pieces)
            return
        limit = min(length, SHORT) if not self._out.whole else length
        text = hexadecimal(reader.read(limit), size, little)
        self._pass(reader, length - limit)
        self._out.line(depth, tag, vr, self._cut(text), length, 1)

    def _pieces(self, reader: Reader, length: int, size: int, little: bool) -> Iterator[str]:
        between = ""
        while length:
            value = reader.read(min(length, _CHUNK))
            length -= len(value)
            yield between + hexadecimal(value, size, little)
            between = "\\"

    def _expect(self, reader: Reader, count: int) -> None:
        """Say so where the data end earlier, before room is made for bytes that are not there."""
        left = self._size - self._file.tell()
        if not self._inflated and count > left:
            reader.read(left + 1)

    def _pass(self, reader: Reader, count: int) -> None:
        """Leave bytes out, where the file allows it without reading them."""
        if self._inflated:
            while count:
                count -= len(reader.read(min(count, _CHUNK)))
            return
        self._expect(reader, count)
        self._file.seek(count, os.SEEK_CUR)
        reader.position += count


def _kind(length: int) -> str:
    return "undefined length" if length == UNDEFINED else "explicit length"


def _is_shown(tag: int, wanted: Wanted | None) -> bool:
    return wanted is None or any(
        len(way) == 1 and way[0].tag == tag and way[0].item is None for way in wanted
    )


def _below(tag: int, number: int, wanted: Wanted | None, all_ways: Wanted | None) -> Wanted | None:
    """Return what is wanted in an item: the rest of ways that lead there, and those that begin."""
    if wanted is None:
        return None
    rest = tuple(
        way[1:]
        for way in wanted
        if len(way) > 1 and way[0].tag == tag and way[0].item in (None, number)
    )
    return (*rest, *(way for way in all_ways or () if way not in rest))


def _keyword(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    group, number = tag >> 16, tag & 0xFFFF
    if not number:
        return "GroupLength"
    if group & 1:
        return "PrivateCreator" if 0x10 <= number <= 0xFF else "PrivateElement"
    if tag >> 16 == 0xFFFE:
        return _ITEMS.get(number, "")
    return keyword_for_tag(tag) or "UnknownElement"


_ITEMS = {0xE000: "Item", 0xE00D: "ItemDelimitationItem", 0xE0DD: "SequenceDelimitationItem"}


# -- values ------------------------------------------------------------------------------------


def text_of(value: bytes, vr: str, encodings: Sequence[str], little: bool) -> tuple[str, int]:
    """Return a value as text, and how many values it is.

    Parameters
    ----------
    value : bytes
        As it is encoded.
    vr : str
        Its value representation.
    encodings : sequence of str
        pydicom's names of what the text is encoded in.
    little : bool
        The byte order of numbers.
    """
    if not value:
        return NOTHING, 0
    if vr in BYTE_WORDS:
        return hexadecimal(value, BYTE_WORDS[vr], little), 1
    if vr == "AT":
        return _tags(value, little)
    if vr in NUMBERS:
        return _numbers(value, vr, little)
    text = decoded(_without_padding(value, vr), vr, encodings)
    count = 1 if vr in (*ONE_VALUE, "UR") else text.count("\\") + 1
    return f"[{visible(text.translate(CONTROLS))}]", count


def hexadecimal(value: bytes, size: int, little: bool) -> str:
    """Return bytes as numbers of some bytes each, in hexadecimal."""
    if len(value) % size:
        size = 1
    if size > 1 and little:
        value = b"".join(value[at : at + size][::-1] for at in range(0, len(value), size))
    return value.hex("\\", -size)  # from the left


def _without_padding(value: bytes, vr: str) -> bytes:
    """Take away the one byte that made the length even (PS3.5 6.2); another may be meant."""
    padding = b"\0" if vr == "UI" else b" "
    return value[:-1] if len(value) % 2 == 0 and value.endswith(padding) else value


def decoded(value: bytes, vr: str, encodings: Sequence[str]) -> str:
    """Return the text of a value (PS3.3 C.12.1.1.2); never raises."""
    from pydicom.charset import decode_bytes

    if vr not in IN_CHARACTER_SET:
        return value.decode("latin-1")
    try:
        return decode_bytes(value, encodings, _DELIMITERS)
    except PYDICOM_ERRORS:
        return value.decode("latin-1")


def _tags(value: bytes, little: bool) -> tuple[str, int]:
    if len(value) % 4:
        return _wrong(value, "AT")
    numbers = unpack(f"{'<' if little else '>'}{len(value) // 2}H", value)
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    found = [f"({group:04x},{number:04x})" for group, number in pairs]
    return "\\".join(found), len(found)


def _numbers(value: bytes, vr: str, little: bool) -> tuple[str, int]:
    letter = NUMBERS[vr]
    if len(value) % _SIZES[letter]:
        return _wrong(value, vr)
    count = len(value) // _SIZES[letter]
    numbers = unpack(f"{'<' if little else '>'}{count}{letter}", value)
    # nine digits tell one number of 32 bits from the next
    show = "{:.9g}".format if letter == "f" else repr
    return "\\".join(map(show, numbers)), 1 if vr in ("OF", "OD") else count


def _wrong(value: bytes, vr: str) -> tuple[str, int]:
    shown = value[:SHORT].hex("\\")
    return f"({len(value)} bytes are no {vr}: {shown})", 1
