"""Texts like `PatientID=X` and query files into the identifiers that a query is asked with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.apps.options import WrongUse
from dicomwire.apps.output import log

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_ITEMS = 1000  # of a sequence
UTF8 = "ISO_IR 192"
FIRST_GROUP = 0x0008  # of an identifier: those below belong to command sets and files

_TAG = r"\(?(?P<group>[0-9A-Fa-f]{1,4}),(?P<element>[0-9A-Fa-f]{1,4})\)?"
_COMPONENT = re.compile(
    rf"(?:{_TAG}|(?P<both>[0-9A-Fa-f]{{8}})|(?P<keyword>[A-Za-z][A-Za-z0-9]*))"
    r"(?:\[(?P<item>[0-9]+)\])?"
)
_HOW = "give PatientID=X, 0010,0020=X or Sequence[0].Keyword=X"

_INTEGERS = frozenset(("SL", "SS", "SV", "UL", "US", "UV"))
_REALS = frozenset(("FD", "FL"))
_BYTES = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_DATE, _TIME = r"(?:\d{8}|\d{4}\.\d\d\.\d\d)", r"[\d:]{2,8}(?:\.\d{1,6})?"
# What is matched without complaint: single values and ranges (PS3.4 C.2.2.2.5), lists of UIDs.
_USUAL: dict[str, tuple[str, str]] = {
    "DA": (rf"{_DATE}|{_DATE}?-{_DATE}?", "a date as in 20260131 or 20260101-20260131"),
    "TM": (rf"{_TIME}|(?:{_TIME})?-(?:{_TIME})?", "a time as in 1330 or 1300-1430"),
    "UI": (r"[0-9.]{1,64}(?:\\[0-9.]{1,64})*", "a UID, or several with backslashes between"),
}


class Step(NamedTuple):
    """An element on the way to a key: its tag and VR, and the item of a sequence, from 0 on."""

    tag: int
    vr: str
    item: int | None
    text: str


class Key(NamedTuple):
    """A key to match or to return.

    Parameters
    ----------
    steps : tuple of Step
        The way to it; all but the last are sequences.
    value : str
        What was typed after the equals sign.
    """

    steps: tuple[Step, ...]
    value: str


def key(text: str) -> Key:
    """Read a key as pynetdicom's and DCMTK's tools do.

    Parameters
    ----------
    text : str
        `PatientID=X`, `0010,0020=X`, `(0010,0020)=X`, `Sequence[0].Keyword=X`; without a value
        the key is only returned (universal matching, PS3.4 C.2.2.2.3).

    Raises
    ------
    WrongUse
        When it is none of these.
    """
    path, _, value = text.partition("=")
    steps = way(path, f"-k {text}")
    for step in steps[:-1]:
        if step.item is None:
            raise WrongUse(f"-k {text}: which item of {step.text}? Give {step.text}[0]")
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return Key(steps, value)


def way(path: str, said: str, first_group: int = FIRST_GROUP) -> tuple[Step, ...]:
    """Read the way to an element: keywords or tags with full stops between, items in brackets.

    Parameters
    ----------
    path : str
        As in `ScheduledProcedureStepSequence[0].Modality`.
    said : str
        What was typed, option included, for what is said about it.
    first_group : int
        The lowest group that an element may be of.

    Raises
    ------
    WrongUse
        When it is none.
    """
    return tuple(_step(each, said, first_group) for each in path.strip().split("."))


def _step(text: str, said: str, first_group: int) -> Step:
    found = _COMPONENT.fullmatch(text.strip())
    if found is None:
        raise WrongUse(f"{said}: {text!r} is no tag and no keyword; {_HOW}")
    tag = _tag(found, said, first_group)
    vr = _vr(tag)
    item = None if found["item"] is None else int(found["item"])
    if item is not None and vr != "SQ":
        raise WrongUse(f"{said}: {text} is no sequence, it has no items")
    if item is not None and item >= MOST_ITEMS:
        raise WrongUse(f"{said}: items are counted from 0 to {MOST_ITEMS - 1}")
    return Step(tag, vr, item, text.strip().partition("[")[0])


def _tag(found: re.Match[str], said: str, first_group: int) -> int:
    from pydicom.datadict import tag_for_keyword

    if keyword := found["keyword"]:
        known = tag_for_keyword(keyword)
        if known is None:
            raise WrongUse(f"{said}: {keyword} is no keyword of DICOM's{_meant(keyword)}")
        tag = int(known)
    elif found["both"]:
        tag = int(found["both"], 16)
    else:
        tag = int(found["group"], 16) << 16 | int(found["element"], 16)
    if tag >> 16 < first_group or tag >> 16 == 0xFFFE:
        raise WrongUse(f"{said}: group {tag >> 16:04X} does not belong into a query")
    return tag


def _meant(keyword: str) -> str:
    from difflib import get_close_matches

    from pydicom.datadict import keyword_dict

    spelled = {each.lower(): each for each in keyword_dict}
    close = get_close_matches(keyword.lower(), spelled, 1)
    return f"; is it {spelled[close[0]]}?" if close else ""


def _vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR
    from pydicom.tag import Tag

    if Tag(tag).is_private_creator:
        return "LO"
    try:
        return dictionary_VR(tag)[:2]  # the first of "US or SS"
    except KeyError:
        return "UN"


def _value(one: Key) -> Any:
    """Return a value as pydicom wants it for the VR."""
    vr, text = one.steps[-1].vr, one.value
    if not text:
        return None if vr in _INTEGERS | _REALS | _BYTES else ""
    if vr in _INTEGERS:
        return _each(int, text)
    if vr in _REALS:
        return _each(float, text)
    if vr in _BYTES:
        return bytes.fromhex(text)
    if vr == "AT":
        return _each(lambda tag: int(tag.replace(",", "").strip("()"), 16), text)
    return text


def _each(convert: Callable[[str], Any], text: str) -> Any:
    values = [convert(each) for each in text.split("\\")]
    return values if len(values) > 1 else values[0]


def set_key(identifier: Dataset, one: Key) -> None:
    """Put a key into an identifier; the items that lead to it are made.

    Raises
    ------
    WrongUse
        When the value is none that the element can have.
    """
    place = identifier
    for step in one.steps[:-1]:
        place = _item(place, step)
    last = one.steps[-1]
    if last.vr == "SQ":
        if one.value:
            raise WrongUse(f"{last.text} is a sequence and has no value; give {last.text}[0].Key=X")
        if last.item is None:
            place.add_new(last.tag, "SQ", [])
        else:
            _item(place, last)
        return
    try:
        place.add_new(last.tag, last.vr, _value(one))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise WrongUse(
            f"{last.text} is of VR {last.vr}: {one.value!r} is no value of it"
        ) from error
    usual, words = _USUAL.get(last.vr, (".*", ""))
    if one.value and not re.fullmatch(usual, one.value, re.DOTALL):
        log.warning("%s: %r is sent, but is not %s", last.text, one.value, words)


def _item(place: Dataset, step: Step) -> Dataset:
    """Return an item of a sequence; make it, and those before it, when missing."""
    from pydicom.dataset import Dataset

    assert step.item is not None
    if step.tag not in place:
        place.add_new(step.tag, "SQ", [])
    items = place[step.tag].value
    while len(items) <= step.item:
        items.append(Dataset())
    item: Dataset = items[step.item]
    return item


def identifiers(files: Sequence[str], keys: Sequence[str]) -> list[Dataset]:
    """Return what to ask for, one after the other: each file, or nothing, and the keys upon it.

    Parameters
    ----------
    files : sequence of str
        Paths of DICOM files.
    keys : sequence of str
        See `key`; they override what a file has.

    Raises
    ------
    WrongUse
        When a file cannot be read or a key cannot be.
    """
    from pydicom.dataset import Dataset

    wanted = [key(each) for each in keys]
    made = [read(path) for path in files] or [Dataset()]
    for identifier in made:
        for one in wanted:
            set_key(identifier, one)
        if "SpecificCharacterSet" not in identifier and any(
            not one.value.isascii() for one in wanted
        ):
            identifier.SpecificCharacterSet = UTF8
        if not identifier:
            raise WrongUse(f"nothing is asked for: {_HOW.replace('give', 'give -k')}, or a file")
    return made


def read(path: str) -> Dataset:
    """Read a query file: DICOM with or without file meta information, as `make` writes it.

    Raises
    ------
    WrongUse
        When there is none, or it cannot be read.
    """
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.errors import BytesLengthException

    from dicomwire.dataset.codec import PYDICOM_ERRORS, decode
    from dicomwire.dataset.errors import DataSetError
    from dicomwire.standard.transfer_syntaxes import (
        EXPLICIT_VR_LITTLE_ENDIAN,
        IMPLICIT_VR_LITTLE_ENDIAN,
    )

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from error
    try:
        if data[128:132] == b"DICM":
            found: Dataset = dcmread(path)
        else:
            explicit = data[4:6].isalpha() and data[4:6].isupper()
            syntax = EXPLICIT_VR_LITTLE_ENDIAN if explicit else IMPLICIT_VR_LITTLE_ENDIAN
            found = decode(data, syntax)
        found.decode()  # pydicom finds out about bad values only now
        if any(not FIRST_GROUP <= element.tag.group <= 0x7FE0 for element in found):
            raise ValueError("elements that no identifier has")
    except (BytesLengthException, DataSetError, *PYDICOM_ERRORS) as error:
        text = f"{path} is no DICOM file that can be read; dicomwire make makes one out of a text"
        raise WrongUse(text) from error
    identifier = Dataset()
    identifier.update({element.tag: element for element in found})
    return identifier
