"""What a user gave as an AE title into one that can be sent, or a clear error."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from dicomwire.network.options import defaults
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
    judge = defaults().judges_title
    if judge is not None:
        passes, reason = judge(value)
        if not passes or not value.strip():
            logger.error("Invalid '%s' value %r", name, value)
            raise ValueError(f"Invalid '{name}' value {value!r}: {reason or 'it is empty'}")
    elif not is_valid_ae_title(value):
        logger.error("Invalid '%s' value %r", name, value)
        raise ValueError(
            f"Invalid '{name}' value {value!r}: an AE title has 1 to 16 ASCII characters, "
            "not only spaces, no backslash and no control characters"
        )
    return value


def checked_version_name(value: Any) -> str | None:
    """Check an implementation version name (PS3.7 D.3.3.2.3): 1 to 16 characters, or None.

    Raises
    ------
    TypeError, ValueError
        When it cannot be one.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError(
            f"implementation_version_name must be a str or None, not {type(value).__name__}"
        )
    if value is not None and not (0 < len(value) <= 16 and value.isascii()):
        raise ValueError("implementation_version_name must have 1 to 16 ASCII characters")
    return value
