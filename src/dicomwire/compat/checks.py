"""Values that programs assign to parameters into values that can be sent, or a clear error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, ClassVar

from dicomwire.compat.utils import decode_bytes, set_ae, set_uid

Check = Callable[[str, Any], Any]
"""Takes the name of a parameter and a value; returns the value, or raises TypeError, ValueError."""


class Checked:
    """An object some of whose attributes are checked when they are assigned to.

    A subclass names them: `class Size(Checked, rows=number(1, 9)): ...`.
    """

    _checks: ClassVar[Mapping[str, Check]] = {}

    def __init_subclass__(cls, **checks: Check) -> None:
        super().__init_subclass__()
        cls._checks = checks

    def __setattr__(self, name: str, value: Any) -> None:
        check = self._checks.get(name)
        object.__setattr__(self, name, check(name, value) if check else value)


def number(least: int, most: int, optional: bool = False) -> Check:
    """Return a check for an integer from `least` to `most`; or None, when it is optional."""

    def check(name: str, value: Any) -> Any:
        if value is None and optional:
            return None
        if not isinstance(value, int):
            raise TypeError(f"{name} is an int, not {type(value).__name__}")
        if not least <= value <= most:
            raise ValueError(f"{name} is from {least} to {most}, not {value}")
        return value

    return check


def one_of(*allowed: Any) -> Check:
    """Return a check for one of some values."""

    def check(name: str, value: Any) -> Any:
        if value not in allowed or isinstance(value, bool):
            raise ValueError(f"{name} is one of {allowed}, not {value!r}")
        return value

    return check


def boolean(name: str, value: Any) -> bool:
    """Take True and False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is a bool, not {type(value).__name__}")
    return value


def role(name: str, value: Any) -> bool | None:
    """Take True and False, and None."""
    return None if value is None else boolean(name, value)


def flag(name: str, value: Any) -> int | None:
    """Take 0 and 1, and None."""
    if value not in (None, 0, 1):
        raise ValueError(f"{name} is 0 or 1, not {value!r}")
    return None if value is None else int(value)


def octets(name: str, value: Any) -> bytes | None:
    """Take bytes, and None."""
    if value is not None and not isinstance(value, bytes):
        raise TypeError(f"{name} is bytes, not {type(value).__name__}")
    return value


def uid(name: str, value: Any) -> Any:
    """Take a UID (PS3.5 9.1), and None."""
    return set_uid(value, name)


def uid_not_none(name: str, value: Any) -> Any:
    """Take a UID."""
    return set_uid(value, name, allow_none=False)


def uid_or_none(name: str, value: Any) -> Any:
    """Take a UID, and None; an empty one is None."""
    return set_uid(value, name) or None


def uids(name: str, value: Any) -> list[Any]:
    """Take a list of UIDs."""
    if not isinstance(value, list) or not all(isinstance(each, str | bytes) for each in value):
        raise TypeError(f"{name} is a list of str, bytes or UID")
    return [set_uid(each, name, allow_empty=False) for each in value]


def version_name(name: str, value: Any) -> str | None:
    """Take an implementation version name (PS3.7 D.3.3.2.3), and None."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is a str, not {type(value).__name__}")
    if value and (len(value) > 16 or not value.isascii()):
        raise ValueError(f"{name} has at most 16 ASCII characters, not {value!r}")
    return value


def version_text(name: str, value: Any) -> str | None:
    """Take an implementation version name as a PDU has it: bytes too."""
    return version_name(name, decode_bytes(value) if isinstance(value, bytes) else value)


def title(name: str, value: Any) -> str | None:
    """Take an AE title as a command set has it (PS3.5 6.2), and None."""
    if isinstance(value, bytes):
        value = decode_bytes(value)
    return set_ae(value, name, allow_empty=name != "MoveDestination")


def called_title(name: str, value: Any) -> str | None:
    """Take an AE title of an association: 1 to 16 characters, not spaces only."""
    return set_ae(value, name, allow_empty=False, allow_none=False)


def pdu_title(name: str, value: Any) -> str | None:
    """Take an AE title as a PDU has it: bytes too, and empty."""
    return set_ae(decode_bytes(value) if isinstance(value, bytes) else value, name, True, False)


def pdu_title_or_none(name: str, value: Any) -> str | None:
    """Take an AE title as a PDU has it: bytes too, empty, and None."""
    return None if value is None else pdu_title(name, value)


def pdvs(name: str, value: Any) -> list[Any]:
    """Take a list of presentation data values: pairs of a context ID and bytes."""
    if not isinstance(value, list):
        raise TypeError(f"{name} is a list of pairs, not {type(value).__name__}")
    for each in value:
        pair = each if isinstance(each, list | tuple) and len(each) == 2 else (None, None)
        if not (isinstance(pair[0], int) and isinstance(pair[1], bytes)):
            raise TypeError(f"{name} has {each!r}, which is no pair of a context ID and bytes")
    return value


def stream(name: str, value: Any) -> BytesIO | None:
    """Take an encoded data set, and None."""
    if value is not None and not isinstance(value, BytesIO):
        raise TypeError(f"{name} is an io.BytesIO, not {type(value).__name__}")
    return value


def tags(name: str, value: Any) -> Any:
    """Take a tag or a list of tags, and None; one tag stays alone, as pydicom has it."""
    from pydicom.tag import Tag

    if value is None:
        return None
    try:
        found = [Tag(each) for each in (value if isinstance(value, list | tuple) else [value])]
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} is a list of tags: {error}") from error
    return found[0] if len(found) == 1 else found
