"""pynetdicom's settings, as programs assign to them, into the `Options` of what begins afterwards.

Assign to the names of this module: `_config.UNRESTRICTED_STORAGE_SERVICE = True`. They are read by
each AE without options of its own whenever it begins an association or a server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from dicomwire.network.options import Defaults, Options, take_defaults_from
from dicomwire.protocol.validate import is_valid_uid

Validator = Callable[[str], tuple[bool, str]]

LOG_HANDLER_LEVEL = "standard"
"""Anything but "standard" keeps PDUs and DIMSE messages out of the log."""
STORE_RECV_CHUNKED_DATASET = False
"""Whether a C-STORE request goes to a temporary file, `event.dataset_path`, as it arrives."""
UNRESTRICTED_STORAGE_SERVICE = False
"""Whether storage, private and unknown SOP classes are accepted without being listed."""
ENFORCE_UID_CONFORMANCE = False
"""Whether a program's UIDs have to be as in PS3.5 9.1, and not only have 1 to 64 characters."""
CODECS: tuple[str, ...] = ("ascii",)
"""What `utils.decode_bytes` tries, in this order."""
STORE_SEND_CHUNKED_DATASET = False
"""Says nothing any more: a file that is sent by its path is always sent in chunks."""
WINDOWS_TIMER_RESOLUTION: int | None = 1
"""Says nothing any more: there is no polling that a finer timer would make faster."""
PASS_CONTEXTVARS = False
"""Whether the threads of servers run in a copy of the caller's context (`contextvars`)."""
USE_SHORT_DIMSE_AET = True
"""Whether AE titles in command sets are sent without spaces up to 16 characters."""
LOG_REQUEST_IDENTIFIERS = True
"""Whether the identifiers of C-FIND, C-GET and C-MOVE requests are logged at level INFO."""
LOG_RESPONSE_IDENTIFIERS = True
"""Whether the identifiers of their responses are."""


def validate_ae(value: str) -> tuple[bool, str]:
    """Say whether a value is an AE title (PS3.5 6.2), and if not, why; empty counts as one."""
    if len(value) > 16:
        return False, "an AE title has at most 16 characters"
    if not value.isascii() or not value.isprintable() or "\\" in value:
        return False, "an AE title has ASCII characters, but no control characters and no backslash"
    return True, ""


def validate_ui(value: str) -> tuple[bool, str]:
    """Say whether a value may be a UID as `ENFORCE_UID_CONFORMANCE` has it, and if not, why."""
    if len(value) > 64:
        return False, "a UID has at most 64 characters (PS3.5 9.1)"
    if ENFORCE_UID_CONFORMANCE and not is_valid_uid(value):
        return False, "a UID has digits and dots, and no leading zeros (PS3.5 9.1)"
    return True, ""


VALIDATORS: dict[str, Validator] = {"AE": validate_ae, "UI": validate_ui}
"""What decides whether an AE title or a UID may be used, by VR."""


def options() -> Options:
    """Return the options that the settings mean now."""
    return _meant(
        tempfile.gettempdir() if STORE_RECV_CHUNKED_DATASET else None,
        bool(UNRESTRICTED_STORAGE_SERVICE),
        LOG_HANDLER_LEVEL == "standard",
        bool(LOG_REQUEST_IDENTIFIERS),
        bool(LOG_RESPONSE_IDENTIFIERS),
        not USE_SHORT_DIMSE_AET,
        bool(PASS_CONTEXTVARS),
    )


@lru_cache(8)  # each association asks for them many times
def _meant(
    folder: str | None,
    accept_any_storage: bool,
    log_messages: bool,
    log_request_identifiers: bool,
    log_response_identifiers: bool,
    pad_titles: bool,
    pass_context: bool,
) -> Options:
    return Options(
        store_directory=None if folder is None else Path(folder),
        accept_any_storage=accept_any_storage,
        log_messages=log_messages,
        log_request_identifiers=log_request_identifiers,
        log_response_identifiers=log_response_identifiers,
        pad_titles=pad_titles,
        pass_context=pass_context,
    )


def _defaults() -> Defaults:
    return Defaults(
        options(),
        bool(ENFORCE_UID_CONFORMANCE),
        judges_title=_unless(validate_ae, VALIDATORS["AE"]),
        judges_uid=_unless(validate_ui, VALIDATORS["UI"]),
    )


def _unless(ours: Validator, now: Validator) -> Validator | None:
    """Return a validator that a program has put in the place of ours."""
    return None if now is ours else now


take_defaults_from(_defaults)
