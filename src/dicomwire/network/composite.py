"""The DIMSE-C services as methods: pynetdicom's names over the conversations of `services`."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dicomwire.dataset.errors import NotDicom
from dicomwire.dataset.part10 import FileHeader
from dicomwire.network.asking import Operations
from dicomwire.network.preparing import check_id, check_priority
from dicomwire.network.responses import Answers, Asked, Responses
from dicomwire.network.stores import Stores
from dicomwire.protocol.command import Command
from dicomwire.protocol.errors import Ended, LocalError
from dicomwire.protocol.messages import Message
from dicomwire.services import scu
from dicomwire.services.response import Response
from dicomwire.standard.dimse import C_STORE, LAST_MESSAGE_ID, PRIORITY_LOW

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    Instance = Dataset | str | Path | FileHeader

logger = logging.getLogger("dicomwire.association")

Many = TypeVar("Many", bound=Asked)

VERIFICATION = "1.2.840.10008.1.1"


class CompositeOperations(Operations):
    """The DIMSE-C services that an association can be asked for (PS3.7 9)."""

    _responses: weakref.ref[Asked] | None = None

    # -- C-ECHO and C-STORE ------------------------------------------------------------------

    def c_echo(self, msg_id: int = 1) -> Response:
        """Ask the peer for a sign of life (C-ECHO, PS3.7 9.1.5).

        Parameters
        ----------
        msg_id : int
            Message ID, 0 to 65,535.

        Raises
        ------
        Ended
            Why there was no response.
        RuntimeError, TypeError, ValueError
            As `send_c_echo`.
        """
        return self._ask(self.ask_echo(msg_id))

    def send_c_echo(self, msg_id: int = 1) -> Dataset:
        """Ask the peer for a sign of life, as pynetdicom's programs do.

        Parameters
        ----------
        msg_id : int
            Message ID, 0 to 65,535.

        Returns
        -------
        Dataset
            With Status (0000,0900); empty when there was no valid response: see `ended`.

        Raises
        ------
        RuntimeError
            When the association is not established.
        ValueError
            When Verification was not accepted.
        """
        return _or_nothing(lambda: self.c_echo(msg_id))

    def c_store(
        self,
        dataset: Dataset | str | Path | FileHeader,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        originator_aet: str | None = None,
        originator_id: int | None = None,
        decompress: bool = False,
    ) -> Response:
        """Send a composite SOP instance (C-STORE, PS3.7 9.1.1).

        Parameters
        ----------
        dataset : Dataset, str, Path or FileHeader
            A file is sent as it is, read while it is sent, when its transfer syntax was accepted;
            otherwise it is converted when both are uncompressed.
        msg_id : int
            Message ID, 0 to 65,535.
        priority : int
            0 medium, 1 high, 2 low.
        originator_aet, originator_id : str, int, optional
            Move Originator, for a sub-operation of a C-MOVE.
        decompress : bool
            Whether an instance whose compression was not accepted is decompressed (extra
            ``pixels``), when the peer takes its SOP class uncompressed.

        Raises
        ------
        Ended
            Why there was no response.
        RuntimeError, AttributeError, TypeError, ValueError
            As `send_c_store`.
        """
        prepared = self.prepare_store(
            dataset, msg_id, priority, originator_aet, originator_id, decompress
        )
        with prepared as (what, command):
            conversation = self.store_conversation(what, command)
            response = Response(C_STORE, self._operate("C-STORE", conversation, command))
        self.log_response(response)
        return response

    def c_stores(
        self,
        instances: Iterable[Instance],
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        decompress: bool = False,
    ) -> Iterator[tuple[Instance, Response | Exception]]:
        """Send many composite SOP instances, as many at once as the peer granted.

        One after the other, unless an asynchronous operations window was negotiated
        (`Options.asynchronous_operations`, PS3.7 D.3.3.3). Nothing else can be asked for on the
        association while the loop runs.

        Parameters
        ----------
        instances : iterable of Dataset, str, Path or FileHeader
            See `c_store`. The next is taken when there is room for it.
        msg_id : int
            Message ID of the first, 0 to 65,535; the others count on from it.
        priority : int
            0 medium, 1 high, 2 low.
        decompress : bool
            See `c_store`.

        Yields
        ------
        instance : Dataset, str, Path or FileHeader
            As given; in the order in which the peer answers.
        outcome : Response or Exception
            How it was answered, or why it could not be sent; the rest go on.

        Raises
        ------
        Ended
            Why the association is over; what was not yielded before has no answer.
        RuntimeError
            When the association is not established.
        """
        self.check_established("C-STORE")
        check_priority(priority)
        check_id(msg_id)
        return self._store_all(instances, msg_id, priority=priority, decompress=decompress)

    def _store_all(
        self, instances: Iterable[Instance], first_id: int, **fields: Any
    ) -> Iterator[tuple[Instance, Response | Exception]]:
        stores = Stores(self)
        try:
            for number, instance in enumerate(instances, first_id):
                try:
                    stores.send(instance, instance, msg_id=number % (LAST_MESSAGE_ID + 1), **fields)
                except (LocalError, OSError, TypeError, ValueError, AttributeError) as error:
                    if self.connection.ended is not None:
                        raise
                    yield instance, error
                while len(stores) >= stores.most:
                    yield stores.settle()
            while stores:
                yield stores.settle()
        finally:
            stores.close()

    def send_c_store(
        self,
        dataset: Dataset | str | Path | FileHeader,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
        originator_aet: str | None = None,
        originator_id: int | None = None,
    ) -> Dataset:
        """Send a composite SOP instance, as pynetdicom's programs do; see `c_store`.

        Returns
        -------
        Dataset
            With Status (0000,0900); empty when there was no valid response: see `ended`.

        Raises
        ------
        RuntimeError
            When the association is not established.
        AttributeError
            When SOP Class UID, SOP Instance UID or Transfer Syntax UID is missing.
        ValueError
            When no accepted presentation context can carry it, or it cannot be encoded.
        UnreadableFile
            When a file cannot be sent; also a FileNotFoundError, pydicom's InvalidDicomError, ...
        """
        try:
            return _or_nothing(
                lambda: self.c_store(dataset, msg_id, priority, originator_aet, originator_id)
            )
        except NotDicom as error:
            raise error.as_pydicoms() from None

    # -- C-FIND, C-GET, C-MOVE and C-CANCEL ----------------------------------------------------

    def c_find(
        self, dataset: Dataset, query_model: str, msg_id: int = 1, priority: int = PRIORITY_LOW
    ) -> Answers:
        """Ask for matches (C-FIND, PS3.7 9.1.2), which are decoded only when they are looked at.

        Parameters
        ----------
        dataset, query_model, msg_id, priority
            See `send_c_find`.

        Returns
        -------
        Answers
            To be iterated over: a `Response` for each match, with its identifier as bytes in
            `encoded` and as a Dataset from `decode()`, and a last one with the status.

        Raises
        ------
        Ended
            Here and while iterating: why there are no more responses.
        RuntimeError, ValueError
            As `send_c_find`.
        """
        return self._ask_many(Answers, "C-FIND", dataset, query_model, msg_id, Priority=priority)

    def c_get(
        self, dataset: Dataset, query_model: str, msg_id: int = 1, priority: int = PRIORITY_LOW
    ) -> Answers:
        """Ask for instances over this association, as `send_c_get` does.

        Parameters
        ----------
        dataset, query_model, msg_id, priority
            See `send_c_find`.

        Returns
        -------
        Answers
            To be iterated over: a `Response` for each that comes.

        Raises
        ------
        Ended
            Here and while iterating: why there are no more responses.
        RuntimeError, ValueError
            As `send_c_find`.
        """
        return self._ask_many(Answers, "C-GET", dataset, query_model, msg_id, Priority=priority)

    def c_move(
        self,
        dataset: Dataset,
        move_aet: str,
        query_model: str,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
    ) -> Answers:
        """Ask the peer to send instances to an AE, as `send_c_move` does.

        Parameters
        ----------
        dataset, move_aet, query_model, msg_id, priority
            See `send_c_move`.

        Returns
        -------
        Answers
            To be iterated over: a `Response` for each that comes.

        Raises
        ------
        Ended
            Here and while iterating: why there are no more responses.
        RuntimeError, ValueError
            As `send_c_find`.
        """
        fields = {"Priority": priority, "MoveDestination": move_aet}
        return self._ask_many(Answers, "C-MOVE", dataset, query_model, msg_id, **fields)

    def send_c_find(
        self, dataset: Dataset, query_model: str, msg_id: int = 1, priority: int = PRIORITY_LOW
    ) -> Responses:
        """Ask for matches (C-FIND, PS3.7 9.1.2); the request is sent at once.

        Parameters
        ----------
        dataset : Dataset
            The identifier: keys to match and to return.
        query_model : str
            UID of the information model.
        msg_id : int
            Message ID, 0 to 65,535.
        priority : int
            0 medium, 1 high, 2 low.

        Returns
        -------
        Responses
            Pairs (status, identifier or None), to be iterated over.

        Raises
        ------
        RuntimeError
            When the association is not established.
        ValueError
            When the model was not accepted, or the identifier cannot be encoded.
        """
        return self._query("C-FIND", dataset, query_model, msg_id, Priority=priority)

    def send_c_get(
        self, dataset: Dataset, query_model: str, msg_id: int = 1, priority: int = PRIORITY_LOW
    ) -> Responses:
        """Ask for instances over this association (C-GET, PS3.7 9.1.3).

        They come as C-STORE requests while the responses are iterated over, and go to the handler
        bound to EVT_C_STORE; their SOP classes have to be accepted with this side as SCP. One that
        belongs to no study, series or instance whose UID the identifier gives is refused (0x0124).

        Parameters
        ----------
        dataset : Dataset
            The identifier.
        query_model, msg_id, priority
            See `send_c_find`.

        Returns
        -------
        Responses
            Pairs (status, identifier or None), to be iterated over.
        """
        return self._query("C-GET", dataset, query_model, msg_id, Priority=priority)

    def send_c_move(
        self,
        dataset: Dataset,
        move_aet: str,
        query_model: str,
        msg_id: int = 1,
        priority: int = PRIORITY_LOW,
    ) -> Responses:
        """Ask the peer to send instances to an AE (C-MOVE, PS3.7 9.1.4).

        Parameters
        ----------
        dataset : Dataset
            The identifier.
        move_aet : str
            AE title of the destination; the peer has to know its address.
        query_model, msg_id, priority
            See `send_c_find`.

        Returns
        -------
        Responses
            Pairs (status, identifier or None), to be iterated over.
        """
        return self._query(
            "C-MOVE", dataset, query_model, msg_id, Priority=priority, MoveDestination=move_aet
        )

    def _query(
        self, name: str, dataset: Dataset, query_model: str, msg_id: int, **fields: Any
    ) -> Responses:
        """Send a request that is answered by many responses, as pynetdicom's programs do."""
        return self._ask_many(Responses, name, dataset, query_model, msg_id, **fields)

    def _ask_many(
        self,
        kind: type[Many],
        name: str,
        dataset: Dataset,
        query_model: str,
        msg_id: int,
        **fields: Any,
    ) -> Many:
        """Send a request that is answered by many responses."""
        question = self.ask_many(name, dataset, query_model, msg_id, **fields)
        responses = kind(
            self,
            question.service,
            question.context.context_id,
            question.command,
            question.answer,
        )
        try:
            self.begin(name, question.sending(self.connection))
        except Ended as error:
            responses.cannot_come(error)
        except BaseException:
            responses.were_not_asked_for()
            raise
        self._responses = weakref.ref(responses)
        return responses

    def _close_responses(self) -> None:
        """Close what `_query` returned last, if it is still open: nobody asks for the rest."""
        responses = self._responses() if self._responses else None
        if responses is not None:
            responses.close()

    def send_c_cancel(
        self, msg_id: int, context_id: int | None = None, query_model: str | None = None
    ) -> None:
        """Ask the peer to stop answering a request (C-CANCEL, PS3.7 9.3.2.3), from any thread.

        Parameters
        ----------
        msg_id : int
            Message ID of the request.
        context_id : int, optional
            The presentation context of the request.
        query_model : str, optional
            UID of its information model, instead of `context_id`.

        Raises
        ------
        ValueError
            When neither is given, or the model was not accepted.
        """
        self._send_aside(*self.cancel_request(msg_id, context_id, query_model))

    def next_response(self, command: Command, answer: scu.AnswerRequest) -> Message:
        """Wait for the next response to a request of `_query`."""
        message: Message = self.go_on(scu.response_to(self.connection, command, answer))
        return message


def _or_nothing(ask: Callable[[], Response]) -> Dataset:
    """Return the status of a response; an empty Dataset when the association ended instead."""
    from pydicom.dataset import Dataset

    try:
        return ask().dataset()
    except Ended:
        return Dataset()
