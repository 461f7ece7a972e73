"""Status codes into data sets and categories, and the statuses of each service as dictionaries."""

from __future__ import annotations

from enum import IntEnum
from functools import cache

from pydicom.dataset import Dataset

from dicomwire.standard import statuses


class Status(IntEnum):
    """Status codes to compare with by name; `Status.add` makes more of them."""

    SUCCESS = 0x0000
    CANCEL = 0xFE00
    PENDING = 0xFF00
    MOVE_DESTINATION_UNKNOWN = 0xA801

    @classmethod
    def add(cls, name: str, code: int) -> None:
        """Give a status code a name, as a member of `Status`.

        Parameters
        ----------
        name : str
            The member's name. A code that has a name already gets a second one.
        code : int
            The Status (0000,0900).

        Raises
        ------
        ValueError
            If the name is no Python name or means something else already, or the code is no status.
        """
        if cls.__members__.get(name) == code:
            return
        if not name.isidentifier() or hasattr(cls, name):
            raise ValueError(f"not a new name: {name!r}")
        member = cls._value2member_map_.get(_valid(code))
        if member is None:
            # What Enum does for a member in the class body; it has no public way to do it later.
            member = int.__new__(cls, code)
            member._name_, member._value_ = name, code
            cls._value2member_map_[code] = member
            cls._member_names_.append(name)
        setattr(cls, name, member)
        cls._member_map_[name] = member


def _valid(code: object) -> int:
    """The code itself, when it is one."""
    if not isinstance(code, int) or code < 0:
        raise ValueError(f"a status code is an integer and not negative: {code!r}")
    return int(code)


def code_to_status(code: int) -> Dataset:
    """Return a data set with a Status (0000,0900) and nothing else.

    Raises
    ------
    ValueError
        If the code is negative or no integer.
    """
    status = Dataset()
    status.Status = _valid(code)
    return status


def code_to_category(code: int) -> str:
    """Return what a status code says by itself (PS3.7 Annex C).

    Parameters
    ----------
    code : int
        The Status (0000,0900).

    Returns
    -------
    str
        Success, Failure, Warning, Cancel, Pending or Unknown.

    Raises
    ------
    ValueError
        If the code is negative or no integer.
    """
    return statuses.category_of(_valid(code)).value


@cache
def _expanded(name: str) -> dict[int, tuple[str, str]]:
    """One table of `statuses`, a key a code."""
    table: statuses.StatusTable = getattr(statuses, name)
    expanded: dict[int, tuple[str, str]] = {}
    for row in table:
        for code in range(row.first, row.last + 1):
            expanded.setdefault(code, (row.category.value, row.text))
    return expanded


def __getattr__(name: str) -> dict[int, tuple[str, str]]:
    if not name.endswith("_STATUS") or not hasattr(statuses, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _expanded(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *(name for name in dir(statuses) if name.endswith("_STATUS"))})
