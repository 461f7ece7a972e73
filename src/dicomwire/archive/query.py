"""A level, keys and an information model into SQL, and its rows into the elements of answers.

Pure functions: C-FIND, C-GET and C-MOVE ask with the keys of an identifier, and whoever else has
keys may ask too (PS3.4 C.4, C.6).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from struct import Struct, pack
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.archive.attributes import (
    BY_KEYWORD,
    BY_TAG,
    TABLES,
    UNIQUE_KEYS,
    Attribute,
    Level,
)
from dicomwire.archive.matching import (
    Condition,
    condition,
    date_and_time,
    every,
    has_wild_card,
    is_universal,
)
from dicomwire.archive.scan import Keys
from dicomwire.archive.text import ONE_VALUE

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Model = tuple[Level, ...]
"""The levels of an information model."""
PATIENT_ROOT: Model = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE)
STUDY_ROOT: Model = (Level.STUDY, Level.SERIES, Level.IMAGE)
PATIENT_STUDY_ONLY: Model = (Level.PATIENT, Level.STUDY)

DOES_NOT_MATCH = 0xA900  # PS3.4 Tables C.4-1 to C.4-3: identifier does not match SOP class

CHARACTER_SET, LEVEL = 0x00080005, 0x00080052
RETRIEVE_AE_TITLE, AVAILABILITY, TIME_ZONE = 0x00080054, 0x00080056, 0x00080201
_ABOUT_THE_ANSWER = (CHARACTER_SET, LEVEL, RETRIEVE_AE_TITLE, AVAILABILITY, TIME_ZONE)

WANTED = {
    **BY_TAG,
    LEVEL: Attribute(Level.PATIENT, LEVEL, "QueryRetrieveLevel", "CS"),
}
"""What is read of an identifier."""

_TIMES = {
    "StudyDate": "StudyTime",
    "SeriesDate": "SeriesTime",
    "PatientBirthDate": "PatientBirthTime",
    "PerformedProcedureStepStartDate": "PerformedProcedureStepStartTime",
    "AcquisitionDate": "AcquisitionTime",
    "ContentDate": "ContentTime",
}
"""Dates and times that a range may span together."""

Found = list[tuple[int, str, Any]]
"""Tag, VR and value of the elements of an answer, in their order; of a sequence, a list of such."""


class Refused(Exception):
    """The keys cannot be served.

    Attributes
    ----------
    status : int
        What to answer.
    """

    def __init__(self, comment: str, status: int = DOES_NOT_MATCH) -> None:
        super().__init__(comment)
        self.status = status


class Agreed(NamedTuple):
    """What was agreed on in SOP class extended negotiation (PS3.4 C.5.1.1)."""

    relational: bool = False
    date_and_time: bool = False
    fuzzy: bool = False


NOTHING_AGREED = Agreed()


class Query(NamedTuple):
    """What to ask the index.

    Attributes
    ----------
    sql : str
        A statement.
    parameters : tuple
        What its question marks stand for.
    level : Level
        One row is one entity of this level.
    columns : tuple of (Attribute, keys)
        What the columns of a row are; of a sequence, what was asked for in its items.
    complete : bool
        Whether all keys are supported.
    """

    sql: str
    parameters: tuple[Any, ...]
    level: Level
    columns: tuple[tuple[Attribute, Keys | None], ...] = ()
    complete: bool = True


def level_of(keys: Keys, model: Model) -> Level:
    """Return the level that keys are about.

    Raises
    ------
    Refused
        When there is none, or the model has it not.
    """
    name = (keys.get(LEVEL) or [""])[0]
    for level in model:
        if level.name == name:
            return level
    if not name:
        raise Refused("QueryRetrieveLevel (0008,0052) is missing")
    raise Refused(f"no QueryRetrieveLevel of this model: {name}"[:64])


def find(keys: Keys, model: Model, agreed: Agreed = NOTHING_AGREED) -> Query:
    """Return what finds the entities that match.

    Parameters
    ----------
    keys : dict
        Elements by tag, see `scan.keys`.
    model : Model
        The information model.
    agreed : Agreed
        What was negotiated.

    Raises
    ------
    Refused
        When the level is none, or a unique key above it is missing (PS3.4 C.4.1.3.1.1).
    """
    level = level_of(keys, model)
    if not agreed.relational:
        for above in model[: model.index(level)]:
            _single(keys, above)
    rows = [BY_TAG[tag] for tag in sorted(keys) if tag in BY_TAG]
    asked = [row for row in rows if row.level <= level]
    below = [row for row in rows if row.level > level] if agreed.relational else []
    complete = len(asked) == len([t for t in keys if t not in _ABOUT_THE_ANSWER and t & 0xFFFF])
    conditions = _conditions(asked, keys, agreed)
    inner = _conditions(below, keys, agreed)
    if inner:
        conditions.append(_exists(level, max(row.level for row in below), inner))
    columns = ", ".join(_column(row) for row in asked) or "1"
    where = every(conditions) if conditions else Condition("1")
    return Query(
        f"SELECT {columns} FROM {_tables(level)} WHERE {where.sql}",
        where.parameters,
        level,
        tuple((row, _items_asked(row, keys)) for row in asked),
        complete,
    )


def retrieve(keys: Keys, model: Model, agreed: Agreed = NOTHING_AGREED) -> Query:
    """Return what finds the instances to send (PS3.4 C.4.2.2.1, C.4.3.2.1).

    The columns are file, SOP Class UID, SOP Instance UID, transfer syntax, and where in the file
    the data set begins, and its length.

    Raises
    ------
    Refused
        When the level is none, or a unique key is missing or not a single value: nobody gets the
        whole archive by leaving a key out.
    """
    level = level_of(keys, model)
    conditions = []
    for each in model[: model.index(level) + 1]:
        keyword = UNIQUE_KEYS[each]
        row = BY_KEYWORD[keyword]
        values = keys.get(row.tag) or []
        if each is not level and not (agreed.relational and not values):
            _single(keys, each)
        if each is level and (is_universal(values) or any(map(has_wild_card, values))):
            raise Refused(f"{keyword} needs a value, without wild cards")
        if values:
            conditions.append(condition(row, [v for v in values if v], _column(row)))
    where = every(conditions)
    return Query(
        "SELECT file, SOPClassUID, SOPInstanceUID, transfer_syntax, offset, length"
        f" FROM {_tables(Level.IMAGE)} WHERE {where.sql} ORDER BY instances.id",
        where.parameters,
        level,
    )


def _single(keys: Keys, level: Level) -> None:
    keyword = UNIQUE_KEYS[level]
    values = keys.get(BY_KEYWORD[keyword].tag) or []
    if len(values) != 1 or not values[0] or has_wild_card(values[0]):
        raise Refused(f"{keyword} needs a single value at this level")


def _tables(level: Level, top: Level = Level.PATIENT) -> str:
    """Return the tables from a level upwards, joined."""
    sql = TABLES[level]
    for each in range(level, top, -1):
        below, above = TABLES[Level(each)], TABLES[Level(each - 1)]
        sql += f" JOIN {above} ON {below}.parent = {above}.id"
    return sql


def _exists(level: Level, lowest: Level, inner: Sequence[Condition]) -> Condition:
    """Return the condition that an entity has one below it that matches."""
    below = TABLES[Level(level + 1)]
    where = every(inner)
    return Condition(
        f"EXISTS (SELECT 1 FROM {_tables(lowest, Level(level + 1))}"
        f" WHERE {below}.parent = {TABLES[level]}.id AND {where.sql})",
        where.parameters,
    )


def _column(row: Attribute) -> str:
    if not row.computed:
        return f"{TABLES[row.level]}.{row.keyword}"
    if row.vr == "IS":
        return f"({row.computed})"
    return f"(SELECT group_concat(value, char(92)) FROM ({row.computed}))"


def _conditions(rows: Sequence[Attribute], keys: Keys, agreed: Agreed) -> list[Condition]:
    found, done = [], set()
    if agreed.date_and_time:
        for row in rows:
            if pair := _ranges(row, keys):
                time = BY_KEYWORD[_TIMES[row.keyword]]
                found.append(date_and_time(*pair, _column(row), _column(time)))
                done |= {row.tag, time.tag}
    left = (_condition(row, keys[row.tag], agreed.fuzzy) for row in rows if row.tag not in done)
    return [*found, *(each for each in left if each is not None)]


def _ranges(row: Attribute, keys: Keys) -> tuple[str, str] | None:
    """Return the ranges of a date and its time, when both keys are such."""
    keyword = _TIMES.get(row.keyword)
    if keyword is None:
        return None
    dates, times = keys[row.tag], keys.get(BY_KEYWORD[keyword].tag, [])
    if len(dates) != 1 or len(times) != 1 or not ("-" in dates[0] and "-" in times[0]):
        return None
    return dates[0], times[0]


def _condition(row: Attribute, values: Sequence[Any], fuzzy: bool) -> Condition | None:
    """Return the condition of one key, None when it matches everything."""
    if row.vr == "SQ":
        return _of_items(row, values)
    if is_universal(values):
        return None
    if row.vr == "PN":
        return condition(row, values, f"{TABLES[row.level]}.id", fuzzy)
    if row.computed and row.vr != "IS":
        one = condition(row, values, "value")
        return Condition(f"EXISTS (SELECT 1 FROM ({row.computed}) WHERE {one.sql})", one.parameters)
    if row.computed:
        return condition(row, values, f"CAST({_column(row)} AS TEXT)")
    return condition(row, values, _column(row))


def _of_items(row: Attribute, items: Sequence[Keys]) -> Condition | None:
    """Return the condition that an item of a sequence matches (PS3.4 C.2.2.2.6)."""
    asked = items[0] if items else {}
    found = [
        condition(
            inner, asked[inner.tag], f"coalesce(json_extract(item.value, '$.{inner.keyword}'), '')"
        )
        for inner in row.items
        if not is_universal(asked.get(inner.tag, ()))
    ]
    if not found:
        return None
    where, column = every(found), _column(row)
    return Condition(
        f"EXISTS (SELECT 1 FROM json_each(CASE {column} WHEN '' THEN '[]' ELSE {column} END)"
        f" AS item WHERE {where.sql})",
        where.parameters,
    )


def _items_asked(row: Attribute, keys: Keys) -> Keys | None:
    items = keys[row.tag] if row.vr == "SQ" else None
    return items[0] if items else None


# -- answers -----------------------------------------------------------------------------------


def answer(query: Query, row: Sequence[Any], title: str) -> Found:
    """Return the elements of the identifier that answers with a row (PS3.4 C.4.1.1.3.2).

    Parameters
    ----------
    query : Query
        What was asked.
    row : sequence
        What the index found.
    title : str
        The AE title to retrieve from.
    """
    found: Found = [
        (LEVEL, "CS", query.level.name),
        (RETRIEVE_AE_TITLE, "AE", title),
        (AVAILABILITY, "CS", "ONLINE"),
    ]
    ascii_only = True
    for (column, asked), value in zip(query.columns, row, strict=False):
        text = "" if value is None else str(value)
        ascii_only = ascii_only and text.isascii()
        if column.vr == "SQ":
            found.append((column.tag, "SQ", list(_items(column, asked, text))))
        else:
            found.append((column.tag, column.vr, text))
    if not ascii_only:
        found.append((CHARACTER_SET, "CS", "ISO_IR 192"))
    found.sort(key=lambda each: each[0])
    return found


def _items(row: Attribute, asked: Keys | None, text: str) -> Iterator[Found]:
    for item in json.loads(text) if text else ():
        yield [
            (each.tag, each.vr, item.get(each.keyword, ""))
            for each in sorted(row.items)
            if asked is None or each.tag in asked
        ]


_SHORT = Struct("<HH2sH").pack  # PS3.5 Table 7.1-2; every VR of the index but SQ has it
_LONG = Struct("<HH2sxxL").pack  # PS3.5 Table 7.1-1
_IMPLICIT = Struct("<HHL").pack  # PS3.5 Table 7.1-3
_ITEM = b"\xfe\xff\x00\xe0"


def as_bytes(found: Found, implicit: bool) -> bytes:
    """Return elements as they are encoded in little endian, with implicit or explicit VRs.

    Text is in UTF-8, of which ASCII is a part: `answer` says so where it has to.
    """
    parts = []
    for tag, vr, value in found:
        encoded = _encoded(vr, value, implicit)
        if len(encoded) & 1:
            encoded += b"\0" if vr == "UI" else b" "
        if implicit:
            parts.append(_IMPLICIT(tag >> 16, tag & 0xFFFF, len(encoded)))
        else:
            layout = _LONG if vr == "SQ" else _SHORT
            parts.append(layout(tag >> 16, tag & 0xFFFF, vr.encode(), len(encoded)))
        parts.append(encoded)
    return b"".join(parts)


def _encoded(vr: str, value: Any, implicit: bool) -> bytes:
    if vr == "SQ":
        items = [as_bytes(item, implicit) for item in value]
        return b"".join(_ITEM + pack("<L", len(item)) + item for item in items)
    if vr == "US":
        numbers = [int(each) for each in value.split("\\") if each.isdigit()]
        return pack(f"<{len(numbers)}H", *numbers)
    encoded: bytes = value.encode()
    return encoded


def as_dataset(found: Found) -> Dataset:
    """Return elements as a data set, ready to be encoded."""
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    ds = Dataset()
    for tag, vr, value in found:
        if vr == "SQ":
            ds.add_new(tag, vr, [as_dataset(item) for item in value])
        else:
            ds[tag] = DataElement(tag, vr, _value(vr, value), already_converted=True)
    return ds


def _value(vr: str, text: str) -> Any:
    if vr == "US":
        values = [int(each) for each in text.split("\\") if each.isdigit()]
        return values[0] if len(values) == 1 else values
    if vr == "PN":
        from pydicom.valuerep import PersonName

        names = [PersonName(each) for each in text.split("\\")]
        return names[0] if len(names) == 1 else names
    return text.split("\\") if "\\" in text and vr not in ONE_VALUE else text
