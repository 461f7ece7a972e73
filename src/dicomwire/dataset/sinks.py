"""Fragments of an incoming data set into a Part 10 file, as they arrive.

A sink never raises while data comes in: an association must stay in step with its peer whatever the
disk does. The first error is kept in `error`, and the rest of the data set is counted and dropped.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from dicomwire.protocol.errors import LimitReached
from dicomwire.protocol.messages import Memory

_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_MOST_BUFFERS = 1024  # IOV_MAX on Linux, macOS and the BSDs
_HEAD = 2048  # bytes that are kept: nearly always all that comes before Rows (0028,0010)

PREFIX, SUFFIX = ".dicomwire-", ".part"
"""How the names of temporary files begin and end."""


class FileSink:
    """A sink that writes a data set into a temporary file, which a rename makes visible.

    The file is created when the first fragment comes, with the permissions that the umask allows.
    A sink that is dropped without `finish` removes its file.

    Parameters
    ----------
    directory : Path
        Where the temporary file goes: the file system that the final file shall be on.
    header : bytes
        What comes before the data set (`encode_file_meta`); empty for a bare data set.
    prefix : str
        How the name of the temporary file begins.
    fsync : bool
        Whether `rename_to` waits until the disk has the data before it gives the name, and then
        until it has the name.
    """

    __slots__ = (
        "_directory",
        "_fd",
        "_fsync",
        "_head",
        "_header",
        "_open",
        "_path",
        "_prefix",
        "error",
        "length",
    )

    def __init__(
        self, directory: Path, header: bytes, prefix: str = PREFIX, fsync: bool = False
    ) -> None:
        self._directory = directory
        self._header = header
        self._prefix = prefix
        self._fsync = fsync
        self._fd = -1
        self._open = True
        self._path = ""
        self._head = b""
        self.error: OSError | None = None
        self.length = 0

    @property
    def path(self) -> Path | None:
        """The temporary file, None while there is none."""
        return Path(self._path) if self._path else None

    def open(self) -> Written:
        """Read what was written so far, from the beginning of the data set.

        Nothing is opened before more is read than the first bytes, which are in memory.
        """
        return Written(self._head, self._path, len(self._header), self.length)

    def write(self, fragments: list[memoryview]) -> None:
        """Append the fragments with one system call; an error is kept in `error`."""
        self.length += sum(map(len, fragments))
        if self.error is None and self._open:
            self._append(fragments)

    def _append(self, fragments: Sequence[bytes | memoryview]) -> None:
        try:
            if self._fd < 0:
                self._create()
                self._head = bytes(fragments[0][:_HEAD]) if fragments else b""
                fragments = (self._header, *fragments)
            for start in range(0, len(fragments), _MOST_BUFFERS):
                _write_all(self._fd, fragments[start : start + _MOST_BUFFERS])
        except OSError as error:
            self.error = error

    def _create(self) -> None:
        while self._fd < 0:
            name = f"{self._prefix}{os.urandom(8).hex()}{SUFFIX}"
            path = os.path.join(self._directory, name)
            try:
                self._fd = os.open(path, _FLAGS, 0o666)
            except FileExistsError:
                continue
            self._path = path

    def finish(self) -> None:
        """Learn that the data set is complete; an error is kept in `error`.

        The file is closed, unless it is to be flushed: an error that the kernel meets until then
        is told to those who have it open.
        """
        if not self._open:
            return
        if self._fd < 0 and self.error is None:
            self._append(())
        if self._fsync and self.error is None:
            self._open = False
        else:
            self._close()

    def _flush(self) -> None:
        """Wait until the disk has the data: once, as a second attempt would prove nothing."""
        self.finish()
        if self._fd >= 0:
            self._try(os.fsync, self._fd)
            self._close()

    def _close(self) -> None:
        self._open = False
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._try(os.close, fd)

    def _try(self, call: Callable[[int], None], fd: int) -> None:
        try:
            call(fd)
        except OSError as error:
            self.error = self.error or error

    def rename_to(self, final: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Give the finished file its name, atomically.

        Parameters
        ----------
        final : str or path-like
            The name, on the same file system.
        overwrite : bool
            Whether a file of that name is replaced.

        Raises
        ------
        FileExistsError
            If there is such a file and it is not to be replaced; the temporary file stays.
        OSError
            The error that kept the file from being written, or keeps it from being renamed, or
            keeps its name from the disk: then it may have the name, and is whole.
        """
        self._flush()
        if self.error is not None:
            raise self.error
        if not self._path:
            raise FileNotFoundError(errno.ENOENT, "the temporary file is gone", str(final))
        if overwrite:
            os.replace(self._path, final)
        else:
            _rename_to_new(self._path, final)
        self._path = ""
        if self._fsync:
            from dicomwire.dataset.folders import flush_names  # only who stores flushes

            flush_names(os.path.dirname(final) or os.curdir)

    def discard(self) -> None:
        """Remove the temporary file, if there is one."""
        self._close()
        path, self._path = self._path, ""
        if path:
            try:
                os.unlink(path)
            except FileNotFoundError:
                return  # whoever was told its name has moved it
            except OSError as error:
                self.error = self.error or error

    def __del__(self) -> None:
        if getattr(self, "_open", False):  # unset where the constructor was called wrongly
            self.discard()
        elif getattr(self, "_fd", -1) >= 0:
            self._close()


class _Unnamed:
    """A file without a name, which goes with the last who holds it."""

    __slots__ = ("descriptor",)

    def __init__(self) -> None:
        import tempfile  # takes time, and few data sets come here

        self.descriptor = -1
        with tempfile.TemporaryFile(prefix="dicomwire-") as file:
            self.descriptor = os.dup(file.fileno())

    def open(self) -> BinaryIO:
        file = os.fdopen(os.dup(self.descriptor), "rb")
        file.seek(0)
        return file

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class HeldSink(Memory):
    """A sink that keeps a data set in memory, and in a file without a name what is too long.

    Parameters
    ----------
    most : int
        Bytes in memory.
    spills : bool
        Whether what is longer goes on in a file, and is not refused.

    Attributes
    ----------
    error : OSError, LimitReached or None
        Why it has nothing.
    """

    __slots__ = ("_file", "_most", "_spills", "error")

    def __init__(self, most: int, spills: bool = True) -> None:
        super().__init__()
        self._most, self._spills = most, spills
        self._file: _Unnamed | None = None
        self.error: OSError | LimitReached | None = None

    @property
    def is_in_memory(self) -> bool:
        """Whether all of it is."""
        return self._file is None

    @property
    def data(self) -> bytes | bytearray:
        """The bytes; from the file they are read anew each time."""
        if self._file is None:
            return self._data
        with self._file.open() as file:
            return file.read()

    def open(self) -> BinaryIO:
        """Read it from its beginning, without having all of it in memory."""
        return BytesIO(self._data) if self._file is None else self._file.open()

    def share(self) -> HeldSink:
        """See `Memory.share`."""
        other = HeldSink(self._most, self._spills)
        other._data, other._file, other.error = self._data, self._file, self.error
        return other

    def write(self, fragments: list[memoryview]) -> None:
        """Append the fragments; an error is kept in `error`, and then nothing else."""
        if self._file is None and self.error is None:
            super().write(fragments)
            if len(self._data) <= self._most:
                return
            self._overflow()
        elif self.error is None:
            self._append(fragments)

    def _overflow(self) -> None:
        data, self._data = self._data, bytearray()
        if not self._spills:
            self.error = LimitReached(f"A data set of more than {self._most} bytes", "memory")
            return
        try:
            self._file = _Unnamed()
        except OSError as error:
            self.error = error
        else:
            self._append([memoryview(data)])

    def _append(self, fragments: list[memoryview]) -> None:
        assert self._file is not None
        try:
            for start in range(0, len(fragments), _MOST_BUFFERS):
                _write_all(self._file.descriptor, fragments[start : start + _MOST_BUFFERS])
        except OSError as error:
            self.error, self._file = error, None

    def discard(self) -> None:
        """Let it go."""
        super().discard()
        self._file = None


class Written:
    """A written data set as a file to read; its first bytes are in memory.

    Parameters
    ----------
    head : bytes
        The first bytes.
    path : str
        The file.
    offset : int
        How many bytes of the file come before the data set.
    length : int
        The length of the data set in bytes.

    Attributes
    ----------
    path, offset, length
        As given.
    """

    __slots__ = ("_file", "_head", "_position", "length", "offset", "path")

    def __init__(self, head: bytes, path: str, offset: int, length: int) -> None:
        self.path, self.offset, self.length = path, offset, length
        self._head = head
        self._file: BinaryIO | None = None
        self._position = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer only at the end.

        Raises
        ------
        OSError
            If there is no such file, or it cannot be read.
        """
        start, self._position = self._position, self._position + count
        if self._file is None:
            if self._position <= len(self._head) or self.length == len(self._head):
                return self._head[start : self._position]
            self._file = open(self.path, "rb")  # noqa: SIM115 - closed at the end of the block
            self._file.seek(self.offset + start)
        return self._file.read(count)

    def read_at(self, position: int, count: int) -> bytes:
        """Return so many bytes from a position on, fewer only at the end; see `read`.

        Parameters
        ----------
        position : int
            In the data set.
        count : int
            Bytes.
        """
        if position + count <= len(self._head) or self.length == len(self._head):
            return self._head[position : position + count]
        if self._file is None:
            self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115 - see `__exit__`
        self._position = position
        self._file.seek(self.offset + position)
        return self._file.read(count)

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()


def _write_all(fd: int, buffers: Sequence[bytes | memoryview]) -> None:
    left = sum(map(len, buffers)) - _write_some(fd, buffers)
    if left:
        rest = memoryview(b"".join(buffers))
        while left:
            left -= os.write(fd, rest[len(rest) - left :])


def _write_each(fd: int, buffers: Sequence[bytes | memoryview]) -> int:
    return os.write(fd, b"".join(buffers))


_write_some = getattr(os, "writev", _write_each)  # Windows has no writev


def _rename_to_new(source: str, final: str | os.PathLike[str]) -> None:
    try:
        os.link(source, final)
    except FileExistsError:
        raise
    except OSError:  # the file system has no hard links
        _rename_over_own(source, final)
    else:
        os.unlink(source)


def _rename_over_own(source: str, final: str | os.PathLike[str]) -> None:
    """Take the name with an empty file, then replace that."""
    os.close(os.open(final, _FLAGS, 0o666))
    try:
        os.replace(source, final)
    except OSError:
        os.unlink(final)
        raise
