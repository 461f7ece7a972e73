"""Values of elements into text that is kept, and text into what is compared (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from struct import unpack

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.valuerep import PersonName

from dicomwire.archive.attributes import LONGEST
from dicomwire.dataset.codec import PYDICOM_ERRORS

DEFAULT_ENCODINGS = ("iso8859",)
_IN_CHARACTER_SET = ("LO", "LT", "PN", "SH", "ST", "UC", "UT")
ONE_VALUE = ("LT", "ST", "UT")
"""VRs in which a backslash is a character like others (PS3.5 6.2)."""
_DELIMITERS = set(b"\r\n\t\f\\")  # after one, PS3.5 6.1.2.5.3 goes back to the first set
_SPECIAL = re.compile(rb"[\\=\x1b]")  # values, groups of a name, escape sequences
_MOST_CHARACTER_SETS = 64  # combinations of them that are known again
_MOST_VALUES = 16
"""Values that are kept of one element."""


@lru_cache(_MOST_CHARACTER_SETS)
def encodings_of(specific_character_set: bytes) -> Sequence[str]:
    """Return pydicom's names for the value of Specific Character Set (PS3.3 C.12.1.1.2).

    One that is unknown counts as the default repertoire.
    """
    if not specific_character_set:
        return DEFAULT_ENCODINGS
    names = [name.strip() for name in specific_character_set.decode("latin-1").split("\\")]
    try:
        return tuple(convert_encodings([name.strip("\0") for name in names]))
    except PYDICOM_ERRORS:
        return DEFAULT_ENCODINGS


def texts(value: bytes, vr: str, encodings: Sequence[str], little: bool = True) -> list[str]:
    """Return the values of an element as text, without padding; never raises.

    Parameters
    ----------
    value : bytes
        As it is encoded.
    vr : str
        Its value representation.
    encodings : sequence of str
        What `encodings_of` said.
    little : bool
        The byte order of numbers.
    """
    if vr == "US":
        count = len(value) // 2
        return [
            str(each) for each in unpack(f"{'<' if little else '>'}{count}H", value[: count * 2])
        ]
    if value.isascii() and not _SPECIAL.search(value):  # what nearly all of it is
        text = value.decode().replace("\0", "")
        text = text.rstrip(" ") if vr in ONE_VALUE else text.strip(" ")
        return [text] if text else []
    text = _decoded(value, vr, encodings)
    values = [text] if vr in ONE_VALUE else text.split("\\")
    found = [_cleaned(each, vr) for each in values]
    return found if any(found) else []


def _decoded(value: bytes, vr: str, encodings: Sequence[str]) -> str:
    if vr not in _IN_CHARACTER_SET:
        return value.decode("latin-1")
    try:
        if vr == "PN":
            return "\\".join(
                str(PersonName(each, encodings).decode(encodings))
                for each in _split(value, encodings)
            )
        return decode_bytes(value, encodings, _DELIMITERS)
    except PYDICOM_ERRORS:
        return value.decode("utf-8", "replace")


def _split(value: bytes, encodings: Sequence[str]) -> list[bytes]:
    """Split person names; in GBK and the like 5CH may be the second byte of a character."""
    if b"\\" not in value or encodings[0] not in ("GB18030", "GBK", "GB2312", "shift_jis"):
        return value.split(b"\\")
    first = encodings[0]
    return [each.encode(first, "replace") for each in value.decode(first, "replace").split("\\")]


def _cleaned(text: str, vr: str) -> str:
    """Take padding away, and what no value has; leave a lone surrogate to nobody."""
    text = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return text.rstrip(" ") if vr in ONE_VALUE else text.strip(" ")


def kept(values: Sequence[str], vr: str) -> str:
    """Return values as the index keeps them: as long as the VR allows, a backslash between.

    Dates and times lose separators of old, whole numbers signs and leading zeros: so equal ones
    are equal as text.
    """
    longest = LONGEST.get(vr, 64)
    if len(values) == 1:
        return canonical(values[0], vr)[:longest]
    return "\\".join(canonical(each, vr)[:longest] for each in values[:_MOST_VALUES])


def canonical(text: str, vr: str) -> str:
    """Return a value in the one spelling that is compared."""
    if vr == "DA":
        return text.replace(".", "")  # PS3.5 6.2: ACR-NEMA wrote yyyy.mm.dd
    if vr == "TM":
        return text.replace(":", "")
    if vr in ("IS", "US") and text.lstrip("+-").isascii() and text.lstrip("+-").isdigit():
        return str(int(text[:32])) if text.count("-") + text.count("+") < 2 else text
    return text


def name_groups(name: str) -> list[str]:
    """Return the component groups of a person name, without empty components at the end."""
    groups = ("^".join(part.strip(" ") for part in each.split("^")) for each in name.split("="))
    return [group for each in groups if (group := each.rstrip("^ "))]


def folded(text: str) -> str:
    """Return a text without the difference of capital and small letters (PS3.4 C.2.2.2.1)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def plain(text: str) -> str:
    """Return a text without accents, widths and case: what "fuzzy" matching compares."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", bare.casefold())
