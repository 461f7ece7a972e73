"""`dicomwire movescu`: keys into objects that a peer sends to somebody, or to us (C-MOVE)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwire.apps.asking import MESSAGE_ID, ask, show_request
from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.leftovers import receiving_into
from dicomwire.apps.options import (
    PEER,
    Option,
    ToolParser,
    WrongUse,
    ae_title,
    anyway,
    flag,
    number,
    option,
    refused,
    requestor_options,
)
from dicomwire.apps.output import log
from dicomwire.apps.progress import counting
from dicomwire.apps.querying import (
    ASKING,
    KEYS,
    RETRIEVE_MODELS,
    RETRIEVE_NEGOTIATION,
    propose,
    questions,
)
from dicomwire.apps.receiving import OUTPUT, Receiver, check_extension, storage_contexts, writable
from dicomwire.apps.requesting import Requestor, entity
from dicomwire.apps.retrieving import Retrieval
from dicomwire.apps.running import run
from dicomwire.apps.serving import beside
from dicomwire.apps.syntaxes import PREFER_TO_RECEIVE, PROPOSE_PLAIN, UNCOMPRESSED, supported
from dicomwire.apps.tls_options import CLIENT
from dicomwire.network import events as evt
from dicomwire.network.association import Association
from dicomwire.network.options import Options
from dicomwire.protocol.errors import LocalError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

STORE_PORT = 11113
STORE_TITLE = "STORESCP"

_DESTINATION: tuple[Option, ...] = (
    option(
        "-aem --move-aet --move",
        f"AE title to send to (default: {STORE_TITLE}; with +P ours)",
        common=True,
        type=ae_title,
        dest="move_aet",
        metavar="TITLE",
    ),
    option(
        "+P --port",
        "receive the objects here, on this port, as our own AE title",
        common=True,
        type=number(0, 65535),
        dest="own_port",
        metavar="PORT",
    ),
    flag("--store", "receive the objects here", dest="store"),
    option(
        "--store-port",
        f"on this port (with --store, default: {STORE_PORT})",
        type=number(0, 65535),
        default=STORE_PORT,
        metavar="PORT",
    ),
    option(
        "--store-aet",
        f"as this AE title (with --store, default: {STORE_TITLE})",
        type=ae_title,
        default=STORE_TITLE,
        metavar="TITLE",
    ),
    option("-ba --bind-address", "the interface's address to receive on (default: all IPv4)",
           default="", metavar="ADDRESS"),
    anyway("--no-port", "receive nothing unless asked to"),
    anyway("-ac --access-full", "take connections from any host"),
    refused("+ac --access-control", "there are no TCP wrappers; use a firewall or TLS"),
    anyway("-dhl --disable-host-lookup", "look up no host names"),
    anyway("-pi --pending-ignore", "expect no data set with pending responses"),
    anyway("-pr --pending-read", "read one that comes and drop it"),
    anyway("-up --uid-padding", "take UIDs without the spaces at their end"),
)  # fmt: skip


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "movescu",
        "[options] addr port [query-file...]",
        "Has a DICOM application send objects to an AE title (C-MOVE, PS3.4 Annex C).",
        "-k 0008,0052=PATIENT -k PatientID=X -aem ME pacs 104",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("Query", (*RETRIEVE_MODELS, *KEYS))
    parser.add_options("Destination", _DESTINATION)
    rare = [each._replace(common=False) for each in OUTPUT]
    parser.add_options("Output, when received here", rare)
    parser.add_options("Network", (*requestor_options("MOVESCU"), *ASKING))
    parser.add_options("Extended negotiation", RETRIEVE_NEGOTIATION)
    parser.add_options("Proposed transfer syntaxes of the query", PROPOSE_PLAIN)
    parser.add_options("Preferred transfer syntax, when received here", PREFER_TO_RECEIVE)
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Receive, if asked to, and ask each question over one association."""
    check_extension(args.extension)
    asked, requestor = questions(args), Requestor(args)
    with receiving(args) as ready:
        return move_all(args, requestor, asked) if ready else Exit.NOT_HERE


def own_port(args: argparse.Namespace) -> int | None:
    """Return the port to receive on; None when nothing is to be received here."""
    if args.own_port is not None and args.store:
        raise WrongUse("+P and --store both say where to receive: give only one of them")
    if args.own_port is None:
        return int(args.store_port) if args.store else None
    return int(args.own_port)


def destination(args: argparse.Namespace) -> str:
    """Return the AE title that the peer shall send to."""
    if args.move_aet is not None:
        return str(args.move_aet)
    if args.store:
        return str(args.store_aet)
    return STORE_TITLE if args.own_port is None else str(args.calling_aet)


@contextmanager
def receiving(args: argparse.Namespace) -> Iterator[bool]:
    """Receive objects until the end of the block, if the options ask for it.

    Yields
    ------
    bool
        Whether all is ready; when it is not, why has been said.
    """
    port = own_port(args)
    if port is None:
        yield True
        return
    folder = None if args.ignore else writable(Path(args.output_directory))
    if folder is None and not args.ignore:
        yield False
        return
    options = Options(store_directory=folder, drop_stores=args.ignore)
    ae = entity(args.store_aet if args.store else args.calling_aet, args, options=options)
    contexts = storage_contexts(supported(args, first=UNCOMPRESSED[:1]))
    receiver = Receiver(folder, args.extension, args.unique_filenames, args.replace)
    bound = [(evt.EVT_C_STORE, receiver)]
    with receiving_into(folder), beside(ae, args, port, contexts, bound) as server:
        yield server is not None


def move_all(args: argparse.Namespace, requestor: Requestor, asked: Sequence[Dataset]) -> Exit:
    """Ask each question over one association; say what became of the objects."""
    proposal, title = propose(args, "Move", UNCOMPRESSED), destination(args)
    assoc = requestor.associate(proposal.contexts, proposal.items)
    if assoc is None:
        return Exit.NO_ASSOCIATION
    retrieval = Retrieval(f"sent to {title}", args.cancel is not None)
    codes = []
    with counting("Moving", args.shows) as retrieval.show:
        for identifier in asked:
            codes.append(move(assoc, proposal.model, identifier, title, retrieval, args.cancel))
            if codes[-1] not in (Exit.DONE, Exit.FAILED):
                break
    left = requestor.leave(assoc)
    retrieval.conclude()
    if Exit.INTERRUPTED in codes:
        return Exit.INTERRUPTED
    return max(codes) if left else Exit.ENDED_EARLY


def move(
    assoc: Association,
    model: str,
    identifier: Dataset,
    title: str,
    retrieval: Retrieval,
    cancel_after: int | None = None,
) -> Exit:
    """Ask one question.

    Parameters
    ----------
    assoc : Association
        For the model.
    model : str
        UID of the information model.
    identifier : Dataset
        The keys.
    title : str
        The destination.
    retrieval : Retrieval
        Takes the responses.
    cancel_after : int, optional
        After how many responses the peer is asked to stop.
    """
    show_request("C-MOVE", identifier)
    retrieval.begin()
    send = partial(assoc.send_c_move, identifier, title, model, MESSAGE_ID)
    try:
        last = ask(assoc, "C-MOVE", model, send, retrieval.pending, cancel_after)
    except (RuntimeError, ValueError, LocalError) as error:
        log.error("%s", error)
        return Exit.FAILED if assoc.is_established else Exit.ENDED_EARLY
    return retrieval.end(last)
