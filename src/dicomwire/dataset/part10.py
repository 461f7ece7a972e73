"""Part 10 files into what a transfer needs to know of them, and that into the start of a file.

The parser reads the first few KB and looks at the file meta information (PS3.10 7.1) and at the two
UIDs of the data set. Where these differ the data set's count: a receiver compares them with the
request (PS3.4 B.2.3, status A900).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from io import BytesIO, FileIO
from pathlib import Path
from struct import Struct, pack
from struct import error as StructError
from typing import BinaryIO, NamedTuple

from dicomwire.dataset.deflate import Inflater
from dicomwire.dataset.elements import LONG_VRS, SHORT_VRS, Reader, encoding_of, sop_uids
from dicomwire.dataset.errors import DataSetError, NotDicom, UnreadableFile, unopened
from dicomwire.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

FIRST_READ = 1 << 12
LAST_READ = 1 << 20
"""The file meta information and the first elements must end within this many bytes."""

_SHORT = Struct("<HH2sH")
_LENGTH = Struct("<L")
_GROUP_2 = b"\2\0"
_GROUP_8_LITTLE, _GROUP_8_BIG = b"\x08\0", b"\0\x08"
_VRS = SHORT_VRS | LONG_VRS
_MEDIA_STORAGE_SOP_CLASS_UID, _MEDIA_STORAGE_SOP_INSTANCE_UID = 0x02, 0x03
_TRANSFER_SYNTAX_UID = 0x10
_LONGEST_UID = 128  # twice what PS3.5 9.1 allows, for the lenient
_COMPARED = 1 << 18  # bytes at a time

# Bytes as they are, where a system has text files; and no wait for who writes into a named pipe.
_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)

Fingerprint = tuple[int, int, int, int]


class FileHeader(NamedTuple):
    """What a transfer needs to know of a DICOM file.

    Attributes
    ----------
    path : Path
        The file.
    sop_class_uid, sop_instance_uid, transfer_syntax_uid : str
        What it holds and how it is written.
    offset : int
        Where the data set starts, in bytes; 0 in a file that is a bare data set.
    length : int
        The length of the data set in bytes.
    fingerprint : tuple, optional
        Device, inode, size and modification time when the file was looked at; None if unknown.
    """

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    offset: int
    length: int
    fingerprint: Fingerprint | None = None


def fingerprint(status: os.stat_result) -> Fingerprint:
    """Return what tells a file from a changed or replaced one."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def open_for_reading(path: str | os.PathLike[str]) -> FileIO:
    """Open a file unbuffered.

    Raises
    ------
    UnreadableFile
        If it cannot be opened.
    """
    try:
        descriptor = os.open(path, _TO_READ)
        try:
            return FileIO(descriptor)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as error:
        raise unopened(path, error) from error


def read_header(path: str | os.PathLike[str]) -> FileHeader:
    """Read what a transfer needs to know of a DICOM file.

    Parameters
    ----------
    path : path-like
        A Part 10 file; without preamble or file meta information it is recognised if the data
        set starts with group 0008.

    Raises
    ------
    UnreadableFile
        If it cannot be read or is no DICOM file.
    DataSetError
        If it has no SOP Class or Instance UID.
    """
    with open_for_reading(path) as file:
        return read_header_from(file, path)


def read_header_from(file: BinaryIO, path: str | os.PathLike[str]) -> FileHeader:
    """Read what a transfer needs to know of an opened DICOM file, from its current position 0.

    Parameters
    ----------
    file : binary file
        The file, or bytes that look like one (`io.BytesIO`).
    path : path-like
        What to call it.

    Raises
    ------
    UnreadableFile, DataSetError
        As `read_header` does.
    """
    where = path if isinstance(path, Path) else Path(path)
    try:
        size, seen = _size(file, where)
        head = file.read(FIRST_READ)
        header = _parse(head, where, size, seen)
        if header is None and len(head) < size:
            head += file.read(LAST_READ - len(head))
            header = _parse(head, where, size, seen)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise UnreadableFile(path, what, "the disk or the network share") from error
    if header is None:
        raise NotDicom(path, "ends or goes astray inside the first elements")
    return header


def _size(file: BinaryIO, path: Path) -> tuple[int, Fingerprint | None]:
    try:
        status = os.fstat(file.fileno())
    except OSError:  # an io.BytesIO has no descriptor
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return size, None
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFile(path, "is not a regular file", "the path; name a file")
    return status.st_size, fingerprint(status)


def _parse(head: bytes, path: Path, size: int, seen: Fingerprint | None) -> FileHeader | None:
    """Return the header, None if more bytes are needed to tell."""
    if not size:
        raise NotDicom(path, "is empty")
    offset = 132 if head[128:132] == b"DICM" else 0
    try:
        meta, offset = _file_meta(head, offset)
    except StructError:
        return None
    if offset >= size:
        raise NotDicom(path, "ends before its data set starts")
    if offset + 8 > len(head) < size:
        return None
    try:
        syntax = _text(meta.get(_TRANSFER_SYNTAX_UID, b"")) or recognised(head, offset, size)
        if not syntax:
            what = "states no transfer syntax" if meta else "is not a DICOM file"
            raise NotDicom(path, what)
        uids = _uids(meta, head, offset, size, syntax)
    except UnicodeDecodeError as error:
        raise NotDicom(path, "has a UID with other characters than ASCII") from error
    if uids is None:
        return None
    if "" in uids:
        missing = "Instance" if uids[0] else "Class"
        what = f"{path}: the data set has no SOP {missing} UID"
        raise DataSetError(what, "who wrote the file; it must be complete")
    return FileHeader(path, *uids, syntax, offset, size - offset, seen)


def _uids(
    meta: dict[int, bytes], head: bytes, offset: int, size: int, syntax: str
) -> tuple[str, str] | None:
    """Return SOP Class and Instance UID, each empty if there is none; None to get more bytes."""
    stated = (
        meta.get(_MEDIA_STORAGE_SOP_CLASS_UID, b""),
        meta.get(_MEDIA_STORAGE_SOP_INSTANCE_UID, b""),
    )
    if _repeated(stated, head, offset, syntax):
        return _text(stated[0]), _text(stated[1])
    try:
        found = _scan(head, offset, size, syntax)
    except DataSetError:
        if not all(stated):
            raise
        found = stated
    return found and (_text(found[0] or stated[0]), _text(found[1] or stated[1]))


def _repeated(stated: tuple[bytes, bytes], head: bytes, offset: int, syntax: str) -> bool:
    """Return whether the UIDs of the file meta information are seen again in the data set.

    Nearly always they are, and to search for bytes is cheaper than to parse.
    """
    encoding = encoding_of(syntax)
    if encoding.deflated or not all(0 < len(value) <= _LONGEST_UID for value in stated):
        return False
    order = "<" if encoding.little else ">"
    return all(
        head.find(_element(order, encoding.implicit, element, value), offset) >= 0
        for element, value in zip((0x16, 0x18), stated, strict=True)
    )


def _element(order: str, implicit: bool, element: int, value: bytes) -> bytes:
    if implicit:
        return pack(order + "HHL", 8, element, len(value)) + value
    return pack(order + "HH2sH", 8, element, b"UI", len(value)) + value


def _text(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii")


def _file_meta(head: bytes, offset: int) -> tuple[dict[int, bytes], int]:
    """Return the elements of group 0002 and where the data set starts.

    The group ends where another begins: its stated length may be missing or wrong.
    """
    meta: dict[int, bytes] = {}
    while head[offset : offset + 2] == _GROUP_2:
        _, element, vr, length = _SHORT.unpack_from(head, offset)
        value_at = offset + 8
        if vr in LONG_VRS:
            (length,) = _LENGTH.unpack_from(head, value_at)
            value_at += 4
        elif vr not in SHORT_VRS:
            break
        offset = value_at + length
        meta[element] = head[value_at:offset]
    return meta, offset


def holds(
    path: str | os.PathLike[str],
    transfer_syntax_uid: str,
    length: int,
    read: Callable[[int], bytes],
) -> bool:
    """Whether a Part 10 file holds a data set that is encoded to the same bytes.

    Parameters
    ----------
    path : path-like
        The file.
    transfer_syntax_uid : str
        How the data set is encoded.
    length : int
        Its bytes.
    read : callable
        Returns the next bytes of it, up to the asked number.

    Raises
    ------
    OSError
        When one of both cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(FIRST_READ)
        try:
            meta, offset = _file_meta(head, 132 if head[128:132] == b"DICM" else 0)
            syntax = _text(meta.get(_TRANSFER_SYNTAX_UID, b""))
        except (StructError, UnicodeDecodeError):
            return False
        if syntax != transfer_syntax_uid or os.fstat(file.fileno()).st_size - offset != length:
            return False
        file.seek(offset)
        while block := read(_COMPARED):
            if file.read(len(block)) != block:
                return False
    return True


def recognised(head: bytes, offset: int, size: int) -> str:
    """Return the transfer syntax of a data set that starts with group 0008, empty if it does not.

    Compressed data sets without file meta information look like Explicit VR Little Endian.

    Parameters
    ----------
    head : bytes
        The first bytes of a file.
    offset : int
        Where the data set begins in it.
    size : int
        The length of the file.
    """
    group, vr = head[offset : offset + 2], head[offset + 4 : offset + 6]
    if group == _GROUP_8_LITTLE and vr in _VRS:
        return EXPLICIT_VR_LITTLE_ENDIAN
    if group == _GROUP_8_BIG and vr in _VRS:
        return EXPLICIT_VR_BIG_ENDIAN
    if group == _GROUP_8_LITTLE and len(head) >= offset + 8:
        (length,) = _LENGTH.unpack_from(head, offset + 4)
        if length <= size - offset - 8:
            return IMPLICIT_VR_LITTLE_ENDIAN
    return ""


def _scan(head: bytes, offset: int, size: int, syntax: str) -> tuple[bytes, bytes] | None:
    """Return the SOP Class and Instance UID of a data set, None if more bytes are needed."""
    encoding = encoding_of(syntax)
    read: Callable[[int], bytes] = BytesIO(head[offset:]).read
    if encoding.deflated:
        read = Inflater(read, LAST_READ).read
    try:
        return sop_uids(Reader(read, encoding))
    except DataSetError:
        if len(head) < min(size, LAST_READ):
            return None
        raise


def encode_file_meta(
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
    implementation_class_uid: str,
    implementation_version_name: str,
) -> bytes:
    """Return the preamble, prefix and file meta information of a Part 10 file (PS3.10 7.1).

    Parameters
    ----------
    sop_class_uid, sop_instance_uid, transfer_syntax_uid : str
        What the file holds and how it is written.
    implementation_class_uid, implementation_version_name : str
        Who writes it; an empty version name is left out.

    Raises
    ------
    DataSetError
        If a value cannot be encoded.
    """
    try:
        group = b"".join(
            (
                _VERSION,
                _uid(0x02, sop_class_uid),
                _uid(0x03, sop_instance_uid),
                _uid(0x10, transfer_syntax_uid),
                _uid(0x12, implementation_class_uid),
                _version_name(implementation_version_name),
            )
        )
    except (UnicodeEncodeError, StructError) as error:
        raise DataSetError(f"The file meta information cannot be encoded: {error}") from error
    return _PREFIX + _LENGTH.pack(len(group)) + group


_PREFIX = bytes(128) + b"DICM" + _SHORT.pack(2, 0, b"UL", 4)
_VERSION = _SHORT.pack(2, 1, b"OB", 0) + _LENGTH.pack(2) + b"\0\1"


def _uid(element: int, uid: str) -> bytes:
    value = uid.encode("ascii")
    if len(value) & 1:
        value += b"\0"  # PS3.5 9.1
    return _SHORT.pack(2, element, b"UI", len(value)) + value


def _version_name(name: str) -> bytes:
    value = name.encode("ascii")
    if len(value) & 1:
        value += b" "
    return _SHORT.pack(2, 0x13, b"SH", len(value)) + value if value else b""
