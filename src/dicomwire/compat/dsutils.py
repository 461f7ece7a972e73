"""Data sets into bytes, lines of text and file meta information, by pynetdicom's function names."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_file_meta_info
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, JPEGBaseline8Bit

from dicomwire.dataset import codec
from dicomwire.dataset.elements import UNDEFINED
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.part10 import read_header
from dicomwire.network.log_identifiers import pretty_dataset, pretty_element
from dicomwire.network.options import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION

__all__ = [
    "create_file_meta",
    "decode",
    "encode",
    "encode_file_meta",
    "pretty_dataset",
    "pretty_element",
    "split_dataset",
]

logger = logging.getLogger("dicomwire.dsutils")

# implicit VR, little endian, deflated -> transfer syntax (PS3.5 A)
_SYNTAXES = {
    (True, True, False): "1.2.840.10008.1.2",
    (False, True, False): "1.2.840.10008.1.2.1",
    (False, True, True): "1.2.840.10008.1.2.1.99",
    (False, False, False): "1.2.840.10008.1.2.2",
}


def _syntax(is_implicit_vr: bool, is_little_endian: bool, deflated: bool) -> str:
    key = (bool(is_implicit_vr), bool(is_little_endian), bool(deflated))
    if key not in _SYNTAXES:
        raise DataSetError("No transfer syntax has this VR, byte order and deflation")
    return _SYNTAXES[key]


def encode(
    ds: Dataset, is_implicit_vr: bool, is_little_endian: bool, deflated: bool = False
) -> bytes | None:
    """Return a data set as bytes; None, and an error in the log, when it cannot be encoded.

    Parameters
    ----------
    ds : pydicom.Dataset
        The data set, without elements of group 0000 or 0002.
    is_implicit_vr, is_little_endian, deflated : bool
        How.
    """
    try:
        syntax = _syntax(is_implicit_vr, is_little_endian, deflated)
        if syntax == "1.2.840.10008.1.2.1" and _is_encapsulated(ds):
            syntax = JPEGBaseline8Bit  # any compressed one: all of them are written alike
        return codec.encode(ds, syntax)
    except DataSetError as error:
        logger.error("%s", error)
        return None


def _is_encapsulated(ds: Dataset) -> bool:
    if codec.PIXEL_DATA not in ds:
        return False
    element = _stored(ds, codec.PIXEL_DATA)
    if isinstance(element, RawDataElement):
        return element.length == UNDEFINED
    return bool(element.is_undefined_length)


def _stored(ds: Dataset, tag: int) -> DataElement | RawDataElement:
    return ds.get_item(tag, keep_deferred=True)


def decode(
    bytestream: BytesIO, is_implicit_vr: bool, is_little_endian: bool, deflated: bool = False
) -> Dataset:
    """Return the data set in some bytes.

    Parameters
    ----------
    bytestream : BytesIO
        The encoded data set, read from its beginning.
    is_implicit_vr, is_little_endian, deflated : bool
        How it is encoded.

    Raises
    ------
    DataSetError
        When it is not.
    """
    syntax = _syntax(is_implicit_vr, is_little_endian, deflated)
    logger.debug('pydicom.read_dataset() TransferSyntax="%s"', UID(syntax).name)
    bytestream.seek(0)
    return codec.decode(bytestream, syntax)


def create_file_meta(
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax: str,
    implementation_uid: str = IMPLEMENTATION_UID,
    implementation_version: str = IMPLEMENTATION_VERSION,
) -> FileMetaDataset:
    """Return file meta information (PS3.10 7.1).

    Parameters
    ----------
    sop_class_uid, sop_instance_uid, transfer_syntax : str
        UIDs of what the file holds.
    implementation_uid, implementation_version : str
        Who writes it.
    """
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = UID(implementation_uid)
    meta.ImplementationVersionName = implementation_version
    return meta


def encode_file_meta(file_meta: FileMetaDataset) -> bytes:
    """Return file meta information as bytes, without preamble and prefix."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_file_meta_info(buffer, file_meta, enforce_standard=False)
    return buffer.getvalue()


def split_dataset(path: Path) -> tuple[Dataset, int]:
    """Return a file's file meta information, and where in the file its data set begins.

    Raises
    ------
    UnreadableFile
        When it is no DICOM file.
    """
    offset = read_header(path).offset
    return read_file_meta_info(path), offset
