"""`dicomwire wlmscp`: a folder of worklist files into the answers to worklist queries."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import (
    LISTEN,
    Option,
    ToolParser,
    WrongUse,
    acceptor_options,
    ae_title,
    anyway,
    flag,
    option,
    refused,
)
from dicomwire.apps.output import log
from dicomwire.apps.requesting import entity
from dicomwire.apps.running import run
from dicomwire.apps.serving import serve
from dicomwire.apps.syntaxes import PREFER_UNCOMPRESSED, UNCOMPRESSED, supported
from dicomwire.apps.tls_options import SERVER
from dicomwire.apps.worklists import ENDINGS, Worklists
from dicomwire.archive.worklist import answer, matching
from dicomwire.dataset.codec import PYDICOM_ERRORS
from dicomwire.dataset.errors import DataSetError
from dicomwire.network import events as evt
from dicomwire.network.events import Event, HandlerArgType
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.pdus import AssociateRJ
from dicomwire.standard.sop_classes import KEYWORDS
from dicomwire.standard.transfer_syntaxes import is_uncompressed

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

WORKLIST = KEYWORDS["ModalityWorklistInformationModelFind"]
VERIFICATION = "1.2.840.10008.1.1"
PENDING, CANCELLED = 0xFF00, 0xFE00
CANNOT_PROCESS, OUT_OF_RESOURCES = 0xC000, 0xA700  # PS3.4 Table K.4-1
CALLED_TITLE_UNKNOWN = AssociateRJ(1, 1, 7)  # for good, by the user, PS3.8 Table 9-21
_FUZZY = 2  # where extended negotiation has it, PS3.4 K.5.1.1

_FILES: tuple[Option, ...] = (
    option("-dfp --data-files-path", f"folder of the files ({', '.join(ENDINGS)}; default: .)",
           common=True, default=".", metavar="FOLDER", dest="folder"),
    flag("--by-title", "for each called AE title its own folder in it, as wlmscpfs has it",
         common=True),
    option("--caller", "answer this AE title and no others; repeat", common=True,
           action="append", default=[], type=ae_title, metavar="TITLE", dest="callers"),
    flag("--no-echo", "do not answer C-ECHO"),
    anyway("-dfr --disable-file-reject", "answer with incomplete items too"),
    refused("-efr --enable-file-reject", "what an item lacks is answered empty"),
    anyway("-csk --keep-char-set", "answer in the character set of the file"),
    refused("-cs0 --return-no-char-set", "without it nobody could read the names"),
    refused("-cs1 --return-iso-ir-100", "items are answered in the character set they have"),
    anyway("-nse --no-sq-expansion", "answer an empty sequence with what there is"),
    refused("-rfp --request-file-path", "-d shows the requests", 1),
    anyway("-s", "serve in one process"),
)  # fmt: skip


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "wlmscp",
        "[options] port",
        "Answers queries for the worklist (PS3.4 Annex K) from a folder of files.",
        "-v -dfp worklist 11112",
    )
    parser.add_options("Where", LISTEN)
    parser.add_options("Worklist", _FILES)
    parser.add_options("Network", acceptor_options("WLMSCP"))
    parser.add_options("Preferred transfer syntax", PREFER_UNCOMPRESSED)
    parser.add_options("TLS", SERVER)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Serve until stopped."""
    folder = Path(args.folder)
    if not folder.is_dir():
        raise WrongUse(f"there is no folder {folder}: give -dfp FOLDER")
    ae = entity(args.ae_title, args)
    ae.require_calling_aet = args.callers
    return serve(ae, args, contexts(args), handlers(args))


def contexts(args: argparse.Namespace) -> list[PresentationContext]:
    """Return what is supported."""
    known = [uid for uid in supported(args, first=UNCOMPRESSED[:1]) if is_uncompressed(uid)]
    classes = [WORKLIST] if args.no_echo else [WORKLIST, VERIFICATION]
    return [build_context(uid, known) for uid in classes]


def handlers(args: argparse.Namespace) -> list[HandlerArgType]:
    """Return what handles the requests."""
    server = Server(Worklists(Path(args.folder), args.by_title))
    return [
        (evt.EVT_C_FIND, server.find),
        (evt.EVT_SOP_EXTENDED, agree),
        (evt.EVT_REQUESTED, server.refuse),
    ]


def agree(event: Event) -> dict[str, bytes]:
    """Grant fuzzy matching of names, and no adjustment of time zones (PS3.4 K.5.1.1)."""
    proposed = event.app_info.get(WORKLIST)
    return {WORKLIST: granted(proposed)} if proposed is not None else {}


def granted(proposed: bytes) -> bytes:
    """Return what is granted of what was proposed; the first two bytes are always 1."""
    return bytes(1 if at < 2 else byte == 1 and at == _FUZZY for at, byte in enumerate(proposed))


class Server:
    """Answers from worklists.

    Parameters
    ----------
    worklists : Worklists
        Where the items are.
    """

    def __init__(self, worklists: Worklists) -> None:
        self._worklists = worklists

    def refuse(self, event: Event) -> None:
        """Reject an association that calls a title without a worklist."""
        title = _called(event)
        if not self._worklists.knows(title):
            event.assoc.connection.step(CALLED_TITLE_UNKNOWN)
            event.assoc.driver.flush()

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """Answer one query."""
        proposed = event.assoc.requestor.sop_class_extended.get(WORKLIST, b"")
        fuzzy = granted(proposed)[_FUZZY : _FUZZY + 1] == b"\1"
        identifier = _identifier(event)
        if identifier is None:
            yield CANNOT_PROCESS, None
            return
        try:
            items = self._worklists.items(_called(event))
            found = matching(identifier, items, fuzzy)
        except OSError as error:
            log.error("The worklist cannot be read: %s", error)
            yield OUT_OF_RESOURCES, None
            return
        log.info(
            "Received Find Request (MsgID %d): %d of %d match",
            event.message_id,
            len(found),
            len(items),
        )
        for number in found:
            if event.is_cancelled:
                yield CANCELLED, None
                return
            yield PENDING, answer(identifier, items[number])


def _identifier(event: Any) -> Dataset | None:
    """Return what is asked; when that cannot be read, say why and return None."""
    from pydicom.errors import BytesLengthException

    try:
        identifier: Dataset = event.identifier
        identifier.decode()  # pydicom finds out about bad values only now
    except (DataSetError, BytesLengthException, *PYDICOM_ERRORS) as error:
        log.error("Find Request (MsgID %d) cannot be read: %s", event.message_id, error)
        return None
    return identifier


def _called(event: Event) -> str:
    return str(event.assoc.connection.request.called_ae_title).strip()
