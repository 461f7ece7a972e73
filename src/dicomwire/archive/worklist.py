"""An identifier and data sets into those that match it, and into what answers (PS3.4 C.2.2.2, K.4).

What matches is said once, in `matching`, as SQL: here the values that are asked about go into a
database in memory, which lasts for one question.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dicomwire.archive.attributes import Attribute, Level
from dicomwire.archive.matching import Condition, condition, date_and_time, every, is_universal
from dicomwire.archive.text import canonical, folded, name_groups, plain
from dicomwire.dataset.codec import PYDICOM_ERRORS

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

UTF8 = "ISO_IR 192"
# They say how to answer, and are not matched: Specific Character Set, Query/Retrieve Level,
# Timezone Offset From UTC
_ABOUT_THE_ANSWER = (0x00080005, 0x00080052, 0x00080201)
_START_DATE, _START_TIME = 0x00400002, 0x00400003
"""Ranges of both are one range of moments (PS3.4 Table K.6-1)."""

_TABLES = """
    CREATE TABLE items (id INTEGER PRIMARY KEY);
    CREATE TABLE held (item INTEGER, tag INTEGER, value TEXT);
    CREATE INDEX held_by ON held (item, tag);
    CREATE TABLE names (entity INTEGER, keyword TEXT, folded TEXT, plain TEXT);
"""


def matching(identifier: Dataset, items: Sequence[Dataset], fuzzy: bool = False) -> list[int]:
    """Return which of some data sets match, by their number.

    Parameters
    ----------
    identifier : Dataset
        The keys.
    items : sequence of Dataset
        What is asked about.
    fuzzy : bool
        Whether person names are compared without accents.
    """
    keys = _keys(identifier)
    found = _by_values(keys, items, fuzzy) if keys else list(range(len(items)))
    for element in identifier:
        if element.VR != "SQ" or not element.value or not _asks(element.value[0]):
            continue
        pairs = [(number, inner) for number in found for inner in _items(items[number], element)]
        inside = matching(element.value[0], [inner for _, inner in pairs], fuzzy)
        found = list(dict.fromkeys(pairs[number][0] for number in inside))
    return found


def _keys(identifier: Dataset) -> dict[int, tuple[str, list[str]]]:
    """Return VR and values of the keys that do not match everything."""
    found = {}
    for element in identifier:
        values = _texts(element)
        if element.VR != "SQ" and element.tag not in _ABOUT_THE_ANSWER and not is_universal(values):
            found[int(element.tag)] = element.VR, values
    return found


def _asks(identifier: Dataset) -> bool:
    """Whether an item of an identifier does not match everything."""
    return bool(_keys(identifier)) or any(
        element.VR == "SQ" and element.value and _asks(element.value[0]) for element in identifier
    )


def _items(ds: Dataset, sequence: DataElement) -> Iterable[Dataset]:
    element = _element(ds, sequence.tag)
    return element.value if element is not None and element.VR == "SQ" else ()


def _element(ds: Dataset, tag: int) -> DataElement | None:
    """Return an element, None when there is none or pydicom cannot read it."""
    from pydicom.errors import BytesLengthException

    try:
        return ds[tag]
    except (BytesLengthException, *PYDICOM_ERRORS):
        return None


def _texts(element: DataElement | None) -> list[str]:
    if element is None or element.VR == "SQ" or element.is_empty:
        return []
    value: Any = element.value
    if isinstance(value, bytes):
        return [value.hex()]
    return [str(each) for each in (value if element.VM > 1 else [value])]


def _by_values(
    keys: dict[int, tuple[str, list[str]]], items: Sequence[Dataset], fuzzy: bool
) -> list[int]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(_TABLES)
        database.executemany("INSERT INTO items VALUES (?)", ((n,) for n in range(len(items))))
        database.executemany("INSERT INTO held VALUES (?, ?, ?)", _held(keys, items))
        database.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", _names(keys, items))
        where = every(_conditions(keys, fuzzy))
        sql = f"SELECT id FROM items WHERE {where.sql} ORDER BY id"
        return [row[0] for row in database.execute(sql, where.parameters)]


def _held(
    keys: dict[int, tuple[str, list[str]]], items: Sequence[Dataset]
) -> Iterator[tuple[int, int, str]]:
    for number, item in enumerate(items):
        for tag, (vr, _) in keys.items():
            for value in _texts(_element(item, tag)) or [""]:
                yield number, tag, canonical(value.strip(" "), vr)


def _names(
    keys: dict[int, tuple[str, list[str]]], items: Sequence[Dataset]
) -> Iterator[tuple[int, str, str, str]]:
    for tag in (tag for tag, (vr, _) in keys.items() if vr == "PN"):
        for number, item in enumerate(items):
            for name in _texts(_element(item, tag)):
                for group in name_groups(name):
                    yield number, _name_of(tag), folded(group), plain(group)


def _name_of(tag: int) -> str:
    return f"{tag:08X}"


def _conditions(keys: dict[int, tuple[str, list[str]]], fuzzy: bool) -> Iterator[Condition]:
    left = dict(keys)
    pair = [left.get(tag, ("", [""]))[1] for tag in (_START_DATE, _START_TIME)]
    if all(len(values) == 1 and "-" in values[0] for values in pair):
        columns = [_value(tag) for tag in (_START_DATE, _START_TIME) if left.pop(tag)]
        yield date_and_time(pair[0][0], pair[1][0], *columns)
    for tag, (vr, values) in left.items():
        row = Attribute(Level.PATIENT, tag, _name_of(tag), vr)
        if vr == "PN":
            yield condition(row, values, "items.id", fuzzy)
        else:  # one of several values has to match
            one = condition(row, values, "held.value")
            yield Condition(
                "EXISTS (SELECT 1 FROM held"
                f" WHERE held.item = items.id AND held.tag = {tag} AND ({one.sql}))",
                one.parameters,
            )


def _value(tag: int) -> str:
    return f"(SELECT value FROM held WHERE item = items.id AND tag = {tag} LIMIT 1)"


def answer(identifier: Dataset, item: Dataset) -> Dataset:
    """Return the identifier that answers with a data set: what was asked for, and no more.

    Parameters
    ----------
    identifier : Dataset
        The keys.
    item : Dataset
        What matches.
    """
    found = _asked_for(identifier, item)
    found.pop(0x00080005, None)
    charset = item.get("SpecificCharacterSet")
    if not _is_ascii(found):
        found.SpecificCharacterSet = charset or UTF8
    return found


def _asked_for(identifier: Dataset, item: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    found = Dataset()
    for key in identifier:
        held = _element(item, key.tag)
        if key.VR == "SQ":
            inner = key.value[0] if key.value else None
            items = [_asked_for(inner, each) if inner else each for each in _items(item, key)]
            found.add_new(key.tag, "SQ", items)
        elif held is None or held.VR == "SQ":
            found.add_new(key.tag, key.VR, None if key.VR in ("US", "SS", "UL", "SL") else "")
        else:
            found[key.tag] = held
    return found


def _is_ascii(ds: Dataset) -> bool:
    return all(
        all(map(_is_ascii, element.value))
        if element.VR == "SQ"
        else all(map(str.isascii, _texts(element)))
        for element in ds
    )
