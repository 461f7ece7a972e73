"""AE titles and UIDs into True or False: may they be used on the wire, and in a file name?"""

from __future__ import annotations

import re

_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*", re.ASCII)
_AE_TITLE = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}", re.ASCII)


def is_valid_uid(text: str) -> bool:
    """Whether a string is a UID as PS3.5 9.1 has it: digits and dots, no leading zeros, at most 64.

    Such a string is also safe as a part of a file name.
    """
    return 0 < len(text) <= 64 and _UID.fullmatch(text) is not None


def is_valid_ae_title(text: str) -> bool:
    r"""Whether a string is an AE title as PS3.5 6.2 has it.

    Up to 16 characters of the basic repertoire but backslash, and not spaces only.
    """
    return _AE_TITLE.fullmatch(text) is not None and not text.isspace()
