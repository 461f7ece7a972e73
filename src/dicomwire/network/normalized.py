"""The DIMSE-N services as methods: pynetdicom's names over the conversations of `services`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomwire.dataset.errors import DataSetError
from dicomwire.network.asking import Operations
from dicomwire.network.preparing import check_id, tags_of
from dicomwire.protocol.errors import Ended
from dicomwire.protocol.messages import Memory
from dicomwire.services.response import Response
from dicomwire.standard.statuses import Category

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

logger = logging.getLogger("dicomwire.association")

PROCESSING_FAILURE = 0x0110  # PS3.7 Annex C


class NormalizedOperations(Operations):
    """The DIMSE-N services that an association can be asked for (PS3.7 10).

    `n_get` and the like return the `Response`, whose `decode()` gives the data set that came with
    it, and raise `Ended` when the association ended before there was one; and as `send_n_get`.

    `send_n_get` and the like, but for N-DELETE, return a pair: the status as a Dataset with
    (0000,0900), empty when there was no valid response (see `ended`), and the data set that came
    with it, None when it failed. They raise RuntimeError when the association is not established,
    ValueError when no accepted presentation context can carry the request.
    """

    def n_event_report(
        self,
        dataset: Dataset | None,
        event_type: int,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
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
        """
        question = self.ask_normalized(
            "N-EVENT-REPORT", dataset, (class_uid, instance_uid), msg_id, meta_uid,
            EventTypeID=check_id(event_type, "An Event Type ID"),
        )  # fmt: skip
        return self._ask(question)

    def n_get(
        self,
        identifier_list: list[Any] | None,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Ask for attributes of a SOP instance (N-GET, PS3.7 10.1.2).

        Parameters
        ----------
        identifier_list : list of tags or None
            Which; none means all.
        class_uid, instance_uid, msg_id, meta_uid
            See `n_event_report`.
        """
        question = self.ask_normalized(
            "N-GET", None, (class_uid, instance_uid), msg_id, meta_uid,
            AttributeIdentifierList=tags_of(identifier_list),
        )  # fmt: skip
        return self._ask(question)

    def n_set(
        self,
        dataset: Dataset,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Change attributes of a SOP instance (N-SET, PS3.7 10.1.3).

        Parameters
        ----------
        dataset : Dataset
            The modification list.
        class_uid, instance_uid, msg_id, meta_uid
            See `n_event_report`.
        """
        question = self.ask_normalized(
            "N-SET", dataset, (class_uid, instance_uid), msg_id, meta_uid,
        )  # fmt: skip
        return self._ask(question)

    def n_action(
        self,
        dataset: Dataset | None,
        action_type: int,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Ask a SOP instance for an action (N-ACTION, PS3.7 10.1.4).

        Parameters
        ----------
        dataset : Dataset or None
            The action information.
        action_type : int
            Action Type ID.
        class_uid, instance_uid, msg_id, meta_uid
            See `n_event_report`.
        """
        question = self.ask_normalized(
            "N-ACTION", dataset, (class_uid, instance_uid), msg_id, meta_uid,
            ActionTypeID=check_id(action_type, "An Action Type ID"),
        )  # fmt: skip
        return self._ask(question)

    def n_create(
        self,
        dataset: Dataset | None,
        class_uid: str,
        instance_uid: str | None = None,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Create a SOP instance (N-CREATE, PS3.7 10.1.5).

        Parameters
        ----------
        dataset : Dataset or None
            The attribute list.
        class_uid : str
            The SOP class.
        instance_uid : str, optional
            The SOP instance; None lets the SCP choose, and the response then holds
            AffectedSOPInstanceUID.
        msg_id, meta_uid
            See `n_event_report`.
        """
        question = self.ask_normalized(
            "N-CREATE", dataset, (class_uid, instance_uid), msg_id, meta_uid,
        )  # fmt: skip
        return self._ask(question)

    def n_delete(
        self,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Delete a SOP instance (N-DELETE, PS3.7 10.1.6).

        Parameters
        ----------
        class_uid, instance_uid, msg_id, meta_uid
            See `n_event_report`.
        """
        question = self.ask_normalized(
            "N-DELETE", None, (class_uid, instance_uid), msg_id, meta_uid,
        )  # fmt: skip
        return self._ask(question)

    # -- as pynetdicom's programs ask ----------------------------------------------------------

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
        dataset, event_type, class_uid, instance_uid, msg_id, meta_uid
            See `n_event_report`.

        Returns
        -------
        status : Dataset
            See the class.
        reply : Dataset or None
            The event reply.
        """
        return self._normalized(
            lambda: self.n_event_report(
                dataset, event_type, class_uid, instance_uid, msg_id, meta_uid
            )
        )

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
        identifier_list, class_uid, instance_uid, msg_id, meta_uid
            See `n_get`.

        Returns
        -------
        status : Dataset
            See the class.
        attributes : Dataset or None
            The attribute list.
        """
        return self._normalized(
            lambda: self.n_get(identifier_list, class_uid, instance_uid, msg_id, meta_uid)
        )

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
        dataset, class_uid, instance_uid, msg_id, meta_uid
            See `n_set`.

        Returns
        -------
        status : Dataset
            See the class.
        attributes : Dataset or None
            The attribute list.
        """
        return self._normalized(
            lambda: self.n_set(dataset, class_uid, instance_uid, msg_id, meta_uid)
        )

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
        dataset, action_type, class_uid, instance_uid, msg_id, meta_uid
            See `n_action`.

        Returns
        -------
        status : Dataset
            See the class.
        reply : Dataset or None
            The action reply.
        """
        return self._normalized(
            lambda: self.n_action(dataset, action_type, class_uid, instance_uid, msg_id, meta_uid)
        )

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
        dataset, class_uid, instance_uid, msg_id, meta_uid
            See `n_create`.

        Returns
        -------
        status : Dataset
            See the class.
        attributes : Dataset or None
            The attribute list.
        """
        return self._normalized(
            lambda: self.n_create(dataset, class_uid, instance_uid, msg_id, meta_uid)
        )

    def send_n_delete(
        self,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Dataset:
        """Delete a SOP instance (N-DELETE, PS3.7 10.1.6).

        Parameters
        ----------
        class_uid, instance_uid, msg_id, meta_uid
            See `n_delete`.

        Returns
        -------
        Dataset
            With Status (0000,0900); empty when there was no valid response: see `ended`.
        """
        return self._normalized(lambda: self.n_delete(class_uid, instance_uid, msg_id, meta_uid))[0]

    def _normalized(self, ask: Callable[[], Response]) -> tuple[Dataset, Dataset | None]:
        """Return what a response says and brought, as pynetdicom's programs expect it."""
        from pydicom.dataset import Dataset

        try:
            return _with_data(ask())
        except Ended:
            return Dataset(), None


def _with_data(response: Response) -> tuple[Dataset, Dataset | None]:
    """Return what a response to an N-service says, and the data set that came with it."""
    from pydicom.dataset import Dataset

    status = response.dataset()
    if response.category not in (Category.SUCCESS, Category.WARNING):
        return status, None
    if not isinstance(response.message.data, Memory):
        return status, Dataset()
    try:
        return status, response.decode()
    except DataSetError:
        logger.exception("The data set of a response cannot be decoded")
        status.Status = PROCESSING_FAILURE
        return status, None
