"""A folder of worklist files into data sets, read again when they change."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwire.apps.dump_text import TEXTS, read_either
from dicomwire.apps.options import WrongUse
from dicomwire.apps.output import log
from dicomwire.dataset.part10 import Fingerprint, fingerprint

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

ENDINGS = (".wl", ".dcm", *TEXTS)
_SETTLED = 2_000_000_000
"""Nanoseconds after which a file cannot change any more without that its time shows it."""


class Worklists:
    """Keeps what is in the files of folders.

    Parameters
    ----------
    folder : Path
        Where the files are.
    by_title : bool
        Whether each AE title that is called has a folder of its own in it.
    """

    def __init__(self, folder: Path, by_title: bool = False) -> None:
        self._folder = folder
        self._by_title = by_title
        self._lock = threading.Lock()
        self._read: dict[str, tuple[Fingerprint, Dataset | None]] = {}

    def knows(self, title: str) -> bool:
        """Whether there is a worklist for a title; a peer's text is never made part of a path."""
        if not self._by_title:
            return True
        with os.scandir(self._folder) as entries:
            return any(entry.name == title and entry.is_dir() for entry in entries)

    def items(self, title: str) -> list[Dataset]:
        """Return what is in the files for a title, in the order of their names.

        Raises
        ------
        OSError
            When the folder cannot be read.
        """
        folder = self._folder / title if self._by_title and self.knows(title) else self._folder
        with self._lock:
            found = [self._item(path) for path in sorted(folder.iterdir()) if _is_item(path)]
        return [item for item in found if item is not None]

    def _item(self, path: Path) -> Dataset | None:
        name = str(path)
        try:
            seen = fingerprint(path.stat())
        except OSError:  # it went away in between
            self._read.pop(name, None)
            return None
        known = self._read.get(name)
        if known is None or known[0] != seen:
            try:
                known = seen, read_either(name)
            except WrongUse as error:
                log.error("Left out: %s", error)
                known = seen, None
            if time.time_ns() - seen[-1] > _SETTLED:
                self._read[name] = known
        return known[1]


def _is_item(path: Path) -> bool:
    return path.name.endswith(ENDINGS) and not path.name.startswith(".")
