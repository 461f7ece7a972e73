"""pydicom data sets into bytes of a transfer syntax, and back (PS3.5 7, Annex A)."""

from __future__ import annotations

from io import BytesIO
from struct import error as StructError
from typing import TYPE_CHECKING, BinaryIO

from dicomwire.dataset.byte_order import swap_values, unshared
from dicomwire.dataset.deflate import Deflater, Inflater
from dicomwire.dataset.elements import CUT_SHORT, UNDEFINED, Encoding, encoding_of, tag_text
from dicomwire.dataset.errors import DataSetError, UndecodableDataSet
from dicomwire.dataset.nesting import check_depth
from dicomwire.protocol.limits import DEFAULT, Limits
from dicomwire.standard.transfer_syntaxes import is_uncompressed

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset
    from pydicom.dataelem import RawDataElement

PIXEL_DATA = 0x7FE00010

PYDICOM_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    StructError,
    TypeError,
    ValueError,
)
"""What pydicom raises over values and bytes that it cannot make sense of; one is missing here."""


def pydicom_errors() -> tuple[type[Exception], ...]:
    """Return all of them; named after `except`, this is asked only once pydicom is there."""
    from pydicom.errors import BytesLengthException

    return (BytesLengthException, *PYDICOM_ERRORS)


def encode(ds: Dataset, transfer_syntax_uid: str) -> bytes:
    """Return a data set in a transfer syntax.

    A data set that was read in the other byte order is converted whole. The data set itself is
    not changed.

    Parameters
    ----------
    ds : pydicom.Dataset
        The data set, without elements of group 0000 or 0002.
    transfer_syntax_uid : str
        The transfer syntax; with a compressed one the pixel data must be encapsulated in it.

    Raises
    ------
    DataSetError
        If the data set cannot be encoded.
    """
    from dicomwire.dataset.plain import encode_plain

    encoding = encoding_of(transfer_syntax_uid)
    plain = encode_plain(ds, encoding)
    if plain is None:
        plain = _encode_any(ds, encoding, is_uncompressed(transfer_syntax_uid))
    return _deflated(plain) if encoding.deflated else plain


def _encode_any(ds: Dataset, encoding: Encoding, uncompressed: bool) -> bytes:
    _refuse_other_groups(ds)
    try:
        return _encode(ds, encoding, uncompressed)
    except pydicom_errors() as error:
        raise DataSetError(
            f"The data set cannot be encoded: {first_line(error)}",
            "the element that the text names",
        ) from error


def _refuse_other_groups(ds: Dataset) -> None:
    tags = ds.keys()
    for tag in tags:
        if tag < 0x00030000 and tag >> 16 in (0, 2):
            raise DataSetError(
                f"The data set has element {tag_text(tag)}",
                "group 0000 belongs to a command set and group 0002 to file meta information",
            )


def first_line(error: BaseException) -> str:
    """Return what an error of pydicom says, without the traceback that it brings as text."""
    return str(error).partition("\n")[0] or type(error).__name__


def _encode(ds: Dataset, encoding: Encoding, uncompressed: bool) -> bytes:
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    if stored_little_endian(ds) not in (None, encoding.little):
        ds = in_byte_order(ds, encoding)
    elif any(map(_may_change, ds.values())):
        ds = unshared(ds)
    _settle_pixel_data(ds, uncompressed)
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = encoding.implicit, encoding.little
    write_dataset(out, ds)
    return out.getvalue()


def _may_change(item: DataElement | RawDataElement) -> bool:
    """Whether encoding may decode an element, settle its VR or its length, or look inside it."""
    vr = item.VR
    return item.is_raw or vr is None or vr == "SQ" or len(vr) > 2 or item.tag == PIXEL_DATA


def stored_little_endian(ds: Dataset) -> bool | None:
    """Return the byte order that a data set keeps its OW, OL, OF, OD and OV values in.

    That is the one of its file meta information, else the one it was read in, else None.
    """
    meta = getattr(ds, "file_meta", None)
    if meta is not None and (uid := meta.get("TransferSyntaxUID")):
        return encoding_of(uid).little
    return ds.original_encoding[1]


def in_byte_order(ds: Dataset, encoding: Encoding) -> Dataset:
    """Return a copy of a data set of the other byte order, for an encoding.

    Parameters
    ----------
    ds : pydicom.Dataset
        The original; it is not changed.
    encoding : Encoding
        What the copy is going to be encoded in.
    """
    from pydicom.filewriter import correct_ambiguous_vr

    ours = unshared(ds, parsed=True)
    correct_ambiguous_vr(ours, not encoding.little)
    swap_values(ours)
    set_encoding(ours, encoding)
    return ours


def set_encoding(ds: Dataset, encoding: Encoding) -> None:
    """Note in a data set of decoded elements, and in all its items, how it counts as read."""
    ds.set_original_encoding(encoding.implicit, encoding.little)
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                set_encoding(item, encoding)


def _as_stored(ds: Dataset, tag: int) -> DataElement | RawDataElement:
    return ds.get_item(tag, keep_deferred=True)


def _settle_pixel_data(ours: Dataset, uncompressed: bool) -> None:
    """Give encapsulated pixel data, and only them, an undefined length (PS3.5 A.4)."""
    if PIXEL_DATA not in ours:
        return
    from pydicom.dataelem import DataElement, RawDataElement

    item = _as_stored(ours, PIXEL_DATA)
    if isinstance(item, RawDataElement):
        undefined = item.length == UNDEFINED
    else:
        undefined = item.is_undefined_length
    if uncompressed and undefined:
        raise DataSetError(
            "The data set has compressed pixel data and the transfer syntax is an uncompressed one",
            "Dataset.decompress(), or propose the transfer syntax that the data set has",
        )
    if not uncompressed and not undefined:
        value = ours[PIXEL_DATA].value
        ours[PIXEL_DATA] = DataElement(PIXEL_DATA, "OB", value, is_undefined_length=True)


def _deflated(plain: bytes) -> bytes:
    out = BytesIO()
    deflater = Deflater(out.write)
    deflater.write(plain)
    deflater.finish()
    return out.getvalue()


def decode(
    data: bytes | bytearray | memoryview | BinaryIO,
    transfer_syntax_uid: str,
    limits: Limits = DEFAULT,
) -> Dataset:
    """Return the data set in some bytes; pydicom decodes its values when they are looked at.

    Parameters
    ----------
    data : bytes-like or binary file
        The encoded data set; a file is read from where it stands.
    transfer_syntax_uid : str
        The transfer syntax it is in.
    limits : Limits
        How long it may be once it is inflated, and how deep its sequences may stand.

    Raises
    ------
    UndecodableDataSet
        If the bytes are no data set in that transfer syntax.
    """
    encoding = encoding_of(transfer_syntax_uid)
    if isinstance(data, bytes | bytearray) and not encoding.deflated:
        check_depth(data, encoding, limits.depth)
    if isinstance(data, bytes) and not encoding.deflated:
        from dicomwire.dataset.raw import read_raw

        ds = read_raw(data, encoding)
        if ds is not None:
            return ds
    file = BytesIO(data) if isinstance(data, bytes | bytearray | memoryview) else data
    if encoding.deflated:
        file = _inflated(file, limits)
        check_depth(file.getvalue(), encoding, limits.depth)
    try:
        return _decode(file, encoding)
    except pydicom_errors() as error:
        raise UndecodableDataSet(
            f"The data set cannot be decoded: {first_line(error)}", CUT_SHORT
        ) from error


def _decode(file: BinaryIO, encoding: Encoding) -> Dataset:
    from pydicom.dataelem import RawDataElement
    from pydicom.filereader import read_dataset

    start = file.tell()
    ds = read_dataset(file, encoding.implicit, encoding.little)
    if len(ds):
        last = _as_stored(ds, list(ds.keys())[-1])
        if isinstance(last, RawDataElement) and _is_cut_short(last):
            raise UndecodableDataSet(
                f"The data set ends early, inside {tag_text(last.tag)}", CUT_SHORT
            )
    elif file.seek(0, 2) > start:
        raise UndecodableDataSet("The bytes are no data set in this transfer syntax", CUT_SHORT)
    return ds


def _is_cut_short(element: RawDataElement) -> bool:
    """Whether the data ended inside the value; pydicom takes what there was for all of it."""
    value = element.value
    return value is not None and element.length not in (len(value), UNDEFINED)


def _inflated(file: BinaryIO, limits: Limits) -> BytesIO:
    inflater = Inflater(file.read, limits.inflated, limits.inflated_ratio, limits.memory)
    plain = BytesIO()
    while chunk := inflater.read(1 << 20):
        plain.write(chunk)
    plain.seek(0)
    return plain
