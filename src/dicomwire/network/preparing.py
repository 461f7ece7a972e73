"""What a caller asks of a peer into requests, checked and ready to be sent; for either API."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.dataset.codec import encode
from dicomwire.dataset.errors import DataSetError
from dicomwire.network.titles import checked_title
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Error
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import AcceptedContext
from dicomwire.services import asked, scp, scu
from dicomwire.services.response import Response
from dicomwire.services.sending import Outgoing, context_for, outgoing
from dicomwire.services.wants import Conversation
from dicomwire.standard.dimse import BY_NAME, C_ECHO, C_STORE, PRIORITY_LOW, Service
from dicomwire.standard.sop_classes import file_prefix

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from dicomwire.dataset.part10 import FileHeader

logger = logging.getLogger("dicomwire.association")

VERIFICATION = "1.2.840.10008.1.1"


class Question(NamedTuple):
    """A request and what is needed to take its answer.

    Parameters
    ----------
    service : Service
        What is asked.
    context : AcceptedContext
        Over which presentation context.
    command : dict
        The request.
    data : bytes or None
        Its encoded data set.
    answer : callable
        The conversation that answers what the peer asks meanwhile.
    """

    service: Service
    context: AcceptedContext
    command: Command
    data: bytes | None = None
    answer: scu.AnswerRequest = scp.answer

    def conversation(self, connection: Connection) -> Conversation[Message]:
        """Send the request and wait for its one response."""
        return scu.request(
            connection, self.context.context_id, self.command, self.answer, self.data
        )

    def sending(self, connection: Connection) -> Conversation[None]:
        """Send the request only."""
        return scu.send(connection, self.context.context_id, self.command, self.data)

    def response(self, message: Message) -> Response:
        """Say what came back."""
        return Response(self.service, message, self.context.transfer_syntax)


class Preparing(ABC):
    """What an association can be asked for, up to the moment of sending.

    Attributes
    ----------
    connection : Connection
        The association's.
    is_established : bool
        Whether requests can be sent.
    """

    connection: Connection
    is_established: bool

    @property
    @abstractmethod
    def ended(self) -> Error | None:
        """Why the association is over."""

    def check_established(self, operation: str) -> None:
        """Raise RuntimeError when nothing can be asked for."""
        if not self.is_established:
            raise RuntimeError(
                f"The association with a peer SCP must be established before sending a "
                f"{operation} request" + (f": {self.ended}" if self.ended else "")
            )

    def log_response(self, response: Response) -> None:
        """Say in the log how a request was answered."""
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "Received %s Response (Status: 0x%04X - %s)",
                plain_name(response.service),
                response.status,
                response.category.value,
            )

    def ask_echo(self, msg_id: int) -> Question:
        """Prepare a C-ECHO request; see `c_echo`."""
        self.check_established("C-ECHO")
        context = context_for(self.connection, VERIFICATION)
        command = scu.command_for(C_ECHO, check_id(msg_id), VERIFICATION)
        logger.info("Sending Echo Request: MsgID %d", msg_id)
        return Question(C_ECHO, context, command)

    @contextmanager
    def prepare_store(
        self,
        dataset: Dataset | str | Path | FileHeader,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        originator_aet: str | None = None,
        originator_id: int | None = None,
        decompress: bool = False,
    ) -> Iterator[tuple[Outgoing, Command]]:
        """Prepare an instance, and the request that sends it; see `c_store`."""
        self.check_established("C-STORE")
        check_priority(priority)
        check_id(msg_id)
        if originator_aet is not None:
            originator_aet = checked_title(originator_aet, "originator_aet")
        if originator_id is not None:
            check_id(originator_id)
        with outgoing(self.connection, dataset, decompress) as what:
            command = scu.command_for(
                C_STORE,
                msg_id,
                what.sop_class_uid,
                Priority=priority,
                AffectedSOPInstanceUID=what.sop_instance_uid,
                MoveOriginatorApplicationEntityTitle=originator_aet,
                MoveOriginatorMessageID=originator_id,
            )
            if logger.isEnabledFor(logging.INFO):
                prefix = file_prefix(what.sop_class_uid)
                logger.info("Sending Store Request: MsgID %d, (%s)", msg_id, prefix)
            yield what, command

    def store_conversation(self, what: Outgoing, command: Command) -> Conversation[Message]:
        """Send what `prepare_store` prepared, and wait for the response."""
        return scu.store(self.connection, what.context_id, command, scp.answer, what.stream)

    def ask_many(
        self, name: str, dataset: Dataset, query_model: str, msg_id: int, **fields: Any
    ) -> Question:
        """Prepare a request that is answered by many responses; see `c_find`."""
        service = BY_NAME[name]
        self.check_established(name)
        check_priority(fields["Priority"])
        if "MoveDestination" in fields:
            fields["MoveDestination"] = checked_title(fields["MoveDestination"], "move_aet").strip()
        context = context_for(self.connection, str(query_model))
        command = scu.command_for(service, check_id(msg_id), str(query_model), **fields)
        data = encoded(dataset, context)
        logger.info("Sending %s Request: MsgID %d", plain_name(service), msg_id)
        answer = scp.answer if name == "C-FIND" else asked.only(dataset, scp.answer)
        return Question(service, context, command, data, answer)

    def ask_normalized(
        self,
        name: str,
        dataset: Dataset | None,
        uids: tuple[str, str | None],
        msg_id: int,
        meta_uid: str | None,
        **fields: Any,
    ) -> Question:
        """Prepare a request of an N-service; see `n_event_report`."""
        service = BY_NAME[name]
        self.check_established(name)
        any_role = name == "N-EVENT-REPORT"  # PS3.7 10.1.1: it goes from the SCP to the SCU
        context = context_for(self.connection, str(meta_uid or uids[0]), any_role)
        fields[service.instance_uid] = None if uids[1] is None else str(uids[1])
        command = scu.command_for(service, check_id(msg_id), str(uids[0]), **fields)
        data = encoded(dataset, context) if dataset is not None else None
        logger.info("Sending %s Request: MsgID %d", plain_name(service), msg_id)
        return Question(service, context, command, data)

    def cancel_request(
        self, msg_id: int, context_id: int | None, query_model: str | None
    ) -> tuple[int, Command]:
        """Prepare a C-CANCEL request: its context ID and its command; see `send_c_cancel`."""
        if query_model is not None:
            context_id = context_for(self.connection, str(query_model)).context_id
        if context_id is None:
            raise ValueError("'context_id' or 'query_model' is required")
        logger.info("Sending C-CANCEL request")
        return context_id, scu.cancel_for(check_id(msg_id))

    def transfer_syntax(self, context_id: int) -> str:
        """Return the transfer syntax of a presentation context."""
        return self.connection.contexts[context_id].transfer_syntax


def plain_name(service: Service) -> str:
    """Name a service as pynetdicom's log does: "Find", "Event Report"."""
    return service.name[2:].replace("-", " ").title()


def encoded(dataset: Dataset, context: AcceptedContext) -> bytes:
    """Encode a data set for a presentation context; raise ValueError when it cannot be."""
    try:
        return encode(dataset, context.transfer_syntax)
    except DataSetError as error:
        raise ValueError(f"Failed to encode the supplied dataset: {error}") from error


def check_id(number: int, what: str = "A Message ID") -> int:
    """Return a number that fits an element of VR US.

    Raises
    ------
    TypeError, ValueError
        When it is no int from 0 to 65,535.
    """
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{what} must be an int")
    if not 0 <= number <= 0xFFFF:
        raise ValueError(f"{what} must be from 0 to 65,535, not {number}")
    return number


def check_priority(priority: int) -> None:
    """Raise ValueError unless a priority is one (PS3.7 E.1)."""
    if priority not in (0, 1, 2):
        raise ValueError(f"priority must be 0 (medium), 1 (high) or 2 (low), not {priority!r}")


def tags_of(identifiers: list[Any] | None) -> list[int] | None:
    """Return what an N-GET asks for as numbers; None when it is everything."""
    if not identifiers:
        return None
    from pydicom.tag import Tag

    return [int(Tag(each)) for each in identifiers]
