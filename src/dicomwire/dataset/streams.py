"""A data set in a file or in memory into chunks to send, each a view valid until the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from types import TracebackType
from typing import Protocol, Self

from dicomwire.dataset.errors import UnreadableFile
from dicomwire.dataset.part10 import FileHeader, fingerprint, open_for_reading

CHUNK = 1 << 20
"""How many bytes a chunk has when nobody says otherwise."""

# Buffers of closed streams, for those to come: to have 1 MiB cleared for each object costs as much
# as to read the object.
_spare: list[bytearray] = []
_MOST_SPARE = 4


class Stream(Protocol):
    """What a data set to be sent looks like to the one who sends it."""

    @property
    def length(self) -> int:
        """The number of bytes in all chunks."""
        ...

    def chunks(self, size: int = CHUNK) -> Iterator[memoryview]:
        """Yield the data set from its start in chunks of at most `size` bytes."""
        ...

    def fetch(self, size: int = CHUNK) -> None:
        """Read the first chunk now, for a call of `chunks` with that size to come."""
        ...

    def close(self) -> None:
        """Give back what the stream holds."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Readable(Protocol):
    """The part of a binary file that a stream needs."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def readinto(self, buffer: memoryview, /) -> int | None: ...

    def close(self) -> None: ...


class BytesStream:
    """A data set in memory, as a stream.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        The encoded data set; it is not copied.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(data).cast("B")
        self.length = len(self._view)

    @property
    def whole(self) -> memoryview:
        """The data set."""
        return self._view

    def chunks(self, size: int = CHUNK) -> Iterator[memoryview]:
        """Yield the data set from its start in chunks of at most `size` bytes."""
        view = self._view
        for start in range(0, self.length, size):
            yield view[start : start + size]

    def fetch(self, size: int = CHUNK) -> None:
        """Do nothing: it is in memory."""

    def close(self) -> None:
        """Do nothing: the memory belongs to the caller."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class OpenFileStream:
    """A part of an open binary file, as a stream that closes the file.

    Parameters
    ----------
    file : binary file
        The file; the stream owns it from here on.
    offset, length : int
        Which part of it, in bytes.
    path : path-like
        What to call it in an error.
    """

    def __init__(
        self, file: Readable, offset: int, length: int, path: str | os.PathLike[str]
    ) -> None:
        self._file = file
        self._offset = offset
        self._path = path
        self._buffer: bytearray | None = None
        self._fetched: memoryview | None = None
        self.length = length

    def chunks(self, size: int = CHUNK) -> Iterator[memoryview]:
        """Yield the data set from its start in chunks of at most `size` bytes.

        All chunks share one buffer: a chunk is overwritten when the next is asked for.

        Raises
        ------
        UnreadableFile
            If the file cannot be read, or ends before `length` bytes were read.
        """
        left, first = self.length, self._fetched
        self._fetched = None
        if first is not None and len(first) == min(size, left):
            left -= len(first)
            yield first
        else:
            self._rewind()
        while left:
            chunk = self._next(size, left)
            left -= len(chunk)
            yield chunk

    def fetch(self, size: int = CHUNK) -> None:
        """Read the first chunk now, for a call of `chunks` with that size to come.

        Raises
        ------
        UnreadableFile
            As `chunks`.
        """
        if self._fetched is not None and len(self._fetched) == min(size, self.length):
            return
        self._rewind()
        self._fetched = self._next(size, self.length) if self.length else None

    def _rewind(self) -> None:
        try:
            self._file.seek(self._offset)
        except OSError as error:
            raise _unread(self._path, error) from error

    def _next(self, size: int, left: int) -> memoryview:
        if self._buffer is None or len(self._buffer) < min(size, left):
            self._buffer = _buffer(size)
        chunk = memoryview(self._buffer)[: min(size, left)]
        try:
            count = self._file.readinto(chunk)
        except OSError as error:
            raise _unread(self._path, error) from error
        if not count:
            raise _changed(self._path)
        return chunk[:count]

    def close(self) -> None:
        """Close the file, and leave the buffer to the streams to come."""
        self._file.close()
        buffer, self._buffer, self._fetched = self._buffer, None, None
        if buffer is not None and len(buffer) == CHUNK and len(_spare) < _MOST_SPARE:
            _spare.append(buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._buffer = None  # a chunk may be on its way still: nobody else writes there
        self.close()


class FileStream(OpenFileStream):
    """The data set of a DICOM file, as a stream over one descriptor.

    Parameters
    ----------
    header : FileHeader
        What `read_header` said of the file.

    Raises
    ------
    UnreadableFile
        If the file cannot be opened, or is not the one any more that the header was read from.
    """

    def __init__(self, header: FileHeader) -> None:
        file = open_unchanged(header)
        super().__init__(file, header.offset, header.length, header.path)


def open_unchanged(header: FileHeader) -> FileIO:
    """Open a file unbuffered whose header was read before.

    Raises
    ------
    UnreadableFile
        If it cannot be opened, or is not the one any more that the header was read from.
    """
    file = open_for_reading(header.path)
    status = os.fstat(file.fileno())
    if (
        header.fingerprint not in (None, fingerprint(status))
        or status.st_size != header.offset + header.length
    ):
        file.close()
        raise _changed(header.path)
    return file


def _buffer(size: int) -> bytearray:
    """Return memory for chunks of at most `size` bytes; what a closed stream left, if there is."""
    if size <= CHUNK:
        with suppress(IndexError):
            return _spare.pop()
    return bytearray(max(size, CHUNK))


def _unread(path: str | os.PathLike[str], error: OSError) -> UnreadableFile:
    what = f"cannot be read: {error.strerror}"
    return UnreadableFile(path, what, "the disk or the network share")


def _changed(path: str | os.PathLike[str]) -> UnreadableFile:
    return UnreadableFile(
        path, "changed while it was being sent", "what else writes it, and send it again after that"
    )
