"""The DIMSE-N services as methods: pynetdicom's names over the conversations of `services`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dicomwire.dataset.codec import decode
from dicomwire.dataset.errors import DataSetError
from dicomwire.network.asking import Operations, check_id, encoded, plain_name
from dicomwire.protocol.errors import Ended
from dicomwire.protocol.messages import Memory
from dicomwire.protocol.negotiation import AcceptedContext
from dicomwire.services import scp, scu
from dicomwire.services.response import Response
from dicomwire.services.sending import context_for
from dicomwire.standard.dimse import BY_NAME
from dicomwire.standard.statuses import Category

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

logger = logging.getLogger("dicomwire.association")

PROCESSING_FAILURE = 0x0110  # PS3.7 Annex C


class NormalizedOperations(Operations):
    """The DIMSE-N services that an association can be asked for (PS3.7 10).

    All but N-DELETE return a pair: the status as a Dataset with (0000,0900), empty when there was
    no valid response (see `ended`), and the data set that came with it, None when it failed.
    """

    def send_n_event_report(
        self,
        dataset: Dataset | None,
        event_type: int,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> tuple[Dataset, Dataset | None]:
        """Report an event of a SOP instance (N-EVENT-REPORT, PS3.7 10.1.1).

        Parameters
        ----------
        dataset : Dataset or None
            The event information.
        event_type : int
            Event Type ID.
        class_uid, instance_uid : str
            The SOP instance.
        msg_id : int
            Message ID, 0 to 65,535.
        meta_uid : str, optional
            The Meta SOP Class whose presentation context is used.

        Returns
        -------
        status : Dataset
            See the class.
        reply : Dataset or None
            The event reply.
        """
        return self._normalized(
            "N-EVENT-REPORT", dataset, (class_uid, instance_uid), msg_id, meta_uid,
            EventTypeID=check_id(event_type, "An Event Type ID"),
        )  # fmt: skip

    def send_n_get(
        self,
        identifier_list: list[Any] | None,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> tuple[Dataset, Dataset | None]:
        """Ask for attributes of a SOP instance (N-GET, PS3.7 10.1.2).

        Parameters
        ----------
        identifier_list : list of tags or None
            Which; none means all.
        class_uid, instance_uid, msg_id, meta_uid
            See `send_n_event_report`.

        Returns
        -------
        status : Dataset
            See the class.
        attributes : Dataset or None
            The attribute list.
        """
        return self._normalized(
            "N-GET", None, (class_uid, instance_uid), msg_id, meta_uid,
            AttributeIdentifierList=_tags(identifier_list),
        )  # fmt: skip

    def send_n_set(
        self,
        dataset: Dataset,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> tuple[Dataset, Dataset | None]:
        """Change attributes of a SOP instance (N-SET, PS3.7 10.1.3).

        Parameters
        ----------
        dataset : Dataset
            The modification list.
        class_uid, instance_uid, msg_id, meta_uid
            See `send_n_event_report`.

        Returns
        -------
        status : Dataset
            See the class.
        attributes : Dataset or None
            The attribute list.
        """
        return self._normalized("N-SET", dataset, (class_uid, instance_uid), msg_id, meta_uid)

    def send_n_action(
        self,
        dataset: Dataset | None,
        action_type: int,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> tuple[Dataset, Dataset | None]:
        """Ask a SOP instance for an action (N-ACTION, PS3.7 10.1.4).

        Parameters
        ----------
        dataset : Dataset or None
            The action information.
        action_type : int
            Action Type ID.
        class_uid, instance_uid, msg_id, meta_uid
            See `send_n_event_report`.

        Returns
        -------
        status : Dataset
            See the class.
        reply : Dataset or None
            The action reply.
        """
        return self._normalized(
            "N-ACTION", dataset, (class_uid, instance_uid), msg_id, meta_uid,
            ActionTypeID=check_id(action_type, "An Action Type ID"),
        )  # fmt: skip

    def send_n_create(
        self,
        dataset: Dataset | None,
        class_uid: str,
        instance_uid: str | None = None,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> tuple[Dataset, Dataset | None]:
        """Create a SOP instance (N-CREATE, PS3.7 10.1.5).

        Parameters
        ----------
        dataset : Dataset or None
            The attribute list.
        class_uid : str
            The SOP class.
        instance_uid : str, optional
            The SOP instance; None lets the SCP choose, and the status then holds
            AffectedSOPInstanceUID.
        msg_id, meta_uid
            See `send_n_event_report`.

        Returns
        -------
        status : Dataset
            See the class.
        attributes : Dataset or None
            The attribute list.
        """
        return self._normalized("N-CREATE", dataset, (class_uid, instance_uid), msg_id, meta_uid)

    def send_n_delete(
        self, class_uid: str, instance_uid: str, msg_id: int = 1, meta_uid: str | None = None
    ) -> Dataset:
        """Delete a SOP instance (N-DELETE, PS3.7 10.1.6).

        Parameters
        ----------
        class_uid, instance_uid, msg_id, meta_uid
            See `send_n_event_report`.

        Returns
        -------
        Dataset
            With Status (0000,0900); empty when there was no valid response: see `ended`.
        """
        return self._normalized("N-DELETE", None, (class_uid, instance_uid), msg_id, meta_uid)[0]

    def _normalized(
        self,
        name: str,
        dataset: Dataset | None,
        uids: tuple[str, str | None],
        msg_id: int,
        meta_uid: str | None,
        **fields: Any,
    ) -> tuple[Dataset, Dataset | None]:
        from pydicom.dataset import Dataset

        service = BY_NAME[name]
        self.check_established(name)
        any_role = name == "N-EVENT-REPORT"  # PS3.7 10.1.1: it goes from the SCP to the SCU
        context = context_for(self.connection, str(meta_uid or uids[0]), any_role)
        fields[service.instance_uid] = None if uids[1] is None else str(uids[1])
        command = scu.command_for(service, check_id(msg_id), str(uids[0]), **fields)
        data = encoded(dataset, context) if dataset is not None else None
        logger.info("Sending %s Request: MsgID %d", plain_name(service), msg_id)
        conversation = scu.request(self.connection, context.context_id, command, scp.answer, data)
        try:
            response = self._ask(conversation, service, command)
        except Ended:
            return Dataset(), None
        return _with_data(response, context)


def _with_data(response: Response, context: AcceptedContext) -> tuple[Dataset, Dataset | None]:
    """Return what a response to an N-service says, and the data set that came with it."""
    from pydicom.dataset import Dataset

    status = response.dataset()
    if response.category not in (Category.SUCCESS, Category.WARNING):
        return status, None
    sink = response.message.data
    if not isinstance(sink, Memory):
        return status, Dataset()
    try:
        return status, decode(bytes(sink.data), context.transfer_syntax)
    except DataSetError:
        logger.exception("The data set of a response cannot be decoded")
        status.Status = PROCESSING_FAILURE
        return status, None


def _tags(identifiers: list[Any] | None) -> list[int] | None:
    if not identifiers:
        return None
    from pydicom.tag import Tag

    return [int(Tag(each)) for each in identifiers]
