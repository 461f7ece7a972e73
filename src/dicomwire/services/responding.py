"""What a handler returned into the response to a request (PS3.7 9.3, 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.dataset.codec import encode
from dicomwire.dataset.errors import DataSetError
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.messages import Message
from dicomwire.services.wants import FLUSH, Conversation, Flush
from dicomwire.standard.dimse import RESPONSE, Service
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.statuses import Category, describe

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# What a handler may do wrong, as status codes that users of the field know.
NO_STATUS = 0xC001
NOT_A_STATUS = 0xC002


class Refusal(NamedTuple):
    """Why a request is refused.

    Attributes
    ----------
    status : int
        Of the response.
    comment : str
        Its Error Comment.
    """

    status: int
    comment: str


def drop(message: Message) -> None:
    """Do away with the data set of a message that nobody is going to see."""
    if message.data is not None:
        message.data.discard()


def respond(
    connection: Connection,
    message: Message,
    status: int,
    extra: Command,
    data: bytes | None = None,
    flush: Flush = FLUSH,
) -> Conversation[None]:
    """Send a response to a request, unless the association is over.

    Parameters
    ----------
    connection : Connection
        The association.
    message : Message
        The request.
    status : int
        Status (0000,0900).
    extra : dict
        Further elements of the command set by keyword.
    data : bytes, optional
        The encoded data set of the response.
    flush : Flush
        `FLUSH_MORE` when another response is likely to follow at once.
    """
    if not connection.machine.may("Evt9"):  # Sta6, and Sta8: the peer has asked for a release
        return
    response = response_for(message.command, status, extra)
    connection.send_message(message.context_id, response, data)
    yield flush


def response_for(command: Command, status: int, extra: Command) -> Command:
    """Build the command set of a response (PS3.7 9.3, 10.3).

    Parameters
    ----------
    command : dict
        The request.
    status : int
        Status (0000,0900).
    extra : dict
        Further elements by keyword.
    """
    return {
        "AffectedSOPClassUID": command.get("AffectedSOPClassUID")
        or command.get("RequestedSOPClassUID"),
        "CommandField": command["CommandField"] | RESPONSE,
        "MessageIDBeingRespondedTo": command["MessageID"],
        "Status": status,
        "AffectedSOPInstanceUID": command.get("AffectedSOPInstanceUID")
        or command.get("RequestedSOPInstanceUID"),
        **extra,
    }


def read_status(value: Any, service: Service) -> tuple[int, Command]:
    """Read the status that a handler returned.

    Parameters
    ----------
    value : int, Refusal or Dataset
        A Dataset holds (0000,0900) Status and whatever else the response may carry.
    service : Service
        Says what the response may carry.

    Returns
    -------
    status : int
        0xC001 when a Dataset has no Status, 0xC002 when the value is neither.
    extra : dict
        Further elements of the response.
    """
    if isinstance(value, int):
        return _code(value), {}
    if isinstance(value, Refusal):
        return value.status, {"ErrorComment": value.comment}
    if not is_data_set(value):
        return NOT_A_STATUS, {}
    if value.get("Status") is None:
        return NO_STATUS, {}
    extra = {
        name: _plain(value[name].value)
        for name in service.response_fields
        if value.get(name) is not None
    }
    return _code(value.Status), extra


def _code(status: Any) -> int:
    fits = isinstance(status, int) and 0 <= status <= 0xFFFF
    return int(status) if fits else NOT_A_STATUS


def _plain(value: Any) -> Any:
    """Return an element's value as a command set takes it: AT as a list of int."""
    if isinstance(value, int | str):
        return value
    if any(isinstance(each, str) for each in value):  # a text with backslashes: PS3.5 6.2
        return "/".join(map(str, value))
    return [int(each) for each in value]


def is_data_set(value: Any) -> bool:
    """Whether a handler gave a pydicom Dataset; asked without importing pydicom."""
    return hasattr(value, "group_dataset")


def category_for(message: Message, service: Service, status: int) -> Category:
    """Return the category of a status in the service class of a request."""
    command = message.command
    service_class = service_class_of(command.get(service.class_uid) or "")
    return describe(status, service_class.statuses_of(service.name))[0]


def encoded(connection: Connection, message: Message, dataset: Dataset) -> bytes | None:
    """Encode a data set for the response to a request; None when it cannot be."""
    context = connection.contexts[message.context_id]
    try:
        return encode(dataset, context.transfer_syntax)
    except DataSetError:
        return None
