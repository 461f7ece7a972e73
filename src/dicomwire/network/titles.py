"""What a user gave as an AE title into one that can be sent, or a clear error."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from dicomwire.protocol.validate import is_valid_ae_title

logger = logging.getLogger("dicomwire.ae")


def checked_title(value: Any, name: str) -> str:
    r"""Check an AE title (PS3.5 6.2, VR AE).

    Parameters
    ----------
    value : str
        1 to 16 characters of the basic repertoire but backslash; bytes are taken with a warning.
    name : str
        What it is, for the message.

    Raises
    ------
    TypeError
        When it is no str.
    ValueError
        When it cannot be an AE title.
    """
    if isinstance(value, bytes):
        warnings.warn(f"'{name}' should be str, not bytes", DeprecationWarning, stacklevel=3)
        value = value.decode("ascii")
    if value is None:
        raise ValueError(f"'{name}' cannot be None")
    if not isinstance(value, str):
        raise TypeError(f"'{name}' must be str, not {type(value).__name__}")
    if not is_valid_ae_title(value):
        logger.error("Invalid '%s' value %r", name, value)
        raise ValueError(
            f"Invalid '{name}' value {value!r}: an AE title has 1 to 16 ASCII characters, "
            "not only spaces, no backslash and no control characters"
        )
    return value
