"""Compares the list of loggers that pynetdicom's are joined to with the loggers there are."""

from __future__ import annotations

import re
from pathlib import Path

import dicomwire
from dicomwire.compat.logs import LOGGERS


def test_every_logger_of_the_library_has_one_of_pynetdicom() -> None:
    library = Path(dicomwire.__file__).parent
    texts = [
        path.read_text()
        for path in library.rglob("*.py")
        if path.relative_to(library).parts[0] not in ("apps", "archive", "web")
    ]
    names = {
        name for text in texts for name in re.findall(r'getLogger\("dicomwire\.(\w+)"\)', text)
    }
    assert sorted(names) == sorted(LOGGERS)
