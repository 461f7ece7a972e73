"""Received temporary files into an archive's files, named by the digest of what is in them.

    incoming/   data sets as they arrive; whatever is here at the start is what a crash left
    objects/ab/abcd....dcm   the objects, under the SHA-256 of their encoded data sets

No string of a peer becomes part of a name. A file is linked to its place while its temporary name
still stands: after a crash the second name tells which objects had come so far.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dicomwire.archive.scan import scan
from dicomwire.dataset.errors import DataSetError, UnreadableFile
from dicomwire.dataset.part10 import read_header_from

if sys.platform != "win32":
    import fcntl

_HEX = "0123456789abcdef"


class InUse(Exception):
    """Another process has the archive open."""


class Files:
    """The folder of an archive.

    Parameters
    ----------
    folder : Path
        It is made when it is missing.

    Attributes
    ----------
    folder : Path
        The folder.
    incoming : Path
        Where received data sets are to be written: `Options.store_directory`.

    Raises
    ------
    InUse
        When another process uses it.
    OSError
        When it cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._top = f"{folder}{os.sep}"
        self.incoming = folder / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder / "lock")
        try:
            self._make_folders()
        except BaseException:
            self.close()
            raise

    def _make_folders(self) -> None:
        objects = self.folder / "objects"
        for path in (self.incoming, objects):
            path.mkdir(exist_ok=True)
        for first in _HEX:
            for second in _HEX:
                (objects / f"{first}{second}").mkdir(exist_ok=True)
        for path in (objects, self.folder, self.folder.absolute().parent):
            sync_folder(path)

    def close(self) -> None:
        """Let another process use the folder."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    @staticmethod
    def name(digest: str) -> str:
        """Return the name of a file, below the folder.

        Parameters
        ----------
        digest : str
            SHA-256 of its encoded data set, in hexadecimal.
        """
        if len(digest) != 64 or not set(digest) <= set(_HEX):
            raise ValueError(f"{digest!r} is no SHA-256 in hexadecimal")
        return f"objects/{digest[:2]}/{digest}.dcm"

    def path(self, name: str) -> Path:
        """Return where the file of a name is."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Whether there is a file of a name."""
        return os.path.exists(self._top + name)

    def place(self, temporary: str | Path, name: str) -> bool:
        """Give a file its place besides its temporary name, if that is free; durable after `sync`.

        Returns
        -------
        bool
            Whether it has it. If not `link` may do it, in the turn of whoever writes the index.
        """
        try:
            os.link(temporary, self._top + name)
        except OSError:
            return False
        return True

    def link(self, temporary: str | Path, name: str) -> None:
        """Give a file its place besides its temporary name; durable after `sync`.

        A file that no instance has may be there: it is replaced, whatever is in it.

        Raises
        ------
        OSError
            What keeps it from its place.
        """
        final = self._top + name
        self.remove(name)
        try:
            os.link(temporary, final)
        except OSError:
            if not os.path.exists(temporary) or not self.path(name).parent.exists():
                raise
            os.replace(temporary, final)  # the file system has no hard links

    def sync(self, names: Sequence[str]) -> None:
        """Wait until the disk has files, and their names.

        The file systems of today write the names that a file has got together with the file, so
        that the folders cost little after the files.
        """
        for name in names:
            _sync(self._top + name, os.O_RDWR)
        for folder in {os.path.dirname(name) for name in names}:
            sync_folder(self._top + folder)

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is none's loss."""
        with suppress(FileNotFoundError):
            os.unlink(self._top + name)

    def recover(self, is_known: Callable[[str], bool]) -> int:
        """Do away with what a crash has left; return how many temporary files that were.

        Parameters
        ----------
        is_known : callable
            Whether the index has an instance in the file of a name.
        """
        count = 0
        for path in self._leftovers():
            count += 1
            if path.stat().st_nlink > 1:
                self._unlink_unknown(path, is_known)
            os.unlink(path)
        return count

    def _leftovers(self) -> Iterator[Path]:
        yield from sorted(path for path in self.incoming.iterdir() if path.is_file())

    def _unlink_unknown(self, leftover: Path, is_known: Callable[[str], bool]) -> None:
        """Remove the other name of a leftover, unless the index has it."""
        name = self._other_name(leftover)
        if name and not is_known(name):
            self.remove(name)

    def _other_name(self, leftover: Path) -> str:
        """Return the place of a file, by what is in it; empty if it has none.

        What a power cut has left may not be what it was named after. Then all places are looked at.
        """
        inode = leftover.stat().st_ino
        with suppress(DataSetError, UnreadableFile), leftover.open("rb") as file:
            header = read_header_from(file, leftover)
            file.seek(header.offset)
            name = self.name(scan(file, header.transfer_syntax_uid).digest)
            with suppress(FileNotFoundError):
                if self.path(name).stat().st_ino == inode:
                    return name
        for folder in (self.folder / "objects").iterdir():
            for entry in os.scandir(folder):
                if entry.inode() == inode:
                    return f"objects/{folder.name}/{entry.name}"
        return ""


def _locked(path: Path) -> int:
    """Open a file that one process can have open at a time; return its descriptor."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise InUse(f"{path.parent} is in use by another process") from error
    return lock


def sync_folder(path: str | Path) -> None:
    """Wait until the disk has the names in a folder."""
    if os.name == "posix":  # elsewhere a directory cannot be opened
        _sync(path, os.O_RDONLY)


def _sync(path: str | Path, flags: int) -> None:
    fd = os.open(path, flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
