"""The names in a folder onto the disk: one flush serves all who wait for it."""

from __future__ import annotations

import os
import threading
from functools import lru_cache


class _Flush:
    """One flush: what came of it, when it is done."""

    __slots__ = ("done", "error")

    def __init__(self) -> None:
        self.done = False
        self.error: OSError | None = None


class Folder:
    """A folder whose names are to be on the disk (POSIX: `fsync` of the directory).

    A name is in the flush that begins after the name was given. Whoever comes while a flush runs
    waits for the next, together with all others who came meanwhile, and one of them does it.

    Parameters
    ----------
    path : str
        The folder.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._changed = threading.Condition(threading.Lock())
        self._next = _Flush()
        self._is_busy = False

    def flush(self) -> None:
        """Wait until the disk has all names that the folder has now.

        Raises
        ------
        OSError
            When the disk could not take them. All who waited for this flush get the same, and
            nobody tries again: what the kernel has dropped is not there at a second attempt.
        """
        with self._changed:
            mine = self._next
            while self._is_busy and not mine.done:
                self._changed.wait()
            is_ours = not mine.done
            if is_ours:
                self._is_busy, self._next = True, _Flush()
        if is_ours:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error.with_traceback(None)

    def _lead(self, flush: _Flush) -> None:
        flush.error = InterruptedError("the flush did not come to its end")
        try:
            _sync(self._path)
            flush.error = None
        except OSError as error:
            flush.error = error
        finally:
            with self._changed:
                flush.done, self._is_busy = True, False
                self._changed.notify_all()


_folder = lru_cache(64)(Folder)  # an older one is made anew, and its flushes are not shared
if hasattr(os, "register_at_fork"):  # a lock that another thread held is never given back there
    os.register_at_fork(after_in_child=_folder.cache_clear)


def flush_names(path: str) -> None:
    """Wait until the disk has the names in a folder; see `Folder.flush`.

    Parameters
    ----------
    path : str
        The folder.

    Raises
    ------
    OSError
        When the disk could not take them.
    """
    if os.name == "posix":  # elsewhere a directory cannot be opened
        _folder(path).flush()


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
