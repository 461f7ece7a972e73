"""Text, as dcmdump, dump2dcm and `dump` write it, into an encoded data set.

A line is an element, `(0010,0010) PN [Name]  # what follows is not read`, or a key as findscu takes
it, `PatientName=Name`. What is in a sequence stands between its line and `(fffe,e0dd)`, each item
between `(fffe,e000)` and `(fffe,e00d)`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicomwire.apps.dumping import (
    BYTE_WORDS,
    CONTROLS,
    IN_CHARACTER_SET,
    NOTHING,
    NUMBERS,
    decoded,
)
from dicomwire.apps.keys import UTF8, Step, key, read
from dicomwire.apps.options import WrongUse
from dicomwire.archive.text import DEFAULT_ENCODINGS, encodings_of
from dicomwire.dataset.codec import PYDICOM_ERRORS, decode
from dicomwire.dataset.elements import (
    ITEM,
    ITEM_END,
    LITTLE,
    LONG_VRS,
    MAX_DEPTH,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
    tag_text,
)
from dicomwire.dataset.transcode import PIXEL_DATA, Level, vr_of
from dicomwire.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from dicomwire.standard.uids import NAMES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TEXTS = (".dump", ".txt")
"""What the names of texts end with, where DICOM files may stand too."""

CHARACTER_SET = 0x00080005
FILE_META = 0x0002
_LINE = re.compile(r"\s*\(([0-9A-Fa-f]{1,4}),([0-9A-Fa-f]{1,4})\)(?:[ \t]+|$)")
_VR = re.compile(r"([A-Za-z?]{2})(?:[ \t]+|$)")
# A value in brackets may have brackets in it when a comment of a dump follows
_BRACKETS = (
    re.compile(r"\[(.*)\]\s*#\s*(?:\d+|u/l),\s*\d+.*", re.DOTALL),
    re.compile(r"\[(.*?)\]\s*(?:#.*)?", re.DOTALL),
)
_CUT = re.compile(r".*\.\.\.\s*(?:#.*)?")
_KEY = re.compile(r"\s*[A-Za-z][A-Za-z0-9]*(?:\[\d+\])?(?:\.[A-Za-z][\w\[\].]*)?=")
_TAG = re.compile(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)")
_VRS = frozenset(vr.decode() for vr in SHORT_VRS | LONG_VRS)
# What DCMTK calls some while it has not made up its mind
_VRS_OF_DCMTK = {"ox": "OW", "px": "OW", "lt": "OW", "xs": "US", "up": "UL", "??": "UN"}
_PICTURES = {picture: code for code, picture in CONTROLS.items()}
_NULS = ("UI", "UN", "OB", "pi")  # padded with 00H, PS3.5 6.2
_MOST_SHORT = 0xFFFE
_NAMES_OF_DCMTK = {
    "LittleEndianImplicit": "1.2.840.10008.1.2",
    "LittleEndianExplicit": "1.2.840.10008.1.2.1",
    "DeflatedLittleEndianExplicit": "1.2.840.10008.1.2.1.99",
    "BigEndianExplicit": "1.2.840.10008.1.2.2",
    "JPEGBaseline": "1.2.840.10008.1.2.4.50",
    "JPEGExtended:Process2+4": "1.2.840.10008.1.2.4.51",
    "JPEGLossless:Non-hierarchical:Process14": "1.2.840.10008.1.2.4.57",
    "JPEGLossless:Non-hierarchical-1stOrderPrediction": "1.2.840.10008.1.2.4.70",
    "JPEGLSLossless": "1.2.840.10008.1.2.4.80",
    "JPEGLSLossy": "1.2.840.10008.1.2.4.81",
    "JPEG2000LosslessOnly": "1.2.840.10008.1.2.4.90",
    "JPEG2000": "1.2.840.10008.1.2.4.91",
    "MPEG2MainProfile@MainLevel": "1.2.840.10008.1.2.4.100",
}
"""What DCMTK calls transfer syntaxes, where PS3.6 has another keyword."""


class DumpError(Exception):
    """A text that is no dump.

    Parameters
    ----------
    line, column : int
        Where, from 1 on.
    what : str
        What is wrong there, and what to type.
    """

    def __init__(self, line: int, column: int, what: str) -> None:
        super().__init__(f"line {line}, column {column}: {what}")
        self.line, self.column = line, column


class Made(NamedTuple):
    """What a text says.

    Attributes
    ----------
    meta : dict
        Values of the file meta information by element number, as text.
    data : bytes
        The data set in Explicit VR Little Endian, compressed pixel data included.
    is_compressed, has_pixels : bool
        Whether it has such, and whether it has pixel data at all.
    assumed : str
        The character set that the text has to be written in, when it says none; else empty.
    """

    meta: dict[int, str]
    data: bytes
    is_compressed: bool
    has_pixels: bool
    assumed: str


@dataclass
class _Element:
    """An element: a value, or items, or the fragments of pixel data."""

    vr: str
    value: str | bytes = b""
    items: list[_Items] | None = None
    fragments: list[bytes] | None = None
    undefined: bool = False
    at: tuple[int, int] = (0, 0)


@dataclass
class _Items:
    """The elements of a data set or of an item, by tag."""

    elements: dict[int, _Element] = field(default_factory=dict)
    undefined: bool = False


def read_dump(
    text: bytes,
    folder: Path | None = None,
    undefined: bool | None = None,
    uids: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Made:
    """Read a text.

    Parameters
    ----------
    text : bytes
        The lines, in UTF-8; other ones are taken for values as they are in a file, which is what
        dcmdump shows without +U8.
    folder : Path, optional
        Where files are that binary values are taken from (`OW =file`).
    undefined : bool, optional
        Whether sequences and items are encoded with undefined length; None does what the text says.
    uids : mapping of str to str, optional
        Values that elements of the data set get, by keyword, when they have none.
    overwrite : bool
        Whether they get them anyway.

    Raises
    ------
    DumpError
        When it is none.
    """
    text = text.removeprefix(b"\xef\xbb\xbf")
    as_stored = not _is_utf8(text)
    lines = text.decode("latin-1" if as_stored else "utf-8").split("\n")
    reader = _Reader(lines, folder or Path())
    top = reader.read()
    for keyword, uid in (uids or {}).items():
        _set(top, key(keyword).steps, uid, (0, 0), unless=not overwrite)
    meta = {
        tag & 0xFFFF: _shown(element)
        for tag, element in top.elements.items()
        if tag >> 16 == FILE_META
    }
    data = {tag: each for tag, each in top.elements.items() if tag >> 16 != FILE_META}
    assumed = ""
    if not as_stored and CHARACTER_SET not in data and not all(map(str.isascii, _texts(data))):
        assumed = UTF8
        data[CHARACTER_SET] = _Element("CS", UTF8)
    pixels = data.get(PIXEL_DATA)
    encoded = _Encoder(undefined, as_stored).elements(_Items(data), DEFAULT_ENCODINGS)
    compressed = pixels is not None and pixels.fragments is not None
    return Made(meta, encoded, compressed, pixels is not None, assumed)


def read_either(path: str) -> Dataset:
    """Read a DICOM file, or a text where the name ends so.

    Raises
    ------
    WrongUse
        When it cannot be read.
    """
    if not path.endswith(TEXTS):
        return read(path)
    try:
        made = read_dump(Path(path).read_bytes(), Path(path).parent)
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from error
    except DumpError as error:
        raise WrongUse(f"{path}, {error}") from error
    return decode(made.data, EXPLICIT_VR_LITTLE_ENDIAN)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(element: _Element) -> str:
    value = element.value
    return value.strip() if isinstance(value, str) else value.hex()


def _texts(elements: dict[int, _Element]) -> Iterator[str]:
    for element in elements.values():
        if isinstance(element.value, str) and element.vr in IN_CHARACTER_SET:
            yield element.value
        for item in element.items or ():
            yield from _texts(item.elements)


# -- lines into elements -----------------------------------------------------------------------


class _Reader:
    """Goes through the lines."""

    def __init__(self, lines: Sequence[str], folder: Path) -> None:
        self._lines = lines
        self._folder = folder
        self._at = 0
        # the data set, then in turn a sequence or pixel data that is open, and its open item
        self._open: list[_Items | _Element] = [_Items()]

    def read(self) -> _Items:
        """Read all; return the data set."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            self._line(line)
        if missing := self._awaited():
            raise self._wrong(
                1, f"the text ends inside a sequence: {tag_text(missing)} na is missing"
            )
        top = self._open[0]
        assert isinstance(top, _Items)
        return top

    def _wrong(self, column: int, what: str) -> DumpError:
        return DumpError(self._at, column, what)

    def _line(self, line: str) -> None:
        found = _LINE.match(line)
        if found is None:
            if _KEY.match(line) and len(self._open) == 1:
                self._key(line)
                return
            raise self._wrong(
                len(line) - len(line.lstrip()) + 1,
                "here is no element: write (0010,0010) PN [Name], or PatientName=Name",
            )
        tag = int(found[1], 16) << 16 | int(found[2], 16)
        end = found.end()
        vr = ""
        if (named := _VR.match(line, end)) and self._is_vr(named[1], line[named.end() :]):
            vr, end = _VRS_OF_DCMTK.get(named[1], named[1]), named.end()
            if vr not in _VRS and tag >> 16 != 0xFFFE:
                raise self._wrong(found.end() + 1, f"{vr} is no VR (PS3.5 6.2)")
        if tag >> 16 == 0xFFFE:
            self._delimiter(tag, line, end)
        else:
            self._element(tag, vr, line, end)

    def _is_vr(self, name: str, rest: str) -> bool:
        known = name in _VRS or name in _VRS_OF_DCMTK or name in ("na", "pi")
        return known or rest.lstrip().startswith(("[", "(", "="))

    def _key(self, line: str) -> None:
        top = self._open[0]
        assert isinstance(top, _Items)
        try:
            one = key(line.strip())
            _set(top, one.steps, _typed(one.steps[-1].vr, one.value), (self._at, 1))
        except WrongUse as error:
            raise self._wrong(1, str(error).removeprefix("-k ")) from error
        except ValueError as error:
            raise self._wrong(line.index("=") + 2, str(error)) from error

    def _delimiter(self, tag: int, line: str, end: int) -> None:
        inner = self._open[-1]
        rest = line[end:]
        if tag == ITEM and isinstance(inner, _Element):
            if inner.fragments is not None:
                inner.fragments.append(self._fragment(rest, end + 1))
            else:
                assert inner.items is not None
                inner.items.append(_Items(undefined="undefined" in rest.partition("#")[0]))
                self._open.append(inner.items[-1])
        elif tag == self._awaited():
            self._open.pop()
        else:
            raise self._wrong(1, f"{line.strip()[:11]} does not belong here: no sequence is open")

    def _awaited(self) -> int:
        """The tag that ends what is open; 0 when nothing is."""
        if isinstance(self._open[-1], _Element):
            return SEQUENCE_END
        return ITEM_END if len(self._open) > 1 else 0

    def _fragment(self, rest: str, column: int) -> bytes:
        value = self._value("pi", rest, column)
        assert isinstance(value, bytes)
        return value

    def _element(self, tag: int, vr: str, line: str, end: int) -> None:
        items = self._open[-1]
        if not isinstance(items, _Items):
            raise self._wrong(1, "between items of a sequence: (fffe,e000) na is missing")
        rest, column = line[end:], end + 1
        vr = vr or vr_of(tag, 0, Level()).decode()
        if tag >> 16 in (0, 1, 3, 5, 7, 0xFFFF) or (tag >> 16 == FILE_META and len(self._open) > 1):
            raise self._wrong(1, f"group {tag >> 16:04X} does not belong into a file")
        if tag in items.elements:
            raise self._wrong(1, f"{line.strip()[:11]} stands here twice")
        at = self._at, column
        if vr == "SQ" or rest.startswith("(Sequence"):
            undefined = "undefined" in rest.partition("#")[0]
            if len(self._open) > 2 * MAX_DEPTH:
                raise self._wrong(1, f"sequences are nested more than {MAX_DEPTH} deep")
            element = _Element("SQ", items=[], undefined=undefined, at=at)
            self._open.append(element)
        elif rest.startswith("(PixelSequence"):
            element = _Element(vr, fragments=[], undefined=True, at=at)
            self._open.append(element)
        else:
            element = _Element(vr, self._value(vr, rest, column), at=at)
        if tag & 0xFFFF or tag >> 16 == FILE_META:  # group lengths are retired, PS3.5 7.2
            items.elements[tag] = element

    def _value(self, vr: str, rest: str, column: int) -> str | bytes:
        text = self._text(rest, column)
        if vr in BYTE_WORDS and text.startswith("="):
            return self._from_file(text[1:].strip(), column)
        if vr == "UI" and rest.startswith("="):
            return self._uid(text[1:], column)
        try:
            return _typed(vr, text)
        except (ValueError, struct.error, OverflowError) as error:
            raise self._wrong(column, str(error)) from error

    def _text(self, rest: str, column: int) -> str:
        """Return a value without brackets and comment."""
        if rest.startswith(NOTHING):
            return ""
        if rest.startswith("["):
            return self._bracketed(rest, column)
        text = rest.partition("#")[0].strip()
        if _CUT.fullmatch(rest) or text in ("(not loaded)", "(no value)"):
            raise self._wrong(column, "the value was cut when it was shown: dump it with +L")
        if text.startswith("(") and not _TAG.match(text):
            raise self._wrong(column, f"{text} is no value")
        return text

    def _bracketed(self, rest: str, column: int) -> str:
        begin = self._at
        while True:
            for form in _BRACKETS:
                if found := form.fullmatch(rest):
                    return found[1]
            if _CUT.fullmatch(rest):
                raise self._wrong(column, "the value was cut when it was shown: dump it with +L")
            # dcmdump shows a text of several lines as such
            if self._at == len(self._lines) or _LINE.match(self._lines[self._at]):
                raise DumpError(begin, column, "the bracket is not closed: ] is missing")
            rest += f"\n{self._lines[self._at]}"
            self._at += 1

    def _uid(self, name: str, column: int) -> str:
        uid = _uids().get(_squeezed(name))
        if uid is None:
            raise self._wrong(column, f"{name} is no name of a UID: write the UID, as in [1.2.3]")
        return uid

    def _from_file(self, name: str, column: int) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise self._wrong(column, f"{name} cannot be read: {error.strerror}") from error
        except ValueError as error:  # NUL, or what the file system's encoding lacks
            raise self._wrong(column, f"{name!r} is no name of a file") from error


def _set(
    top: _Items,
    steps: Sequence[Step],
    value: str | bytes,
    at: tuple[int, int],
    unless: bool = False,
) -> None:
    """Put a value at the end of a way; the items on it are made."""
    place = top
    *before, last = steps
    for step in [*before, *([last] if last.item is not None else [])]:
        element = place.elements.setdefault(step.tag, _Element("SQ", items=[], at=at))
        items = element.items
        if items is None:
            raise ValueError(f"{step.text} is no sequence")
        while len(items) <= (step.item or 0):
            items.append(_Items())
        place = items[step.item or 0]
    if last.item is not None:
        return
    if last.vr == "SQ":
        if value:
            raise ValueError(f"{last.text} is a sequence: write {last.text}[0].Key=X")
        place.elements.setdefault(last.tag, _Element("SQ", items=[], at=at))
    elif not (unless and last.tag in place.elements and place.elements[last.tag].value):
        place.elements[last.tag] = _Element(last.vr, value, at=at)


def _squeezed(name: str) -> str:
    name = name.strip().removeprefix("RETIRED_").removeprefix("DRAFT_")  # as DCMTK says it
    return "".join(each for each in name if each.isalnum()).lower()


@cache
def _uids() -> dict[str, str]:
    """UIDs by keyword and by name, in small letters, and by what DCMTK calls them."""
    from pydicom._uid_dict import UID_dictionary

    found = {_squeezed(name): uid for uid, name in NAMES.items()}
    found |= {_squeezed(row[-1]): uid for uid, row in UID_dictionary.items() if row[-1]}
    return found | {_squeezed(name): uid for name, uid in _NAMES_OF_DCMTK.items()}


# -- values ------------------------------------------------------------------------------------


def _typed(vr: str, text: str) -> str | bytes:
    """Return what a text says for a VR: text, or bytes in little endian.

    Raises
    ------
    ValueError
        When it says nothing for it.
    """
    if not text:
        return b""
    if vr in BYTE_WORDS or vr == "pi":
        return _hexadecimal(vr, text)
    if vr == "AT":
        return b"".join(_tag(each) for each in text.split("\\"))
    if vr in NUMBERS:
        return b"".join(_number(vr, each) for each in text.split("\\"))
    return text.translate(_PICTURES)


def _hexadecimal(vr: str, text: str) -> bytes:
    size = BYTE_WORDS.get(vr, 1)
    words = text.split("\\")
    if any(len(word) != len(words[0]) for word in words) or len(words[0]) not in (2, 2 * size):
        raise ValueError(f"{vr} has {2 * size} digits between backslashes, as in {'0' * 2 * size}")
    try:
        if size == 1 or len(words[0]) == 2:
            return bytes.fromhex("".join(words))
        return b"".join(bytes.fromhex(word)[::-1] for word in words)
    except ValueError:
        raise ValueError(f"{vr} has hexadecimal digits only") from None


def _tag(text: str) -> bytes:
    found = _TAG.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no tag: write (0010,0010)")
    return struct.pack("<HH", int(found[1], 16), int(found[2], 16))


def _number(vr: str, text: str) -> bytes:
    letter = NUMBERS[vr]
    convert: Callable[[str], float] = float if letter in "fd" else int
    try:
        return struct.pack(f"<{letter}", convert(text))
    except (ValueError, struct.error, OverflowError):
        raise ValueError(f"{text!r} is no number of VR {vr}") from None


# -- elements into bytes -----------------------------------------------------------------------


class _Encoder:
    """Encodes in Explicit VR Little Endian.

    Parameters
    ----------
    undefined : bool or None
        See `read_dump`.
    as_stored : bool
        Whether a letter of a text stands for a byte.
    """

    def __init__(self, undefined: bool | None, as_stored: bool) -> None:
        self._undefined = undefined
        self._as_stored = as_stored

    def elements(self, items: _Items, encodings: Sequence[str]) -> bytes:
        """Return the bytes of a data set or item."""
        if CHARACTER_SET in items.elements:
            encodings = encodings_of(_shown(items.elements[CHARACTER_SET]).encode())
        return b"".join(
            self._element(tag, items.elements[tag], encodings) for tag in sorted(items.elements)
        )

    def _element(self, tag: int, element: _Element, encodings: Sequence[str]) -> bytes:
        if element.items is not None:
            return self._sequence(tag, element, encodings)
        if element.fragments is not None:
            parts = [_item(_even(each, "pi"), False) for each in element.fragments]
            return _header(tag, element, UNDEFINED) + b"".join(parts) + _end(SEQUENCE_END)
        value = element.value
        if isinstance(value, str):
            value = _encoded(value, element, () if self._as_stored else encodings)
        value = _even(value, element.vr)
        return _header(tag, element, len(value)) + value

    def _sequence(self, tag: int, element: _Element, encodings: Sequence[str]) -> bytes:
        parts = [
            _item(self.elements(each, encodings), self._is_undefined(each.undefined))
            for each in element.items or ()
        ]
        data = b"".join(parts)
        if self._is_undefined(element.undefined):
            return _header(tag, element, UNDEFINED) + data + _end(SEQUENCE_END)
        return _header(tag, element, len(data)) + data

    def _is_undefined(self, said: bool) -> bool:
        return said if self._undefined is None else self._undefined


def _header(tag: int, element: _Element, length: int) -> bytes:
    vr = element.vr.encode()
    if vr in LONG_VRS:
        return LITTLE.short.pack(tag >> 16, tag & 0xFFFF, vr, 0) + LITTLE.long.pack(length)
    if length > _MOST_SHORT:
        raise DumpError(*element.at, f"{element.vr} takes {_MOST_SHORT} bytes, not {length}")
    return LITTLE.short.pack(tag >> 16, tag & 0xFFFF, vr, length)


def _item(data: bytes, undefined: bool) -> bytes:
    if undefined:
        return LITTLE.tag.pack(0xFFFE, ITEM & 0xFFFF, UNDEFINED) + data + _end(ITEM_END)
    return LITTLE.tag.pack(0xFFFE, ITEM & 0xFFFF, len(data)) + data


def _end(tag: int) -> bytes:
    return LITTLE.tag.pack(tag >> 16, tag & 0xFFFF, 0)


def _even(value: bytes, vr: str) -> bytes:
    return value + (b"\0" if vr in _NULS else b" ") * (len(value) % 2)


def _encoded(text: str, element: _Element, encodings: Sequence[str]) -> bytes:
    """Return a text in the character set of its data set (PS3.3 C.12.1.1.2)."""
    from pydicom.charset import encode_string
    from pydicom.valuerep import PersonName

    vr = element.vr
    try:
        if vr not in IN_CHARACTER_SET or text.isascii() or not encodings:
            return text.encode("latin-1")
        if vr == "PN":
            names = (PersonName(each) for each in text.split("\\"))
            value = b"\\".join(name.encode(encodings) for name in names)
        else:
            value = encode_string(text, encodings)
        if decoded(value, vr, encodings) == text:
            return value
    except PYDICOM_ERRORS:
        pass
    what = (
        "has letters that the character set (0008,0005) lacks: give it (0008,0005) CS [ISO_IR 192]"
    )
    raise DumpError(*element.at, f"the value {what}")
