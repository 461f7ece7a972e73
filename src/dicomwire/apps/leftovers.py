"""What killed programs have left in a folder of received files into nothing."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dicomwire.apps.output import log
from dicomwire.dataset.sinks import PREFIX, SUFFIX

if sys.platform != "win32":
    import fcntl

_TEMPORARY = re.compile(rf"{re.escape(PREFIX)}[0-9a-f]{{16}}{re.escape(SUFFIX)}")


@contextmanager
def receiving_into(folder: Path | None) -> Iterator[None]:
    """Use a folder for received files, and begin by removing the temporary ones of an earlier run.

    Several programs may receive into one folder: each holds a shared lock of it, which the system
    takes back however the program ends, and only who is alone there removes anything.

    Parameters
    ----------
    folder : Path or None
        Where the files go; None keeps nothing.
    """
    if folder is None:
        yield
    elif sys.platform == "win32":
        _remove_leftovers(folder)  # those of others are open, and stay
        yield
    else:
        with _held(folder):
            yield


if sys.platform != "win32":

    @contextmanager
    def _held(folder: Path) -> Iterator[None]:
        held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # others are here, or the file system has no locks
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_leftovers(folder)
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_SH)
            yield
        finally:
            os.close(held)


def _remove_leftovers(folder: Path) -> None:
    count = 0
    for name in os.listdir(folder):
        if _TEMPORARY.fullmatch(name):
            with suppress(OSError):
                os.unlink(folder / name)
                count += 1
    if count:
        what = "1 file" if count == 1 else f"{count} files"
        log.warning("Removed %s that an earlier run had begun and not acknowledged", what)
