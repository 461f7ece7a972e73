"""A data set or a file into the presentation context and the stream that carry it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicomwire.dataset.choice import NoSuitableContext, choose_context
from dicomwire.dataset.codec import encode
from dicomwire.dataset.decompress import decompressed
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.part10 import FileHeader, read_header
from dicomwire.dataset.streams import BytesStream, FileStream, Stream
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.negotiation import AcceptedContext
from dicomwire.standard.service_classes import UnifiedProcedureStepServiceClass
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.transfer_syntaxes import is_uncompressed
from dicomwire.standard.uids import name_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class Outgoing(NamedTuple):
    """What a C-STORE request sends, and over which presentation context."""

    context_id: int
    sop_class_uid: str
    sop_instance_uid: str
    stream: Stream


def context_for(
    connection: Connection, abstract_syntax: str, any_role: bool = False
) -> AcceptedContext:
    """Return the context for a SOP class that this side may use as SCU.

    Parameters
    ----------
    connection : Connection
        With its accepted contexts.
    abstract_syntax : str
        UID of the SOP class. A Unified Procedure Step may go over the context of another of its
        SOP classes (PS3.4 CC.2).
    any_role : bool
        Whether the role does not matter.

    Raises
    ------
    ValueError
        When there is none.
    """
    usable = [each for each in connection.contexts.values() if each.as_scu or any_role]
    for context in usable:
        if context.abstract_syntax == abstract_syntax:
            return context
    if service_class_of(abstract_syntax) is UnifiedProcedureStepServiceClass:
        for context in usable:
            if service_class_of(context.abstract_syntax) is UnifiedProcedureStepServiceClass:
                return context
    raise ValueError(_refusal(abstract_syntax))


def _refusal(abstract_syntax: str, transfer_syntax: str = "") -> str:
    syntax = f" with '{name_of(transfer_syntax)}' transfer syntax" if transfer_syntax else ""
    return (
        f"No presentation context for '{name_of(abstract_syntax)}' has been accepted by the peer"
        f"{syntax} for the SCU role"
    )


def _choose(connection: Connection, abstract_syntax: str, transfer_syntax: str) -> AcceptedContext:
    ours = [context for context in connection.contexts.values() if context.as_scu]
    for context in ours:  # nearly always there is one as the data set is
        if (context.abstract_syntax, context.transfer_syntax) == (abstract_syntax, transfer_syntax):
            return context
    try:
        return choose_context(ours, abstract_syntax, transfer_syntax)
    except NoSuitableContext as error:
        raise ValueError(_refusal(abstract_syntax, transfer_syntax)) from error


@contextmanager
def outgoing_file(connection: Connection, file: str | Path | FileHeader) -> Iterator[Outgoing]:
    """Open a file for sending: as it is, or converted when the peer took another syntax.

    Parameters
    ----------
    connection : Connection
        With its accepted contexts.
    file : str, Path or FileHeader
        Which file; a header that was read before is not read again.

    Raises
    ------
    LocalError
        When it is no DICOM file.
    AttributeError
        When SOP Class UID or SOP Instance UID is missing.
    ValueError
        When no accepted context can carry it.
    """
    header = file if isinstance(file, FileHeader) else _header(Path(file))
    uids = header.sop_class_uid, header.sop_instance_uid
    context = _choose(connection, uids[0], header.transfer_syntax_uid)
    if context.transfer_syntax == header.transfer_syntax_uid:
        with FileStream(header) as stream:
            yield Outgoing(context.context_id, *uids, stream)
        return
    from dicomwire.dataset.convert import convert_file  # few files need it, nor what it needs

    with convert_file(header, context.transfer_syntax) as converted:
        yield Outgoing(context.context_id, *uids, converted)


def _header(path: Path) -> FileHeader:
    try:
        return read_header(path)
    except DataSetError as error:
        raise AttributeError(str(error)) from error


@contextmanager
def outgoing_dataset(connection: Connection, dataset: Dataset) -> Iterator[Outgoing]:
    """Encode a Dataset for sending.

    Raises
    ------
    TypeError
        When it is none.
    AttributeError
        When SOP Class UID, SOP Instance UID or Transfer Syntax UID is missing.
    ValueError
        When no accepted context can carry it, or it cannot be encoded.
    """
    if not hasattr(dataset, "group_dataset"):
        kind = type(dataset).__name__
        raise TypeError(f"'dataset' must be a Dataset, a path or a FileHeader, not {kind}")
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if not dataset.get(keyword):
            raise AttributeError(f"Unable to send the dataset: it has no '{keyword}' element")
    syntax = _transfer_syntax(dataset)
    uids = str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)
    context = _choose(connection, uids[0], syntax)
    try:
        encoded = encode(dataset, context.transfer_syntax)
    except DataSetError as error:
        raise ValueError(f"Failed to encode the supplied dataset: {error}") from error
    yield Outgoing(context.context_id, *uids, BytesStream(encoded))


def _transfer_syntax(dataset: Dataset) -> str:
    meta = getattr(dataset, "file_meta", None)
    syntax = meta.get("TransferSyntaxUID") if meta is not None else None
    if not syntax:
        raise AttributeError(
            "Unable to send the dataset: it has no 'file_meta' with a 'TransferSyntaxUID' element"
        )
    return str(syntax)


def outgoing(
    connection: Connection, dataset: Dataset | str | Path | FileHeader, decompress: bool = False
) -> AbstractContextManager[Outgoing]:
    """Prepare a file or a Dataset for sending; see `outgoing_file` and `outgoing_dataset`.

    Parameters
    ----------
    connection : Connection
        With its accepted contexts.
    dataset : Dataset, str, Path or FileHeader
        The instance.
    decompress : bool
        Whether an instance whose compression was not accepted is decompressed, when the peer
        takes its SOP class uncompressed.
    """
    if decompress:
        dataset = _as_accepted(connection, dataset)
    if isinstance(dataset, str | Path | FileHeader):
        return outgoing_file(connection, dataset)
    return outgoing_dataset(connection, dataset)


def _as_accepted(
    connection: Connection, dataset: Dataset | str | Path | FileHeader
) -> Dataset | str | Path | FileHeader:
    """Return an instance decompressed, when that is the only way to send it."""
    if isinstance(dataset, str | Path):
        dataset = _header(Path(dataset))
    if isinstance(dataset, FileHeader):
        uid, syntax = dataset.sop_class_uid, dataset.transfer_syntax_uid
    else:
        uid, syntax = str(dataset.get("SOPClassUID")), _transfer_syntax(dataset)
    usable = [each for each in connection.contexts.values() if each.as_scu]
    taken = {each.transfer_syntax for each in usable if each.abstract_syntax == uid}
    if is_uncompressed(syntax) or syntax in taken or not any(map(is_uncompressed, taken)):
        return dataset
    if not isinstance(dataset, FileHeader):
        return decompressed(dataset)
    from pydicom import dcmread

    return decompressed(dcmread(dataset.path))
