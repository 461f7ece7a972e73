"""`dicomwire echoscp`: a port into a DICOM application that answers C-ECHO."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import LISTEN, ToolParser, acceptor_options
from dicomwire.apps.requesting import entity
from dicomwire.apps.running import run
from dicomwire.apps.serving import serve
from dicomwire.apps.syntaxes import PREFER_UNCOMPRESSED, supported
from dicomwire.apps.tls_options import SERVER
from dicomwire.network.presentation import PresentationContext, build_context

VERIFICATION = "1.2.840.10008.1.1"


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "echoscp",
        "[options] port",
        "Answers DICOM applications that ask for a sign of life (C-ECHO, PS3.4 Annex A).",
        "-v 11112",
    )
    parser.add_options("Where", LISTEN)
    parser.add_options("Network", acceptor_options("ECHOSCP"))
    parser.add_options("Preferred transfer syntax", PREFER_UNCOMPRESSED)
    parser.add_options("TLS", SERVER)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Serve until stopped."""
    return serve(entity(args.ae_title, args), args, contexts(args))


def contexts(args: argparse.Namespace) -> list[PresentationContext]:
    """Return what is supported."""
    return [build_context(VERIFICATION, supported(args))]
