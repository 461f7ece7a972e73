"""Encoded data sets into Part 10 files that appear when they are whole."""

from __future__ import annotations

import uuid
from pathlib import Path

from dicomwire.dataset.part10 import encode_file_meta
from dicomwire.dataset.sinks import PREFIX, FileSink
from dicomwire.network.options import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION, UID_PREFIX

_PREFIX = f"{PREFIX}new-"  # who receives into the same folder leaves it alone


def new_uid() -> str:
    """Return a UID that nobody else has (PS3.5 B.2)."""
    return f"{UID_PREFIX}{uuid.uuid4().int}"


def write_part10(path: Path, data: bytes, sop_class: str, instance: str, syntax: str) -> None:
    """Write a data set with file meta information (PS3.10 7.1).

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    data : bytes
        The data set as it is encoded.
    sop_class, instance, syntax : str
        What it is, and how it is encoded.

    Raises
    ------
    DataSetError
        When the file meta information cannot be encoded.
    OSError
        What keeps the file from being written.
    """
    meta = encode_file_meta(sop_class, instance, syntax, IMPLEMENTATION_UID, IMPLEMENTATION_VERSION)
    write_whole(path, data, meta)


def write_whole(path: Path, data: bytes, header: bytes = b"") -> None:
    """Write a header and a data set; see `write_part10`."""
    file = FileSink(path.parent, header, _PREFIX)
    try:
        file.write([memoryview(data)])
        file.rename_to(path)
    finally:
        file.discard()
