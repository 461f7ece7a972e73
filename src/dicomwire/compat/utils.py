"""Bytes into text, titles and UIDs into checked ones: what pynetdicom keeps in `utils`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from io import BytesIO
from typing import Any

from pydicom.uid import UID

from dicomwire.compat import _config
from dicomwire.protocol.validate import is_valid_uid

logger = logging.getLogger("dicomwire.presentation")


def decode_bytes(encoded_value: bytes) -> str:
    """Decode a title, UID or name with the first of `_config.CODECS` that can, ASCII before all.

    Raises
    ------
    ValueError
        When none of them can.
    """
    for codec in ("ascii", *_config.CODECS):
        try:
            return encoded_value.decode(codec)
        except UnicodeDecodeError:
            continue
    raise ValueError(
        f"{encoded_value.hex(' ')} cannot be decoded as {', '.join(_config.CODECS)}; "
        "_config.CODECS may name more"
    )


def make_target(target_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a thread shall run for a function: itself, or in a copy of this context."""
    return partial(copy_context().run, target_fn) if _config.PASS_CONTEXTVARS else target_fn


def pretty_bytes(
    bytestream: bytes | bytearray | BytesIO,
    prefix: str = "  ",
    delimiter: str = "  ",
    items_per_line: int = 16,
    max_size: int | None = 512,
    suffix: str = "",
) -> list[str]:
    """Return bytes as lines of hexadecimal numbers.

    Parameters
    ----------
    bytestream : bytes or BytesIO
        What to show.
    prefix, delimiter, suffix : str
        Before each line, between the numbers, after each line.
    items_per_line : int
        How many bytes a line has.
    max_size : int, optional
        How many bytes are shown at most.
    """
    data = bytes(bytestream.getvalue() if isinstance(bytestream, BytesIO) else bytestream)
    lines = []
    if max_size is not None and len(data) > max_size:
        lines.append(f"{prefix}Only dumping {max_size} bytes.{suffix}")
        data = data[:max_size]
    for start in range(0, len(data), items_per_line):
        row = data[start : start + items_per_line]
        lines.append(prefix + delimiter.join(f"{byte:02x}" for byte in row) + suffix)
    return lines


def set_ae(
    value: str | None, name: str, allow_empty: bool = True, allow_none: bool = True
) -> str | None:
    """Return an AE title when it may be used.

    Parameters
    ----------
    value : str or None
        The title.
    name : str
        What it is, for the message.
    allow_empty, allow_none : bool
        Whether it may be empty (or only spaces), and None.

    Raises
    ------
    TypeError, ValueError
        When it may not be used.
    """
    if value is None and allow_none:
        return None
    if not isinstance(value, str):
        raise TypeError(f"'{name}' is a str{' or None' * allow_none}, not {type(value).__name__}")
    if not allow_empty and not value.strip():
        raise ValueError(f"'{name}' may not be empty or only spaces")
    _validate("AE", value, name)
    return value


def set_uid(
    value: str | bytes | None,
    name: str,
    allow_empty: bool = True,
    allow_none: bool = True,
    validate: bool = True,
) -> UID | None:
    """Return a UID when it may be used.

    Parameters
    ----------
    value : str, bytes, UID or None
        The UID.
    name : str
        What it is, for the message.
    allow_empty, allow_none : bool
        Whether it may be empty, and None.
    validate : bool
        Whether `_config.VALIDATORS` is asked.

    Raises
    ------
    TypeError, ValueError
        When it may not be used.
    """
    if value is None and allow_none:
        return None
    if isinstance(value, bytes):
        value = decode_bytes(value)
    if not isinstance(value, str):
        raise TypeError(f"'{name}' is a str, bytes or UID, not {type(value).__name__}")
    if not value and not allow_empty:
        raise ValueError(f"'{name}' may not be empty")
    if value and validate:
        _validate("UI", value, name)
        if not is_valid_uid(value):
            logger.warning("'%s' is not a valid UID (PS3.5 9.1): %r", name, value)
    return UID(value)


def _validate(vr: str, value: str, name: str) -> None:
    passes, reason = _config.VALIDATORS[vr](value)
    if not passes:
        raise ValueError(f"'{name}' may not be {value!r}: {reason}")


@contextmanager
def set_timer_resolution(resolution: int | None) -> Iterator[None]:
    """Do nothing: nothing in this library polls, so a finer Windows timer would gain nothing.

    Parameters
    ----------
    resolution : int or None
        Milliseconds; not used.
    """
    yield


def validate_uid(uid: str) -> bool:
    """Return whether `_config.VALIDATORS` lets a UID be used."""
    return bool(uid) and _config.VALIDATORS["UI"](str(uid))[0]
