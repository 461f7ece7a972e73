"""Attributes that programs assign to and read into the items of a PDU, and into lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, ClassVar

from pydicom.uid import UID

from dicomwire.compat.checks import Checked
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.items import item, split_items
from dicomwire.standard.uids import name_of

NO_VALUE = "(no value available)"
_WORDS = {"sop": "SOP", "uid": "UID", "scu": "SCU", "scp": "SCP", "ae": "AE", "id": "ID"}


class Unset(LocalError, ValueError):
    """What has to be set before it can be sent was not set."""


def label_of(name: str) -> str:
    """Return the name of an attribute as words, e.g. "SOP class UID"."""
    words = [_WORDS.get(word, word) for word in name.strip("_").split("_")]
    return " ".join((words[0][0].upper() + words[0][1:], *words[1:]))


class Part(Checked):
    """Something that has attributes from its beginning and prints one on a line.

    Attributes
    ----------
    TITLE : str
        What it is, for the first line.
    """

    TITLE: ClassVar[str] = ""
    _unset: ClassVar[Mapping[str, Any]] = {}

    def __init__(self) -> None:
        self._fill({name: copy(value) for name, value in self._unset.items()})

    def _fill(self, values: Mapping[str, Any]) -> None:
        """Take what was received: it is shown as it came, whatever it is."""
        self.__dict__.update(values)

    def _rows(self) -> Iterator[tuple[str, Any]]:
        """Yield label and value of each line; a part, or a list of parts, gets lines of its own."""
        for name in self._unset:
            value = getattr(self, name)
            if isinstance(value, UID):
                value = f"={name_of(value)}"
            yield label_of(name), value

    def lines(self) -> list[str]:
        """Return the lines that `str` joins."""
        found = [self.TITLE]
        for label, value in self._rows():
            if isinstance(value, Part):
                found += [f"  {line}" for line in value.lines()]
            elif isinstance(value, list) and any(isinstance(each, Part) for each in value):
                found += [f"  {line}" for each in value for line in each.lines()]
            else:
                found.append(f"  {label}: {value}")
        return found

    def __str__(self) -> str:
        return "\n".join(self.lines()) + "\n"


class Valued(Part):
    """A part that equals another of its class with the same values."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # it can be changed


class PDUItem(Valued):
    """An item or sub-item of a PDU (PS3.8 9.3.1)."""

    _type: ClassVar[int]

    @property
    def item_type(self) -> int:
        """The type octet, e.g. 0x51."""
        return self._type

    @property
    def item_length(self) -> int:
        """How many bytes follow the header."""
        return len(self._body())

    def __len__(self) -> int:
        return 4 + self.item_length

    def encode(self) -> bytes:
        """Return the whole item.

        Raises
        ------
        Unset
            A ValueError: something that the item has to have was not set.
        """
        self._demand()
        return item(self.item_type, self._body())

    def decode(self, bytestream: bytes) -> None:
        """Take the values of an encoded item, header included.

        Raises
        ------
        RemoteError
            When a length in it is wrong.
        """
        for _, body in split_items(memoryview(bytestream)):
            self._read(body)
            return

    def _demand(self) -> None:
        missing = [name for name, value in self.__dict__.items() if value is None]
        if missing:
            raise Unset(f"{type(self).__name__}.{missing[0]} is not set")

    def _body(self) -> bytes:
        """Return what follows the header; what is not set counts as empty."""
        raise NotImplementedError

    def _read(self, body: memoryview) -> None:
        """Take the values from what follows the header."""
        raise NotImplementedError

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield "Item type", f"0x{self.item_type:02X}"
        yield "Item length", f"{self.item_length} bytes"
        yield from super()._rows()
