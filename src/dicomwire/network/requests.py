"""A received message into what handlers read: `event.request`, `event.dataset`, the file meta."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwire.dataset.codec import decode
from dicomwire.dataset.elements import encoding_of
from dicomwire.dataset.part10 import encode_file_meta, holds
from dicomwire.dataset.sinks import FileSink, Written
from dicomwire.network.addresses import is_tls
from dicomwire.network.events import Event, EventType
from dicomwire.network.presentation import PresentationContextTuple, shown_uid
from dicomwire.network.views import views
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.negotiation import AcceptedContext
from dicomwire.protocol.validate import is_valid_uid
from dicomwire.services.association import Identity
from dicomwire.standard.dimse import BY_COMMAND_FIELD
from dicomwire.standard.sop_classes import file_prefix

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileMetaDataset

# What the data set of a request, and further parameters, are called on an event.
_DATA_NAMES = {
    "Identifier": "identifier",
    "AttributeList": "attribute_list",
    "ModificationList": "modification_list",
    "ActionInformation": "action_information",
    "EventInformation": "event_information",
}
_FIELDS = {
    "action_type": "ActionTypeID",
    "event_type": "EventTypeID",
    "move_destination": "MoveDestination",
    "attribute_identifiers": "AttributeIdentifierList",
}


def _shown(name: str, value: Any) -> Any:
    if name != "attribute_identifiers":
        return value
    from pydicom.tag import Tag

    return [Tag(tag) for tag in value or ()]


def _kept(message: Message) -> Message:
    """Return the message with a hold of its own on a data set in memory.

    The conversation drops its sink when the handler returns; an event may be looked at later.
    """
    if not isinstance(message.data, Memory):
        return message
    return message._replace(data=message.data.share())


class RequestEvent(Event):
    """The event of a DIMSE request.

    Attributes
    ----------
    request : DIMSEPrimitive
        Its parameters.
    context : PresentationContextTuple
        The presentation context it came over.
    message_id : int
        Its Message ID.
    """

    def __init__(
        self, assoc: Any, event: EventType, message: Message, context: AcceptedContext
    ) -> None:
        super().__init__(assoc, event)
        self._message = _kept(message)
        self._context = context
        self.message_id: int = message.command["MessageID"]

    @property
    def request(self) -> Any:
        """The parameters of the request: the primitive of its service, e.g. a `C_STORE`."""
        if "_request" not in self.__dict__:
            self._request = views().request_of(self._message)
        return self._request

    @property
    def command(self) -> Mapping[str, Any]:
        """The command set of the request as it came, by keyword (PS3.7 E.1)."""
        return self._message.command

    @property
    def context(self) -> PresentationContextTuple:
        """The presentation context of the request."""
        context = self._context
        return PresentationContextTuple(
            context.context_id,
            shown_uid(context.abstract_syntax),
            shown_uid(context.transfer_syntax),
        )

    def __getattr__(self, name: str) -> Any:
        message = self.__dict__.get("_message")
        service = BY_COMMAND_FIELD[message.command["CommandField"]] if message else None
        if service is not None and name == _DATA_NAMES.get(service.data_in):
            value = self.__dict__[name] = self._decoded()
            return value
        keyword = _FIELDS.get(name)
        if service is not None and keyword in service.request_fields:
            return _shown(name, self._message.command.get(keyword))
        return super().__getattr__(name)

    def _decoded(self) -> Dataset:
        """Decode the data set of the request; a request without has an empty one."""
        from pydicom.dataset import Dataset

        sink = self._message.data
        if not isinstance(sink, Memory):
            return Dataset()
        return decode(bytes(sink.data), self._context.transfer_syntax, self.assoc.options.limits)

    @property
    def is_cancelled(self) -> bool:
        """Whether the peer has sent a C-CANCEL for this request (PS3.7 9.3.2.3)."""
        return bool(self.assoc.is_cancelled(self.message_id))


class StoreEvent(RequestEvent):
    """The event of a C-STORE request."""

    def __init__(
        self,
        assoc: Any,
        event: EventType,
        message: Message,
        context: AcceptedContext,
        identity: Identity,
    ) -> None:
        super().__init__(assoc, event, message, context)
        self._identity = identity
        self._dataset: Dataset | None = None

    @property
    def dataset(self) -> Dataset:
        """The data set, decoded when it is first asked for.

        Raises
        ------
        DataSetError
            When it cannot be decoded.
        """
        if self._dataset is None:
            self._dataset = self._decoded_dataset()
        return self._dataset

    def _decoded_dataset(self) -> Dataset:
        syntax, limits, path = self._context.transfer_syntax, self.assoc.options.limits, self._path
        if path is None:
            return decode(self._encoded(), syntax, limits)
        if encoding_of(syntax).deflated:  # pydicom inflates without a limit
            with self.open_dataset() as file:
                return decode(file.read(file.length), syntax, limits)
        from pydicom import dcmread

        return dcmread(path)

    @property
    def _path(self) -> Path | None:
        sink = self._message.data
        return sink.path if isinstance(sink, FileSink) else None

    def _encoded(self) -> bytes:
        sink = self._message.data
        if isinstance(sink, Memory):
            return bytes(sink.data)
        raise AttributeError("The data set is not in memory: see 'dataset_path' and Options")

    @property
    def dataset_path(self) -> Path:
        """Where the data set was written, as a Part 10 file; gone when the handler returns.

        Raises
        ------
        AttributeError
            When data sets go to memory, see `Options.store_directory`.
        """
        path = self._path
        if path is None:
            raise AttributeError("The data set is in memory: see 'dataset' and 'encoded_dataset'")
        return path

    def open_dataset(self) -> Written:
        """Open what `dataset_path` names, at the beginning of the data set.

        The first bytes are in memory: an object that is no longer than 2 KiB is not read again.

        Returns
        -------
        Written
            To be closed: it is a context manager.

        Raises
        ------
        AttributeError
            As `dataset_path` does.
        """
        sink = self._message.data
        if not isinstance(sink, FileSink):
            raise AttributeError("The data set is in memory: see 'dataset' and 'encoded_dataset'")
        return sink.open()

    def encoded_dataset(self, include_meta: bool = True) -> bytes:
        """Return the data set as it was received, without decoding it.

        Parameters
        ----------
        include_meta : bool
            Whether preamble and file meta information come first, as in a Part 10 file.
        """
        data = self._encoded()
        return self._meta() + data if include_meta else data

    @property
    def file_name(self) -> str:
        """A name for the data set's file as DCMTK gives it, e.g. "CT.<SOP Instance UID>".

        Raises
        ------
        ValueError
            When the SOP Instance UID is none (PS3.5 9.1): a peer's string is not put into a path.
        """
        command = self._message.command
        uid = command["AffectedSOPInstanceUID"]
        if not is_valid_uid(uid):
            raise ValueError(f"{uid!r} is not a valid SOP Instance UID")
        return f"{file_prefix(command['AffectedSOPClassUID'])}.{uid}"

    def save_as(self, path: str | Path, overwrite: bool = True) -> None:
        """Store the data set as a Part 10 file, as it was received and under its name at once.

        With `Options.flush_stores` the disk has the file, and then its name, when this returns.

        Parameters
        ----------
        path : str or Path
            The file. When data sets go to files (`Options.store_directory`) it has to be on the
            same file system: the temporary file is renamed.
        overwrite : bool
            Whether a file of that name is replaced.

        Raises
        ------
        FileExistsError
            When there is such a file and it is not to be replaced.
        OSError
            What keeps the file from being written.
        """
        received = self._message.data
        if isinstance(received, FileSink):
            received.rename_to(path, overwrite)
            return
        flushed = self.assoc.options.flush_stores
        written = FileSink(Path(path).parent, self._meta(), fsync=flushed)
        written.write([memoryview(self._encoded())])
        try:
            written.rename_to(path, overwrite)
        finally:
            written.discard()

    def is_in(self, path: str | Path) -> bool:
        """Whether a Part 10 file holds this very data set: the same bytes, encoded the same way.

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        OSError
            When one of both cannot be read.
        """
        sink, syntax = self._message.data, self._context.transfer_syntax
        if not isinstance(sink, FileSink):
            data = self._encoded()
            return holds(path, syntax, len(data), BytesIO(data).read)
        with sink.open() as received:
            return holds(path, syntax, received.length, received.read)

    def _meta(self) -> bytes:
        command = self._message.command
        return encode_file_meta(
            command["AffectedSOPClassUID"],
            command["AffectedSOPInstanceUID"],
            self._context.transfer_syntax,
            self._identity.implementation_class_uid,
            self._identity.implementation_version_name or "",
        )

    @property
    def file_meta(self) -> FileMetaDataset:
        """File meta information for storing the data set, from the request (PS3.10 7.1)."""
        from pydicom.dataset import FileMetaDataset

        command = self._message.command
        meta = FileMetaDataset()
        meta.FileMetaInformationGroupLength = 0
        meta.FileMetaInformationVersion = b"\x00\x01"
        meta.MediaStorageSOPClassUID = shown_uid(command["AffectedSOPClassUID"])
        meta.MediaStorageSOPInstanceUID = shown_uid(command["AffectedSOPInstanceUID"])
        meta.TransferSyntaxUID = shown_uid(self._context.transfer_syntax)
        meta.ImplementationClassUID = shown_uid(self._identity.implementation_class_uid)
        if self._identity.implementation_version_name:
            meta.ImplementationVersionName = self._identity.implementation_version_name
        return meta


class IdentityEvent(Event):
    """The event of a user identity (PS3.7 D.3.3.7)."""

    @property
    def user_id_type(self) -> int:
        """1 username, 2 username and passcode, 3 Kerberos, 4 SAML, 5 JWT."""
        return int(self.user_identity.user_identity_type)

    @property
    def primary_field(self) -> bytes:
        """The username, the ticket, the assertion or the token."""
        return bytes(self.user_identity.primary_field)

    @property
    def secondary_field(self) -> bytes | None:
        """The passcode of type 2, else None."""
        return self.user_identity.secondary_field if self.user_id_type == 2 else None

    @property
    def is_encrypted(self) -> bool:
        """Whether it came over TLS; elsewhere anybody in between may have read the passcode."""
        return is_tls(self.assoc.raw_socket)

    def has_passcode(self, expected: str | bytes) -> bool:
        """Compare the passcode, in a time that says nothing about how much of it is right.

        Parameters
        ----------
        expected : str or bytes
            What it has to be; a str in UTF-8.

        Returns
        -------
        bool
            False, too, when the identity has no passcode.
        """
        from hmac import compare_digest  # loads OpenSSL's digests, which few programs need

        wanted = expected.encode() if isinstance(expected, str) else expected
        given = self.secondary_field
        return compare_digest(given or b"", wanted) and given is not None
