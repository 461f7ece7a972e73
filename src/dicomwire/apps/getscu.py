"""`dicomwire getscu`: keys into files that a peer sends over the same association (C-GET)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwire.apps.asking import MESSAGE_ID, Answer, ask, show_request
from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.leftovers import receiving_into
from dicomwire.apps.options import PEER, ToolParser, requestor_options
from dicomwire.apps.output import log
from dicomwire.apps.progress import counting
from dicomwire.apps.querying import (
    ASKING,
    KEYS,
    RETRIEVE_MODELS,
    RETRIEVE_NEGOTIATION,
    Proposal,
    propose,
    questions,
)
from dicomwire.apps.receiving import OUTPUT, Receiver, check_extension, storage_contexts, writable
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.retrieving import Retrieval
from dicomwire.apps.running import run
from dicomwire.apps.syntaxes import PREFER_TO_GET, PROPOSE_PLAIN, UNCOMPRESSED, to_get
from dicomwire.apps.tls_options import CLIENT
from dicomwire.network import events as evt
from dicomwire.network.options import Options
from dicomwire.network.presentation import PresentationContext, build_role
from dicomwire.network.turns import Total, plan
from dicomwire.protocol.errors import LocalError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

COMPRESSED = (
    "Check: what is compressed may have to be asked for so, e.g. with +xs, +xy or +xv (--help-all)"
)


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "getscu",
        "[options] addr port [query-file...]",
        "Fetches objects over the same association (C-GET, PS3.4 Annex C) into files.",
        "-S -k 0008,0052=STUDY -k StudyInstanceUID=1.2 pacs 104",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("Query", (*RETRIEVE_MODELS, *KEYS))
    parser.add_options("Output", OUTPUT)
    parser.add_options("Network", (*requestor_options("GETSCU"), *ASKING))
    parser.add_options("Extended negotiation", RETRIEVE_NEGOTIATION)
    parser.add_options("Proposed transfer syntaxes of the query", PROPOSE_PLAIN)
    parser.add_options("Transfer syntaxes of the objects (else uncompressed ones)", PREFER_TO_GET)
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Get what each question asks for, over as many associations as that needs."""
    check_extension(args.extension)
    asked = questions(args)
    folder = None
    if not args.ignore:
        folder = writable(Path(args.output_directory))
        if folder is None:
            return Exit.NOT_HERE
    requestor = Requestor(args, Options(store_directory=folder, drop_stores=args.ignore))
    receiver = Receiver(folder, args.extension, args.unique_filenames, args.replace)
    proposal = propose(args, "Get", UNCOMPRESSED)
    turns = plan(proposal.model, storage_contexts(*to_get(args)))
    retrieval = Retrieval("received", args.cancel is not None)
    codes = [Exit.DONE]
    with receiving_into(folder), counting("Receiving", args.shows) as retrieval.show:
        for identifier in asked:
            getting = Getting(requestor, proposal, receiver, retrieval, args.cancel)
            codes.append(getting.run(identifier, turns))
            if codes[-1] not in (Exit.DONE, Exit.FAILED):
                break
    if retrieval.over:
        retrieval.conclude()
        if retrieval.any_failed and args.preferred is None:
            log.error("%s", COMPRESSED)
    return codes[-1] if codes[-1] not in (Exit.DONE, Exit.FAILED) else max(codes)


class Getting:
    """One C-GET, over one association after another until nothing is left to be had.

    Parameters
    ----------
    requestor : Requestor
        Asks for the associations.
    proposal : Proposal
        Of the query.
    receiver : Receiver
        Takes the objects.
    retrieval : Retrieval
        Takes the responses.
    cancel_after : int, optional
        After how many responses the peer is asked to stop.
    """

    def __init__(
        self,
        requestor: Requestor,
        proposal: Proposal,
        receiver: Receiver,
        retrieval: Retrieval,
        cancel_after: int | None,
    ) -> None:
        self._requestor = requestor
        self._proposal = proposal
        self._retrieval = retrieval
        self._cancel_after = cancel_after
        self._total = Total()
        self._store = self._total.noting(receiver)

    def run(self, identifier: Dataset, turns: Sequence[Sequence[PresentationContext]]) -> Exit:
        """Get what an identifier asks for.

        Parameters
        ----------
        identifier : Dataset
            The keys.
        turns : sequence of sequence of PresentationContext
            See `network.turns.plan`.
        """
        for number, contexts in enumerate(turns, 1):
            code = self._turn(identifier, contexts[1:], number == 1, number == len(turns))
            if code is not None:
                return code
        raise AssertionError("the last turn has an outcome")

    def _turn(
        self,
        identifier: Dataset,
        contexts: Sequence[PresentationContext],
        is_first: bool,
        is_last: bool,
    ) -> Exit | None:
        """Ask over one association; None when another one may bring more."""
        model = self._proposal.model
        classes = dict.fromkeys(str(each.abstract_syntax) for each in contexts)
        roles = [build_role(uid, scp_role=True) for uid in classes]
        assoc = self._requestor.associate(
            [*self._proposal.contexts, *contexts],
            [*roles, *self._proposal.items],
            [(evt.EVT_C_STORE, self._store)],
        )
        if assoc is None:
            return Exit.NO_ASSOCIATION
        show_request("C-GET", identifier)
        if is_first:
            self._retrieval.begin()
        send = partial(assoc.send_c_get, identifier, model, MESSAGE_ID)
        try:
            last = ask(assoc, "C-GET", model, send, self._retrieval.pending, self._cancel_after)
        except (RuntimeError, ValueError, LocalError) as error:
            log.error("%s", error)
            self._requestor.leave(assoc)
            return Exit.NO_ASSOCIATION
        code = self._outcome(last, is_last)
        left = self._requestor.leave(assoc)
        return code if left or code is Exit.INTERRUPTED else Exit.ENDED_EARLY

    def _outcome(self, last: Answer, is_last: bool) -> Exit | None:
        more = bool(last.status) and self._total.add(last.status, last.identifier)
        if more and not is_last and not last.interrupted:
            log.info("%d of the objects may come over another association", self._total.failed)
            return None
        if last.status:
            status, failed = self._total.summary()
            last = last._replace(status=status, identifier=failed)
        return self._retrieval.end(last)
