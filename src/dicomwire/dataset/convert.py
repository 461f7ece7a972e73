"""A data set in one uncompressed transfer syntax into one in another, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from dicomwire.dataset.byte_order import unshared
from dicomwire.dataset.choice import can_convert
from dicomwire.dataset.codec import first_line, in_byte_order, pydicom_errors, set_encoding
from dicomwire.dataset.deflate import Deflater, Inflater
from dicomwire.dataset.elements import Encoding, Reader, encoding_of
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.part10 import FileHeader
from dicomwire.dataset.streams import FileStream, OpenFileStream, open_unchanged
from dicomwire.dataset.transcode import transcode

if TYPE_CHECKING:
    from pydicom import Dataset

_IN_MEMORY = 1 << 20  # converted data sets up to this many bytes need no file
_BUFFER = 1 << 18


def convert_file(
    header: FileHeader, to_transfer_syntax: str, directory: Path | None = None
) -> OpenFileStream:
    """Return the data set of a file in another transfer syntax, ready to be sent.

    A long one is written to a temporary file that has no name and goes away with the stream.

    Parameters
    ----------
    header : FileHeader
        What `read_header` said of the file.
    to_transfer_syntax : str
        One of the four uncompressed transfer syntaxes, or the one the file has.
    directory : Path, optional
        Where the temporary file goes; by default where the system keeps temporary files.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, or changed since `read_header`.
    DataSetError
        If there is no conversion between the two, or the data set is damaged.
    """
    source = header.transfer_syntax_uid
    _assure_convertible(source, to_transfer_syntax)
    if source == to_transfer_syntax:
        return FileStream(header)
    with BufferedReader(open_unchanged(header), _BUFFER) as file:
        try:
            return _converted(file, header, encoding_of(to_transfer_syntax), directory)
        except OSError as error:
            raise DataSetError(
                f"{header.path} cannot be converted: {error.strerror}",
                "whether the disk for temporary files is full",
            ) from error


def _assure_convertible(source: str, target: str) -> None:
    if not can_convert(source, target):
        raise DataSetError(
            f"Transfer syntax {source} cannot be converted to {target}",
            "that the presentation context has the transfer syntax of the data set",
        )


def _converted(
    file: BinaryIO, header: FileHeader, target: Encoding, directory: Path | None
) -> OpenFileStream:
    file.seek(header.offset)
    out = SpooledTemporaryFile[bytes](_IN_MEMORY, dir=str(directory) if directory else None)
    try:
        _convert(file.read, encoding_of(header.transfer_syntax_uid), out.write, target)
        return OpenFileStream(out, 0, out.tell(), header.path)
    except BaseException:
        out.close()
        raise


def _convert(
    read: Callable[[int], bytes],
    source: Encoding,
    write: Callable[[bytes], object],
    target: Encoding,
) -> None:
    if source.deflated:
        read = Inflater(read).read
    deflater = Deflater(write) if target.deflated else None
    if deflater:
        write = deflater.write
    if source[:2] == target[:2]:  # they differ in deflation only
        while chunk := read(_BUFFER):
            write(chunk)
    else:
        transcode(Reader(read, source), write, target)
    if deflater:
        deflater.finish()


def convert_dataset(ds: Dataset, from_transfer_syntax: str, to_transfer_syntax: str) -> Dataset:
    """Return a copy of a data set in memory that is ready to be encoded in another byte order.

    Numbers in a `Dataset` have no byte order, but values of OW, OL, OF, OD and OV are kept as they
    stood in the file.

    Parameters
    ----------
    ds : pydicom.Dataset
        The original; it is not changed.
    from_transfer_syntax, to_transfer_syntax : str
        What the values are in, and what the copy shall be encoded in.

    Raises
    ------
    DataSetError
        If there is no conversion between the two, or values do not fit their VR.
    """
    _assure_convertible(from_transfer_syntax, to_transfer_syntax)
    source, target = encoding_of(from_transfer_syntax), encoding_of(to_transfer_syntax)
    try:
        if source.little != target.little:
            return in_byte_order(ds, target)
        if ds.original_encoding[1] in (None, target.little):
            return unshared(ds)
        # The values were brought into another byte order after they were read
        ours = unshared(ds, parsed=True)
        set_encoding(ours, target)
        return ours
    except pydicom_errors() as error:
        raise DataSetError(
            f"The data set cannot be converted: {first_line(error)}",
            "the element that the text names",
        ) from error
