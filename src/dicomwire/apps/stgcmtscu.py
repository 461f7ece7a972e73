"""`dicomwire stgcmtscu`: files or UIDs into a peer's word on which of them it keeps for good."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.apps.asking import MESSAGE_ID, answered
from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.options import (
    PEER,
    Option,
    ToolParser,
    WrongUse,
    flag,
    number,
    option,
    requestor_options,
    seconds,
)
from dicomwire.apps.output import conclusion, log
from dicomwire.apps.requesting import Requestor, entity
from dicomwire.apps.running import run
from dicomwire.apps.selection import find_files, scan
from dicomwire.apps.serving import beside
from dicomwire.apps.syntaxes import PROPOSE_PLAIN, UNCOMPRESSED
from dicomwire.apps.tls_options import CLIENT
from dicomwire.apps.writing import new_uid
from dicomwire.network import events as evt
from dicomwire.network.association import Association
from dicomwire.network.log_text import named, visible
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.validate import is_valid_uid
from dicomwire.standard.sop_classes import INSTANCE_KEYWORDS, KEYWORDS, uid_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

COMMITMENT = KEYWORDS["StorageCommitmentPushModel"]
THE_COMMITMENT = INSTANCE_KEYWORDS["StorageCommitmentPushModelInstance"]
REQUEST = 1  # Action Type ID, PS3.4 Table J.3-1
SUCCESS = 0x0000

REASONS = {
    0x0110: "processing failure",
    0x0112: "no such object instance",
    0x0119: "class and instance do not belong together",
    0x0122: "SOP class not supported",
    0x0131: "duplicate transaction UID",
    0x0213: "resource limitation",
}
"""What Failure Reason (0008,1197) means (PS3.3 C.14.1.1)."""
NOT_MENTIONED = "the report does not mention it"

_WHAT: tuple[Option, ...] = (
    option("path", "DICOM files and folders of what was stored there", common=True, nargs="*",
           metavar="path"),
    flag("-r --recurse +r", "go into the folders of folders too", common=True, dest="recurse"),
    option("--uid", "an object without its file, as in CTImageStorage=1.2.3; repeat",
           common=True, action="append", default=[], metavar="CLASS=UID", dest="uids"),
)  # fmt: skip
_REPORT: tuple[Option, ...] = (
    option("+P --port", "take the report on this port, as our own AE title (default: over the"
           " same association)", common=True, type=number(0, 65535), dest="own_port",
           metavar="PORT"),
    option("--wait", "seconds to wait for the report (default: 60, 0: no limit)", common=True,
           type=seconds, default=60.0, metavar="SECONDS"),
    flag("--json", "print a line of JSON for each object", common=True),
    option("-ba --bind-address", "the interface's address to listen on (default: all IPv4)",
           default="", metavar="ADDRESS"),
)  # fmt: skip


class Reference(NamedTuple):
    """A SOP class and instance."""

    sop_class: str
    instance: str


Verdicts = dict[Reference, str]
"""Why each object is not kept; empty for one that is."""


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "stgcmtscu",
        "[options] addr port [path...]",
        "Asks a DICOM application to keep objects for good (PS3.4 Annex J).",
        "-aec ORTHANC +P 11114 localhost 4242 scans/",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("Objects", _WHAT)
    parser.add_options("Report", _REPORT)
    parser.add_options("Network", requestor_options("STGCMTSCU"))
    parser.add_options("Proposed transfer syntaxes", PROPOSE_PLAIN)
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Ask, wait for the report, say what it says."""
    requestor, asked = Requestor(args), references(args)
    reports = Reports(new_uid())
    with _listening(args, reports) as ready:
        if not ready:
            return Exit.NOT_HERE
        return _commit(args, requestor, asked, reports)


def references(args: argparse.Namespace) -> list[Reference]:
    """Return what is asked about, each once.

    Raises
    ------
    WrongUse
        When there is nothing, or a file that cannot be read.
    """
    found = scan(find_files(args.path, args.recurse)) if args.path else None
    if found and found.unreadable:
        raise WrongUse(
            "nothing is asked, as not all files can be read: leave them out, or mend them"
        )
    headers = found.headers if found else []
    asked = [Reference(each.sop_class_uid, each.sop_instance_uid) for each in headers]
    asked += [_reference(text) for text in args.uids]
    if not asked:
        raise WrongUse("which objects? Give their files, or --uid CTImageStorage=1.2.3")
    return list(dict.fromkeys(asked))


def _reference(text: str) -> Reference:
    name, _, instance = text.partition("=")
    sop_class = name if is_valid_uid(name) else uid_of(name)
    if sop_class is None:
        raise WrongUse(f"--uid {text}: {name} is no SOP class; give CTImageStorage=1.2.3")
    if not is_valid_uid(instance):
        raise WrongUse(f"--uid {text}: {instance!r} is no UID; give CTImageStorage=1.2.3")
    return Reference(sop_class, instance)


@contextmanager
def _listening(args: argparse.Namespace, reports: Reports) -> Iterator[bool]:
    """Take reports on a port until the end of the block, if the options ask for it."""
    if args.own_port is None:
        yield True
        return
    context = build_context(COMMITMENT, UNCOMPRESSED)
    context.scu_role, context.scp_role = False, True  # PS3.4 J.3.3: who reports is the SCP
    handlers = [(evt.EVT_N_EVENT_REPORT, reports.take)]
    ae = entity(args.calling_aet, args)
    with beside(ae, args, args.own_port, [context], handlers) as server:
        yield server is not None


class Reports:
    """Waits for the report on a transaction.

    Parameters
    ----------
    transaction : str
        Its UID.
    """

    def __init__(self, transaction: str) -> None:
        self.transaction = transaction
        self._came: SimpleQueue[Dataset | None] = SimpleQueue()

    def take(self, event: Any) -> tuple[int, None]:
        """Take a report; one on another transaction is answered, and no more."""
        info = event.event_information
        transaction = str(info.get("TransactionUID", ""))
        if transaction == self.transaction:
            log.info("Received Event Report Request (MsgID %d)", event.message_id)
            self._came.put(info)
        else:
            log.warning("A report on another transaction came: %s", visible(transaction))
        return SUCCESS, None

    def over(self, _: Any) -> None:
        """Note that no report can come any more."""
        self._came.put(None)

    def wait(self, limit: float | None) -> Dataset | None:
        """Return the report, None when there will be none.

        Raises
        ------
        TimeoutError
            When it has not come in time.
        """
        try:
            return self._came.get(timeout=limit)
        except Empty:
            raise TimeoutError from None


def _commit(
    args: argparse.Namespace,
    requestor: Requestor,
    asked: Sequence[Reference],
    reports: Reports,
) -> Exit:
    handlers: list[Any] = [(evt.EVT_N_EVENT_REPORT, reports.take)]
    if args.own_port is None:
        ends = evt.EVT_ABORTED, evt.EVT_RELEASED, evt.EVT_CONN_CLOSE
        handlers += [(each, reports.over) for each in ends]
    assoc = requestor.associate(_contexts(args), handlers=handlers)
    if assoc is None:
        return Exit.NO_ASSOCIATION
    try:
        code = _ask(assoc, asked, reports.transaction)
        if args.own_port is not None:
            code = code or (Exit.DONE if requestor.leave(assoc) else Exit.ENDED_EARLY)
        if code is not Exit.DONE:
            return code
        assoc.network_timeout = None  # a peer may take its time, and --wait bounds it
        report = _awaited(args, reports)
    except KeyboardInterrupt:
        assoc.abort()
        raise
    if assoc.is_established:  # a peer may release it when it has reported
        requestor.leave(assoc)
    if report is None:
        return Exit.ENDED_EARLY
    return Exit.DONE if conclude(verdicts(asked, report), args.json) else Exit.FAILED


def _contexts(args: argparse.Namespace) -> list[PresentationContext]:
    groups = args.proposed or (UNCOMPRESSED,)
    return [build_context(COMMITMENT, list(group)) for group in groups]


def _ask(assoc: Association, asked: Sequence[Reference], transaction: str) -> Exit:
    """Send the request (PS3.4 J.3.2)."""
    from pydicom.dataset import Dataset

    info = Dataset()
    info.TransactionUID = transaction
    info.ReferencedSOPSequence = [_item(each) for each in asked]
    log.info("Sending Action Request (MsgID %d, %d objects)", MESSAGE_ID, len(asked))
    try:
        status, _ = assoc.send_n_action(info, REQUEST, COMMITMENT, THE_COMMITMENT, MESSAGE_ID)
    except (RuntimeError, ValueError, LocalError) as error:
        log.error("%s", error)
        return Exit.FAILED
    return answered("Action", assoc, status)


def _item(reference: Reference) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
    return item


def _awaited(args: argparse.Namespace, reports: Reports) -> Dataset | None:
    log.info("Waiting for the report on transaction %s", reports.transaction)
    try:
        report = reports.wait(args.wait)
    except TimeoutError:
        how = "our port and AE title, as the peer knows them"
        if args.own_port is None:
            how = "whether the peer reports over a new association: +P PORT takes it"
        log.error("No report came within %g s. Check: %s", args.wait, how)
        return None
    if report is None:
        log.error(
            "The association ended before a report came. Check: +P PORT, for a peer that reports"
            " over a new one"
        )
    return report


def verdicts(asked: Sequence[Reference], report: Dataset) -> Verdicts:
    """Return what a report says of each object (PS3.4 J.3.3).

    Parameters
    ----------
    asked : sequence of Reference
        The objects.
    report : Dataset
        The event information.
    """
    found = dict.fromkeys(asked, NOT_MENTIONED)
    for item in report.get("ReferencedSOPSequence") or ():
        if (one := _named(item)) in found:
            found[one] = ""
    for item in report.get("FailedSOPSequence") or ():
        if (one := _named(item)) in found:
            reason = item.get("FailureReason")
            found[one] = REASONS.get(reason, "") if isinstance(reason, int) else "no reason given"
            found[one] = found[one] or f"failure reason 0x{reason:04X}"
    return found


def _named(item: Dataset) -> Reference:
    uids = item.get("ReferencedSOPClassUID"), item.get("ReferencedSOPInstanceUID")
    return Reference(*(str(uid or "") for uid in uids))


def conclude(found: Verdicts, as_json: bool) -> bool:
    """Say what became of each object; return whether all are kept."""
    for reference, reason in found.items():
        if as_json:
            print(json.dumps(_as_json(reference, reason)), flush=True)
        if reason:
            log.error("%s (%s): %s", reference.instance, named(reference.sop_class), reason)
        else:
            log.info("%s (%s): committed", reference.instance, named(reference.sop_class))
    failed = sum(map(bool, found.values()))
    say = conclusion.error if failed else conclusion.info
    say("%d committed%s", len(found) - failed, f", {failed} not" if failed else "")
    return not failed


def _as_json(reference: Reference, reason: str) -> dict[str, Any]:
    said = {"SOPClassUID": reference.sop_class, "SOPInstanceUID": reference.instance}
    return {**said, "committed": not reason, **({"reason": reason} if reason else {})}
