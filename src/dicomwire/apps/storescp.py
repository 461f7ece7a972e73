"""`dicomwire storescp`: a port and a folder into a receiver of DICOM objects (C-STORE)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dicomwire.apps.exits import Exit
from dicomwire.apps.leftovers import receiving_into
from dicomwire.apps.options import (
    LISTEN,
    Option,
    ToolParser,
    acceptor_options,
    anyway,
    flag,
    number,
    option,
    refused,
    seconds,
)
from dicomwire.apps.receiving import (
    OUTPUT,
    PERFORMED,
    Receiver,
    check_extension,
    storage_contexts,
    writable,
)
from dicomwire.apps.requesting import entity
from dicomwire.apps.running import run
from dicomwire.apps.serving import serve
from dicomwire.apps.syntaxes import PREFER, UNCOMPRESSED, supported
from dicomwire.apps.tls_options import SERVER
from dicomwire.network import events as evt
from dicomwire.network.events import Event, HandlerArgType
from dicomwire.network.options import Options
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.pdus import AssociateRJ

VERIFICATION = "1.2.840.10008.1.1"
_NO_COMMANDS = "no commands are run; watch the folder: a file appears there when it is complete"
_NO_SORTING = "all files go into one folder, named by their SOP Instance UIDs"

_NEVER: tuple[Option, ...] = (
    refused("--timenames", "files are named by UIDs; +uf gives each a name of its own"),
    refused("-ss --sort-conc-studies", _NO_SORTING, 1),
    refused("-su --sort-on-study-uid", _NO_SORTING, 1),
    refused("-sp --sort-on-patientname", _NO_SORTING),
    refused("-xcr --exec-on-reception", _NO_COMMANDS, 1),
    refused("-xcs --exec-on-eostudy", _NO_COMMANDS, 1),
    refused("-rns --rename-on-eostudy", _NO_SORTING),
    refused("-tos --eostudy-timeout", _NO_COMMANDS, 1),
    refused("-xs --exec-sync", _NO_COMMANDS),
)
_WHAT: tuple[Option, ...] = (
    flag("-pm --promiscuous", "accept private and unknown SOP classes too", common=True),
    flag("--no-echo", "do not answer C-ECHO"),
    flag("--no-check", "take data sets without a look whether they are whole and what they say"),
    flag("--no-flush", "answer before the disk has the object (quicker; a power cut may lose it)"),
    anyway("-up --uid-padding", "take UIDs without the spaces at their end"),
    flag("--refuse", "refuse every association"),
    flag("--reject", "refuse associations without Implementation Class UID", dest="reject"),
    option(
        "--workers",
        "serve with this many processes, for more than one sender at a time (default: 1)",
        common=True,
        type=number(1, 256),
        default=1,
        metavar="N",
    ),
    option(
        "--sleep-after",
        "wait before each response",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    ),
    refused("--sleep-during", "a data set is taken as fast as it comes; try --sleep-after", 1),
    flag("--abort-after", "abort instead of responding"),
    refused("--abort-during", "a data set is taken to its end; try --abort-after"),
)


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "storescp",
        "[options] port",
        "Receives DICOM objects (C-STORE, PS3.4 Annex B) into files named CT.<UID>.",
        "-v -od received 11112",
    )
    parser.add_options("Where", LISTEN)
    parser.add_options("Output", (*OUTPUT, *_NEVER))
    parser.add_options("Network", (*acceptor_options("STORESCP"), *_WHAT))
    parser.add_options("Preferred transfer syntax", PREFER)
    parser.add_options("TLS", SERVER)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Receive until stopped."""
    check_extension(args.extension)
    folder = None
    if not args.ignore:
        folder = writable(Path(args.output_directory))
        if folder is None:
            return Exit.NOT_HERE
    ae = entity(args.ae_title, args, options=settings(args, folder))
    with receiving_into(folder):
        return serve(ae, args, contexts(args), handlers(args, folder))


def settings(args: argparse.Namespace, folder: Path | None) -> Options:
    """Return what the options say of associations."""
    return Options(
        store_directory=folder,
        drop_stores=folder is None,
        flush_stores=not args.no_flush,
        check_stores=not args.no_check,
        accept_any_storage=args.promiscuous,
        asynchronous_operations=(1, PERFORMED),
    )


def contexts(args: argparse.Namespace) -> list[PresentationContext]:
    """Return what is supported: all storage SOP classes, retired ones too, and Verification."""
    syntaxes = supported(args, first=UNCOMPRESSED[:1])
    made = storage_contexts(syntaxes)
    return made if args.no_echo else [*made, build_context(VERIFICATION, list(syntaxes))]


def handlers(args: argparse.Namespace, folder: Path | None) -> list[HandlerArgType]:
    """Return what handles the requests, as the options say."""
    receiver = Receiver(
        folder,
        args.extension,
        args.unique_filenames,
        args.replace,
        args.sleep_after or 0.0,
        args.abort_after,
    )
    bound: list[HandlerArgType] = [(evt.EVT_C_STORE, receiver)]
    if args.refuse or args.reject:
        bound.append((evt.EVT_REQUESTED, _refuse, [args.refuse]))
    return bound


def _refuse(event: Event, everybody: bool) -> None:
    """Reject the association for good, without a reason (PS3.8 Table 9-21)."""
    if everybody or not event.assoc.requestor.implementation_class_uid:
        event.assoc.connection.step(AssociateRJ(1, 1, 1))
        event.assoc.driver.flush()
