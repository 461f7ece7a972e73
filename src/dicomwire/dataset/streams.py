"""A data set in a file or in memory into chunks to send, each a view valid until the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from types import TracebackType
from typing import Protocol, Self

from dicomwire.dataset.errors import UnreadableFile
from dicomwire.dataset.part10 import FileHeader, fingerprint, open_for_reading

CHUNK = 1 << 20
"""How many bytes a chunk has when nobody says otherwise."""


class Stream(Protocol):
    """What a data set to be sent looks like to the one who sends it."""

    @property
    def length(self) -> int:
        """The number of bytes in all chunks."""
        ...

    def chunks(self, size: int = CHUNK) -> Iterator[memoryview]:
        """Yield the data set from its start in chunks of at most `size` bytes."""
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
        self.length = length

    def chunks(self, size: int = CHUNK) -> Iterator[memoryview]:
        """Yield the data set from its start in chunks of at most `size` bytes.

        All chunks share one buffer: a chunk is overwritten when the next is asked for.

        Raises
        ------
        UnreadableFile
            If the file cannot be read, or ends before `length` bytes were read.
        """
        left = self.length
        buffer = memoryview(bytearray(min(size, left)))
        readinto = self._file.readinto
        try:
            self._file.seek(self._offset)
            while left:
                count = readinto(buffer if left >= len(buffer) else buffer[:left])
                if not count:
                    raise _changed(self._path)
                left -= count
                yield buffer[:count]
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise UnreadableFile(self._path, what, "the disk or the network share") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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


def _changed(path: str | os.PathLike[str]) -> UnreadableFile:
    return UnreadableFile(
        path, "changed while it was being sent", "what else writes it, and send it again after that"
    )
