"""The DIMSE-N services as coroutine methods over the conversations of `services`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwire.network.aio.composite import Operations
from dicomwire.network.preparing import check_id, tags_of
from dicomwire.services.response import Response

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class NormalizedOperations(Operations):
    """The DIMSE-N services that an association can be asked for (PS3.7 10).

    Arguments and errors are those of the methods of the same names in the blocking API. Each
    returns the `Response`, whose `decode()` gives the data set that came with it.
    """

    async def n_event_report(
        self,
        dataset: Dataset | None,
        event_type: int,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Report an event of a SOP instance (N-EVENT-REPORT, PS3.7 10.1.1)."""
        question = self.ask_normalized(
            "N-EVENT-REPORT", dataset, (class_uid, instance_uid), msg_id, meta_uid,
            EventTypeID=check_id(event_type, "An Event Type ID"),
        )  # fmt: skip
        return await self._ask(question)

    async def n_get(
        self,
        identifier_list: list[Any] | None,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Ask for attributes of a SOP instance (N-GET, PS3.7 10.1.2)."""
        question = self.ask_normalized(
            "N-GET", None, (class_uid, instance_uid), msg_id, meta_uid,
            AttributeIdentifierList=tags_of(identifier_list),
        )  # fmt: skip
        return await self._ask(question)

    async def n_set(
        self,
        dataset: Dataset,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Change attributes of a SOP instance (N-SET, PS3.7 10.1.3)."""
        question = self.ask_normalized(
            "N-SET", dataset, (class_uid, instance_uid), msg_id, meta_uid,
        )  # fmt: skip
        return await self._ask(question)

    async def n_action(
        self,
        dataset: Dataset | None,
        action_type: int,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Ask a SOP instance for an action (N-ACTION, PS3.7 10.1.4)."""
        question = self.ask_normalized(
            "N-ACTION", dataset, (class_uid, instance_uid), msg_id, meta_uid,
            ActionTypeID=check_id(action_type, "An Action Type ID"),
        )  # fmt: skip
        return await self._ask(question)

    async def n_create(
        self,
        dataset: Dataset | None,
        class_uid: str,
        instance_uid: str | None = None,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Create a SOP instance (N-CREATE, PS3.7 10.1.5)."""
        question = self.ask_normalized(
            "N-CREATE", dataset, (class_uid, instance_uid), msg_id, meta_uid,
        )  # fmt: skip
        return await self._ask(question)

    async def n_delete(
        self,
        class_uid: str,
        instance_uid: str,
        msg_id: int = 1,
        meta_uid: str | None = None,
    ) -> Response:
        """Delete a SOP instance (N-DELETE, PS3.7 10.1.6)."""
        question = self.ask_normalized(
            "N-DELETE", None, (class_uid, instance_uid), msg_id, meta_uid,
        )  # fmt: skip
        return await self._ask(question)
