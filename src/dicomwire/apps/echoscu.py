"""`dicomwire echoscu`: an address into whether a DICOM application answers there (C-ECHO)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.options import PEER, ToolParser, number, option, requestor_options
from dicomwire.apps.output import log
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.running import run
from dicomwire.apps.syntaxes import REQUEST, UNCOMPRESSED
from dicomwire.apps.tls_options import CHECKS, CLIENT
from dicomwire.network.association import Association
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.errors import Ended
from dicomwire.standard.statuses import Category
from dicomwire.standard.transfer_syntaxes import ALL_TRANSFER_SYNTAXES

VERIFICATION = "1.2.840.10008.1.1"
LAST_ID = 0xFFFF  # of a message, PS3.7 E.2

_ECHO = (
    option("--repeat", "ask so many times (default: 1)", common=True, type=number(1), default=1,
           metavar="N"),
)  # fmt: skip
_NEGOTIATION = (
    option(
        "-ppc --propose-pc",
        "propose N presentation contexts (default: 1)",
        type=number(1, 128),
        default=1,
        metavar="N",
        dest="context_count",
    ),
    option(
        "-pts --propose-ts",
        "propose N transfer syntaxes (default: the 4 uncompressed ones)",
        type=number(1, len(ALL_TRANSFER_SYNTAXES)),
        metavar="N",
        dest="syntax_count",
    ),
)


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "echoscu",
        "[options] addr port",
        "Asks a DICOM application for a sign of life (C-ECHO, PS3.4 Annex A).",
        "-v -aec ORTHANC 192.168.1.20 4242",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("Network", (*requestor_options("ECHOSCU"), *_ECHO))
    parser.add_options("Proposal", (*REQUEST, *_NEGOTIATION))
    parser.add_options("User identity", USER)
    parser.add_options("TLS", (*CLIENT, *CHECKS))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Ask for an association and echo."""
    requestor = Requestor(args)
    assoc = requestor.associate(_contexts(args))
    if assoc is None:
        return Exit.NO_ASSOCIATION
    failed = 0
    for index in range(args.repeat):
        if not assoc.is_established:
            break
        failed += not echo(assoc, index % LAST_ID + 1)
    if not requestor.leave(assoc):
        return Exit.ENDED_EARLY
    return Exit.FAILED if failed else Exit.DONE


def _contexts(args: argparse.Namespace) -> list[PresentationContext]:
    syntaxes = [*UNCOMPRESSED, *(uid for uid in ALL_TRANSFER_SYNTAXES if uid not in UNCOMPRESSED)]
    chosen = syntaxes[: args.syntax_count or len(UNCOMPRESSED)]
    if args.proposed:
        chosen = [*args.proposed[0]]
    return [build_context(VERIFICATION, chosen) for _ in range(args.context_count)]


def echo(assoc: Association, message_id: int) -> bool:
    """Send one C-ECHO request and say what the answer is; tell whether it is success."""
    log.info("Sending Echo Request (MsgID %d)", message_id)
    try:
        response = assoc.c_echo(message_id)
    except (RuntimeError, Ended):  # it is over: the caller says why
        return False
    if response.category is Category.SUCCESS:
        log.info("Received Echo Response (Success)")
        return True
    log.error("The echo failed: the peer answered %s", response)
    return False
