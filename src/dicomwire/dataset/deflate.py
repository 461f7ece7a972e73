"""Deflated data sets into plain ones and back, as streams of bounded memory (PS3.5 A.5)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from dicomwire.dataset.errors import DataSetError, TooLong

_RAW = -zlib.MAX_WBITS  # RFC 1951 without the header and checksum of RFC 1950
_CHUNK = 1 << 16


class Inflater:
    """Reads plain bytes from a deflated stream.

    Parameters
    ----------
    read : callable
        Returns up to the asked number of deflated bytes, fewer only at the end.
    limit : int, optional
        The most plain bytes to give; a stream may grow to 1,000 times its deflated length.
    ratio : int, optional
        How many times their deflated length those may have.
    free : int
        The plain bytes up to which the ratio does not count.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        limit: int | None = None,
        ratio: int | None = None,
        free: int = 0,
    ) -> None:
        self._read = read
        self._ratio, self._free = ratio, free
        self._taken = self._given = 0  # deflated bytes, plain bytes
        self._zlib = zlib.decompressobj(_RAW)
        self._plain = bytearray()
        self._left = limit

    def read(self, count: int) -> bytes:
        """Return `count` plain bytes, fewer only at the end of the stream.

        Raises
        ------
        DataSetError
            If the stream is damaged or ends early; `TooLong` if it grows beyond the limit.
        """
        while len(self._plain) < count and not self._zlib.eof:
            self._more(max(count - len(self._plain), _CHUNK))
        data = bytes(self._plain[:count])
        del self._plain[:count]
        return data

    @property
    def unused(self) -> bytes:
        """What was read and comes after the end of the stream."""
        return self._zlib.unused_data

    def _more(self, wanted: int) -> None:
        deflated = self._zlib.unconsumed_tail
        if not deflated:
            deflated = self._read(_CHUNK)
            self._taken += len(deflated)
        try:
            plain = self._zlib.decompress(deflated, wanted)
        except zlib.error as error:
            raise DataSetError(f"The deflated data set is damaged: {error}") from error
        if not deflated and not plain and not self._zlib.eof:
            raise DataSetError("The deflated data set ends early")
        if self._left is not None:
            self._left -= len(plain)
            if self._left < 0:
                raise TooLong(
                    "The deflated data set is longer than allowed when inflated",
                    "whether the peer can be trusted; the setting is Limits.inflated",
                )
        self._given += len(plain)
        if self._ratio is not None and self._given > max(self._free, self._ratio * self._taken):
            raise DataSetError(
                f"The deflated data set grows to more than {self._ratio} times its length",
                "whether the peer can be trusted; the setting is Limits.inflated_ratio",
            )
        self._plain += plain


class Deflater:
    """Writes plain bytes as a deflated stream of even length.

    Parameters
    ----------
    write : callable
        Takes the deflated bytes.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._zlib = zlib.compressobj(wbits=_RAW)
        self._length = 0

    def write(self, plain: bytes) -> None:
        """Deflate some more bytes."""
        self._put(self._zlib.compress(plain))

    def finish(self) -> None:
        """Write what is left, and the padding to even length."""
        self._put(self._zlib.flush())
        self._put(b"\0" * (self._length & 1))

    def _put(self, deflated: bytes) -> None:
        self._length += len(deflated)
        if deflated:
            self._write(deflated)
