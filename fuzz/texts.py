"""Bytes as what people type: texts for `make`, and keys of queries."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydicom.dataset import Dataset

from dicomwire.apps.dump_text import DumpError, read_dump
from dicomwire.apps.keys import key, set_key
from dicomwire.apps.options import WrongUse
from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.errors import DataSetError
from dicomwire.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

_NOWHERE = Path("/nonexistent")
_MOST_ITEMS = 10


def dumps(data: bytes) -> None:
    """Read a text as `make` does."""
    if b"=/" in data or b"= /" in data:  # an own file of whoever runs this is not asked for
        return
    try:
        made = read_dump(data, _NOWHERE)
    except DumpError as error:
        assert error.line >= 0
        assert str(error)
        return
    with suppress(DataSetError):  # of values that the text has: a character set that is none
        decode(made.data, EXPLICIT_VR_LITTLE_ENDIAN)


def keys(data: bytes) -> None:
    """Read a key a line into one identifier, up to a wrong one, and encode it."""
    identifier = Dataset()
    try:
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            one = key(line)
            if all((step.item or 0) < _MOST_ITEMS for step in one.steps):
                set_key(identifier, one)
    except WrongUse as error:
        assert str(error)
    try:
        encode(identifier, EXPLICIT_VR_LITTLE_ENDIAN)
    except DataSetError as error:
        assert str(error)
