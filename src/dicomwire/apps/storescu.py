"""`dicomwire storescu`: files and folders into objects that a peer has stored (C-STORE)."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
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
from dicomwire.apps.output import conclusion, log
from dicomwire.apps.planning import plan, repeated
from dicomwire.apps.progress import progress
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.running import run
from dicomwire.apps.selection import Selection, find_files, scan
from dicomwire.apps.sending import UNDER_WAY, Outcome, Sender
from dicomwire.apps.syntaxes import PROPOSE
from dicomwire.apps.tls_options import CLIENT
from dicomwire.dataset.part10 import FileHeader
from dicomwire.network.options import Options
from dicomwire.standard.statuses import Category

MOST_REASONS = 3  # that the conclusion names
_AS_THEY_ARE = "objects are sent as they are; dcmodify or pydicom change them"

_FILES: tuple[Option, ...] = (
    option("path", "DICOM files and folders", common=True, nargs="+", metavar="path"),
    flag("-r --recurse +r", "go into the folders of folders too", common=True, dest="recurse"),
    anyway("+sd --scan-directories", "take the files of folders"),
    option(
        "+sp --scan-pattern",
        "take only a folder's files whose names match",
        default="*",
        metavar="PATTERN",
    ),
    refused("--no-recurse", "DCMTK's -r is the default here; -r is pynetdicom's: recurse"),
    flag("+rn --rename", "append .done or .bad to the names of the files"),
    anyway("-rn --no-rename", "leave the names of the files as they are"),
    anyway("+f --read-file", "read files with or without file meta information"),
    flag("+fo --read-file-only", "leave data sets without file meta information alone"),
    anyway("-f --read-dataset", "recognise data sets without file meta information"),
)
_TRANSFER: tuple[Option, ...] = (
    option(
        "--jobs",
        "send over N associations at once (default: 1)",
        common=True,
        type=number(1, 64),
        default=1,
        metavar="N",
    ),
    flag("--halt", "stop at the first object that fails", common=True),
    anyway("-nh --no-halt", "go on after an object that fails"),
    option("--repeat", "send each object N times", type=number(1), default=1, metavar="N"),
    anyway("-cx --required-contexts -R --required", "propose only what the objects need"),
    anyway("-up --uid-padding", "ignore spaces at the end of UIDs"),
    refused("--max-send-pdu", "what the peer accepts is what it gets; set it at the peer", 1),
    refused("-xf --config-file", "association profiles are not read; use -x and +C", 2),
    anyway("+u --enable-new-vr", "send the VRs that a file has"),
    refused("-u --disable-new-vr", _AS_THEY_ARE),
    refused("+cl --compression-level", "deflated data sets have one level", 1),
    refused("+II --invent-instance", _AS_THEY_ARE),
    refused("+IR --invent-series", _AS_THEY_ARE, 1),
    refused("+IS --invent-study", _AS_THEY_ARE, 1),
    refused("+IP --invent-patient", _AS_THEY_ARE, 1),
)


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "storescu",
        "[options] addr port path...",
        "Sends DICOM files and the files of folders (C-STORE, PS3.4 Annex B).",
        "-v -r -aec ORTHANC 192.168.1.20 4242 scans/",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("Files", _FILES)
    parser.add_options("Network", (*requestor_options("STORESCU"), *_TRANSFER))
    parser.add_options("Proposed transfer syntaxes (else those of the files)", PROPOSE)
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Scan, send, sum up."""
    # of an object that fails, --halt has to hear before the next is sent
    under_way = 1 if args.halt else UNDER_WAY
    requestor = Requestor(args, Options(asynchronous_operations=(under_way, 1)))
    found = scan(find_files(args.path, args.recurse, args.scan_pattern), args.read_file_only)
    if not found.headers:
        log.warning("Nothing to send: no DICOM objects among the files. Check: -r for subfolders")
        return Exit.FAILED if found.unreadable else Exit.DONE
    headers = repeated(found.headers, args.repeat)
    tally = Tally(found, len(headers))
    sender = Sender(requestor, args.jobs, args.halt, tally.add)
    try:
        with progress(sum(header.length for header in headers), args.shows) as advance:
            tally.advance = advance
            sender.run(plan(headers, args.proposed, args.combine))
    except KeyboardInterrupt:
        tally.conclude()
        return Exit.INTERRUPTED
    tally.conclude()
    if args.rename:
        rename(tally.outcomes)
    return exit_code(tally, sender)


class Tally:
    """Counts what became of the objects.

    Parameters
    ----------
    found : Selection
        What was found.
    total : int
        How many objects there are to send.
    """

    def __init__(self, found: Selection, total: int) -> None:
        self._found = found
        self._total = total
        self._began = time.monotonic()
        self.advance: Callable[[int], None] = _nowhere
        self.outcomes: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Count one object."""
        self.outcomes.append(outcome)
        self.advance(outcome.header.length)

    def count(self, *categories: Category) -> int:
        """Return how many objects ended so."""
        return sum(outcome.category in categories for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """How many objects could not be sent or were not stored, unreadable files included."""
        return self.count(Category.FAILURE) + len(self._found.unreadable)

    @property
    def left(self) -> int:
        """How many objects were not tried."""
        return self._total - len(self.outcomes)

    def conclude(self) -> None:
        """Say in one line what became of all."""
        sent = self.count(Category.SUCCESS, Category.WARNING)
        counts = [
            f"{sent} sent",
            f"{self.count(Category.WARNING)} of them with a warning",
            f"{self.failed} failed",
            f"{self.left} not tried",
            f"{self._found.skipped} skipped (not DICOM objects)",
        ]
        text = ", ".join(each for each in counts if not each.startswith("0 ") or each == "0 sent")
        say = conclusion.error if self.failed or self.left else conclusion.info
        say("%s%s%s", text, self._speed(sent), self._reasons())

    def _speed(self, sent: int) -> str:
        if not sent:
            return ""
        seconds = max(time.monotonic() - self._began, 1e-6)
        size = sum(each.header.length for each in self.outcomes if each.was_sent) / 1e6
        return f": {size:.1f} MB in {seconds:.2f} s, {size / seconds:.1f} MB/s"

    def _reasons(self) -> str:
        reasons = Counter(outcome.text for outcome in self.outcomes if outcome.text)
        reasons["unreadable"] += len(self._found.unreadable)
        reasons += Counter()  # drops what was not counted
        shown = [f"{count} x {text}" for text, count in reasons.most_common(MOST_REASONS)]
        if len(reasons) > MOST_REASONS:
            shown.append(f"{len(reasons) - MOST_REASONS} more reasons, see above")
        return f" ({'; '.join(shown)})" if shown else ""


def _nowhere(_: int) -> None:
    """Show no progress."""


def exit_code(tally: Tally, sender: Sender) -> Exit:
    """Return what scripts shall know."""
    if not sender.associated:
        return Exit.NO_ASSOCIATION
    if tally.left and sender.ended_early:
        return Exit.ENDED_EARLY
    return Exit.FAILED if tally.failed or tally.left else Exit.DONE


def rename(outcomes: Sequence[Outcome]) -> None:
    """Append to the name of each file what became of it: .done, or .bad if it ever failed."""
    good: dict[FileHeader, bool] = {}
    for outcome in outcomes:
        good[outcome.header] = good.get(outcome.header, True) and outcome.was_sent
    for header, well in good.items():
        new = Path(f"{header.path}.{'done' if well else 'bad'}")
        try:
            os.rename(header.path, new)
        except OSError as error:
            log.error("%s cannot be renamed: %s", header.path, error.strerror)
