"""One key of a query into a condition in SQL, with its parameters (PS3.4 C.2.2.2).

Values are always bound. Wild cards are matched by SQLite's GLOB, which gives up on a value as soon
as one `*` cannot be satisfied and so takes time in proportion to the lengths; a pattern longer than
any kept value is not even tried.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dicomwire.archive.attributes import LONGEST, Attribute
from dicomwire.archive.text import canonical, folded, name_groups, plain

WILD_CARD_VRS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_STARS = re.compile(r"\*+")


class Condition(NamedTuple):
    """A piece of SQL that is true or false, and its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


NEVER = Condition("0")


def every(conditions: Iterable[Condition], word: str = "AND") -> Condition:
    """Return what is true when all conditions are; with "OR", when one is."""
    found = list(conditions)
    sql = f" {word} ".join(f"({each.sql})" for each in found)
    return Condition(sql, tuple(value for each in found for value in each.parameters))


def is_universal(values: Sequence[str]) -> bool:
    """Whether a key matches everything: it has no value, or nothing but `*` (PS3.4 C.2.2.2.3)."""
    return not any(value.strip("*") for value in values)


def condition(row: Attribute, values: Sequence[str], sql: str, fuzzy: bool = False) -> Condition:
    """Return the condition of a key that is not universal, nor a sequence.

    Parameters
    ----------
    row : Attribute
        What it is about.
    values : sequence of str
        Its values; one of them has to match.
    sql : str
        What is compared; for a person name the row's id.
    fuzzy : bool
        Whether person names are compared without accents too.
    """
    if row.vr == "UI":  # PS3.4 C.2.2.2.2
        return _in(sql, values)
    one = _BY_VR.get(row.vr, _text)
    if row.vr == "PN":
        return every((_name(row, value, sql, fuzzy) for value in values), "OR")
    return every((one(row, value, sql) for value in values), "OR")


def _in(sql: str, values: Sequence[str]) -> Condition:
    if len(values) == 1:
        return Condition(f"{sql} = ?", (values[0],))
    # One parameter however many there are: SQLite has a limit
    return Condition(f"{sql} IN (SELECT value FROM json_each(?))", (json.dumps(list(values)),))


def _text(row: Attribute, value: str, sql: str) -> Condition:
    if row.vr in WILD_CARD_VRS and has_wild_card(value):
        pattern = glob(value, LONGEST.get(row.vr, 64))
        return NEVER if pattern is None else Condition(f"{sql} GLOB ?", (pattern,))
    return Condition(f"{sql} = ?", (canonical(value, row.vr),))


def has_wild_card(value: str) -> bool:
    """Whether a value has a wild card in it (PS3.4 C.2.2.2.4)."""
    return "*" in value or "?" in value


def glob(value: str, longest: int) -> str | None:
    """Return a pattern of DICOM's as one of GLOB's; None when no value can be so long.

    Parameters
    ----------
    value : str
        With `*` and `?`.
    longest : int
        Characters that a value can have.
    """
    pattern = _STARS.sub("*", value)
    if len(pattern) - pattern.count("*") > longest:
        return None
    return pattern.replace("[", "[[]")


def _name(row: Attribute, value: str, sql: str, fuzzy: bool) -> Condition:
    """Match each component group by itself: whoever asks need not know how many there are."""
    column, fold = ("plain", plain) if fuzzy else ("folded", folded)
    groups = [_group(row, fold(group), sql, column) for group in name_groups(value)]
    return every(groups) if groups else Condition("1")


def _group(row: Attribute, group: str, sql: str, column: str) -> Condition:
    test, wanted = "=", group
    if has_wild_card(group):
        pattern = glob(group, LONGEST["PN"])
        if pattern is None:
            return NEVER
        if pattern == "*":
            return Condition("1")
        test, wanted = "GLOB", pattern
    return Condition(
        f"{sql} IN (SELECT entity FROM names"
        f" WHERE keyword = '{row.keyword}' AND {column} {test} ?)",
        (wanted,),
    )


def _date(row: Attribute, value: str, sql: str) -> Condition:
    low, dash, high = canonical(value, row.vr).partition("-")
    if not dash:
        return Condition(f"{sql} = ?", (low,))
    return _between(sql, low.strip(), high.strip())


def _between(sql: str, low: str, high: str) -> Condition:
    """Match what has a value, from `low` to `high`; an empty one sets no bound (C.2.2.2.5)."""
    conditions = [Condition(f"{sql} <> ''")]
    if low:
        conditions.append(Condition(f"{sql} >= ?", (low,)))
    if high:
        conditions.append(Condition(f"{sql} <= ?", (high,)))
    return every(conditions)


def _time(row: Attribute, value: str, sql: str) -> Condition:
    low, dash, high = canonical(value, row.vr).partition("-")
    filled = f"CASE {sql} WHEN '' THEN '' ELSE {_filled(sql)} END"
    if not dash:
        return Condition(f"{filled} = ?", (_fill(low, "0"),))
    return _between(filled, _fill(low, "0"), _fill(high, "9"))


def _filled(sql: str) -> str:
    return f"substr(replace({sql}, '.', '') || '000000000000', 1, 12)"


def _fill(time: str, digit: str) -> str:
    """Return a time with all its digits: what it leaves open begins with 0 and ends with 9."""
    digits = time.strip().replace(".", "")
    return digits.ljust(12, digit)[:12] if digits else ""


def date_and_time(dates: str, times: str, date_sql: str, time_sql: str) -> Condition:
    """Return the condition that a date and a time, taken together, are in a range.

    Parameters
    ----------
    dates, times : str
        Ranges: what PS3.4 C.2.2.2.5 has for combined date and time matching.
    date_sql, time_sql : str
        What is compared.
    """
    (first, _, last), (begin, _, end) = (
        canonical(dates, "DA").partition("-"),
        canonical(times, "TM").partition("-"),
    )
    low = first.strip() + (_fill(begin, "0") or "0" * 12) if first.strip() else ""
    high = last.strip() + (_fill(end, "9") or "9" * 12) if last.strip() else ""
    moment = f"CASE {date_sql} WHEN '' THEN '' ELSE {date_sql} || {_filled(time_sql)} END"
    return _between(moment, low, high)


_BY_VR: dict[str, Callable[[Attribute, str, str], Condition]] = {"DA": _date, "TM": _time}
