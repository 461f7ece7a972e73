"""`dicomwire findscu`: keys into the matches that a peer has for them (C-FIND)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwire.apps.asking import MESSAGE_ID, Answer, ask, ended, show_request
from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.matches import Files, json_line, lines, show_table
from dicomwire.apps.options import (
    PEER,
    Option,
    ToolParser,
    anyway,
    flag,
    number,
    option,
    refused,
    requestor_options,
)
from dicomwire.apps.output import conclusion, log, stop_printing
from dicomwire.apps.querying import (
    ASKING,
    FIND_MODELS,
    FIND_NEGOTIATION,
    KEYS,
    QUERY_ENCODING,
    propose,
    questions,
)
from dicomwire.apps.receiving import writable
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.running import run
from dicomwire.apps.syntaxes import PROPOSE_PLAIN, UNCOMPRESSED
from dicomwire.apps.tls_options import CLIENT
from dicomwire.network.association import Association
from dicomwire.protocol.errors import LocalError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NO_XML = "responses go to DICOM files (-X) or to JSON (--json)"

_OUTPUT: tuple[Option, ...] = (
    flag("--json", "print each match as a line of JSON (PS3.18 Annex F)", common=True),
    flag("--table", "print the matches as a table, a column for each key", common=True),
    flag("-w --write -X --extract", "write each match to a file, rsp0001.dcm and on", common=True,
         dest="write"),
    option("-od --output-directory", "folder for these files, made when missing (default: .)",
           default=".", metavar="FOLDER"),
    option("-Xlo --limit-output", "write no more than N files", type=number(1), metavar="N",
           dest="most_files"),
    flag("+sr --show-responses", "show the matches as lines, though --json, --table or -w is given",
         dest="show", const=True),
    flag("-sr --hide-responses", "do not show the matches as lines", dest="show", const=False),
    refused("-Xx --extract-xml", _NO_XML),
    refused("-Xs --extract-xml-single", _NO_XML, 1),
    anyway("-dc --disable-correction", "take values as they come"),
    refused("+dc --enable-correction", "values are shown as they come"),
)  # fmt: skip


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "findscu",
        "[options] addr port [query-file...]",
        "Searches at a DICOM application (C-FIND, PS3.4 Annexes C and K).",
        "-S -k 0008,0052=STUDY -k PatientName=A* pacs 104",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("Query", (*FIND_MODELS, *KEYS))
    parser.add_options("Output", _OUTPUT)
    parser.add_options("Network", (*requestor_options("FINDSCU"), *ASKING))
    parser.add_options("Extended negotiation", FIND_NEGOTIATION)
    parser.add_options("Proposed transfer syntaxes", (*PROPOSE_PLAIN, *QUERY_ENCODING))
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Ask each question over one association."""
    requestor, asked = Requestor(args), questions(args)
    proposal = propose(args, "Find", UNCOMPRESSED)
    files = None
    if args.write:
        folder = writable(Path(args.output_directory))
        if folder is None:
            return Exit.NOT_HERE
        files = Files(folder, proposal.model, args.most_files)
    assoc = requestor.associate(proposal.contexts, proposal.items)
    if assoc is None:
        return Exit.NO_ASSOCIATION
    shown = Shown(args, files)
    codes = []
    for identifier in asked:
        codes.append(find(assoc, proposal.model, identifier, shown, args.cancel))
        if codes[-1] not in (Exit.DONE, Exit.FAILED):
            break
    left = requestor.leave(assoc)
    if Exit.INTERRUPTED in codes:
        return Exit.INTERRUPTED
    return max(codes) if left else Exit.ENDED_EARLY


class Shown:
    """Shows matches as the options ask.

    Parameters
    ----------
    args : Namespace
        The options.
    files : Files or None
        Where they are written too.
    """

    def __init__(self, args: argparse.Namespace, files: Files | None) -> None:
        self._json, self._table, self._files = args.json, args.table, files
        default = not (args.json or args.table or args.write)
        # as DCMTK does, the matches are shown even without -v when they go nowhere else
        always = default if args.show is None else args.show
        self._say: Callable[..., None] = conclusion.info if always else log.info
        self._hidden = args.show is False
        self.failed = False
        self._count = 0
        self._matches: list[Dataset] = []

    def begin(self) -> None:
        """Begin with the matches of another question."""
        self._count = 0
        self._matches = []

    def add(self, answer: Answer) -> None:
        """Show one match."""
        self._count += 1
        if not self._hidden:
            self._show(answer)
        if answer.identifier is None:
            log.warning("Response %d has no identifier that can be read", self._count)
            return
        if self._json:
            print(json_line(answer.identifier), flush=True)
        if self._table:
            self._matches.append(answer.identifier)
        if self._files is not None:
            self._write(self._files, answer.identifier)

    def end(self, identifier: Dataset) -> None:
        """Show what is shown of all matches together."""
        if self._table:
            show_table(identifier, self._matches)

    def _show(self, answer: Answer) -> None:
        self._say("---------------------------")
        self._say("Find Response: %d (%s)", self._count, answer.short)
        for line in lines(answer.identifier) if answer.identifier is not None else ():
            self._say("%s", line)

    def _write(self, files: Files, identifier: Dataset) -> None:
        try:
            path = files.write(identifier)
        except (LocalError, OSError) as error:
            log.error("Response %d cannot be written: %s", self._count, error)
            self.failed = True
        else:
            log.info("Writing %s", path)


def find(
    assoc: Association,
    model: str,
    identifier: Dataset,
    shown: Shown,
    cancel_after: int | None = None,
) -> Exit:
    """Ask one question; say how the peer ended its answer.

    Parameters
    ----------
    assoc : Association
        For the model.
    model : str
        UID of the information model.
    identifier : Dataset
        The keys.
    shown : Shown
        What becomes of the matches.
    cancel_after : int, optional
        After how many matches the peer is asked to stop.
    """
    show_request("C-FIND", identifier)
    shown.begin()
    send = partial(assoc.send_c_find, identifier, model, MESSAGE_ID)
    try:
        last = ask(assoc, "C-FIND", model, send, shown.add, cancel_after)
        shown.end(identifier)
    except BrokenPipeError:  # who reads the output has had enough, as in `... | head -1`
        stop_printing()
        return Exit.DONE
    except (RuntimeError, ValueError, LocalError) as error:
        log.error("%s", error)
        return Exit.FAILED if assoc.is_established else Exit.ENDED_EARLY
    return ended(last, cancel_after is not None) or Exit(Exit.FAILED * shown.failed)
