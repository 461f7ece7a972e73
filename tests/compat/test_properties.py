"""Looks for each property of each class that handlers meet, where pynetdicom has it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.compat.properties import PROPERTIES, Row

BASES = ("PDU", "PDUItem")  # what they print is that of their subclasses
SET = (NotImplementedError, ValueError)  # reading it before it is set may say so


def readable(thing: Any, name: str) -> bool:
    try:
        getattr(thing, name)
    except SET:
        return True
    except AttributeError:
        return hasattr(type(thing), name)  # of a class whose subclasses say what it is
    return True


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=pytest.mark.box(row.box), id=row.box) for row in PROPERTIES]
)
def test_every_property_is_there_and_what_is_only_read_cannot_be_set(row: Row) -> None:
    kind = getattr(import_module(f"dicomwire.compat.{row.module}"), row.name)
    thing = kind()
    for name in (*row.written, *row.read):
        assert readable(thing, name), name
    for name in row.read:
        with pytest.raises(AttributeError):
            setattr(thing, name, 1)
    assert row.name in BASES or str(thing)


def test_all_52_classes_are_looked_at() -> None:
    assert len(PROPERTIES) == 52
