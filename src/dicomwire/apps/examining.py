"""A peer into findings and a verdict: what a first-line supporter tries, in that order."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Generator, Iterable, Sequence

from dicomwire.apps import diagnosis
from dicomwire.apps.diagnosis import CALLED, NO_REASON, Finding, State, Verdict
from dicomwire.apps.implementations import software
from dicomwire.apps.probing import Reach, Reached, hello, reach, what_speaks
from dicomwire.apps.receiving import storage_contexts
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.syntaxes import UNCOMPRESSED
from dicomwire.network.addresses import addresses_of
from dicomwire.network.association import Association
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.errors import Aborted, Ended, Error, NoContextAccepted, Rejected
from dicomwire.protocol.pdus import MAXIMUM_CONTEXTS
from dicomwire.standard.sop_classes import KEYWORDS
from dicomwire.standard.statuses import Category
from dicomwire.standard.transfer_syntaxes import ALL_TRANSFER_SYNTAXES
from dicomwire.standard.uids import name_of

ADDRESSES = 4  # of a name that are tried
ECHOES = 3
NAMES = 4  # of SOP classes and transfer syntaxes that are shown
ANY = "ANY-SCP"
# Called AE titles as programs come: of DCMTK, Orthanc, dcm4chee, Conquest, and what people type.
USUAL_TITLES = (ANY, "ORTHANC", "DCM4CHEE", "DCMQRSCP", "STORESCP", "CONQUESTSRV1", "PACS")
CT = KEYWORDS["CTImageStorage"]
VERIFICATION = KEYWORDS["Verification"]

_QR = "{}RootQueryRetrieveInformationModel{}"
SERVICES = (
    ("query", [_QR.format(root, "Find") for root in ("Patient", "Study")]),
    ("C-GET", [_QR.format(root, "Get") for root in ("Patient", "Study")]),
    ("C-MOVE", [_QR.format(root, "Move") for root in ("Patient", "Study")]),
    ("worklist", ["ModalityWorklistInformationModelFind"]),
    ("MPPS", ["ModalityPerformedProcedureStep"]),
    ("commitment", ["StorageCommitmentPushModel"]),
    ("UPS", ["UnifiedProcedureStepPush", "UnifiedProcedureStepPull"]),
    ("print", ["BasicGrayscalePrintManagementMeta", "BasicColorPrintManagementMeta"]),
)
Steps = Generator[Finding, None, Verdict]


class Examination:
    """Examines one peer.

    Parameters
    ----------
    args : Namespace
        Of the parser of `doctor`.

    Raises
    ------
    WrongUse
        See `Requestor`.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._requestor = Requestor(args)
        self._with_tls = bool(args.tls or args.anonymous)
        self._address = ""
        self._called: str = args.called_aet
        self._local = ""

    def run(self) -> Steps:
        """Try one thing after another until one fails.

        Yields
        ------
        Finding
            What a step showed.

        Returns
        -------
        Verdict
            What it means.
        """
        verdict = yield from self._connections()
        if verdict is None:
            error = self._first()
            verdict = yield from self._speech(error)
            if verdict is None:
                verdict = yield from self._association(error)
        return verdict

    # -- name and route ----------------------------------------------------------------------------

    def _connections(self) -> Generator[Finding, None, Verdict | None]:
        """Resolve the name and connect to each address; the first that works is used from here."""
        host, port = self._args.addr, self._args.port
        try:
            addresses = addresses_of(host)
        except (OSError, UnicodeError) as error:
            why = str(getattr(error, "strerror", None) or error)
            yield Finding("name", State.FAILED, f"{host} has no address: {why}")
            return diagnosis.no_name(host, why)
        if addresses != [host]:
            text = f"{host} is {', '.join(addresses)}"
            yield Finding("name", State.OK, text, {"addresses": addresses})
        tries: list[Reached] = []
        for address in addresses[:ADDRESSES]:
            tries.append(reach(address, port, self._args.wait))
            yield _connection(address, port, tries[-1])
            if tries[-1].reach is Reach.CONNECTED and not self._address:
                self._address, self._local = address, tries[-1].local
        return None if self._address else diagnosis.not_reached(tries[0].reach, host, port)

    # -- what speaks there -------------------------------------------------------------------------

    def _associate(
        self, contexts: Sequence[PresentationContext], called: str | None = None
    ) -> Association:
        return self._requestor.ask(list(contexts), addr=self._address, called=called)

    def _first(self) -> Association | Error:
        """Ask for Verification with the titles given, as echoscu does."""
        assoc = self._associate([build_context(VERIFICATION, list(UNCOMPRESSED))])
        if assoc.is_established:
            return assoc
        assert assoc.ended is not None
        return assoc.ended

    def _speech(self, first: Association | Error) -> Generator[Finding, None, Verdict | None]:
        """Say whether DICOM is spoken, and whether over TLS."""
        used = "TLS is spoken, as we do" if self._with_tls else "not used: the peer speaks without"
        answered = isinstance(first, Association | Rejected) or nothing_accepted(first)
        if answered or (isinstance(first, Aborted) and first.by_peer):
            yield Finding("TLS", State.OK, used, {"tls": self._with_tls})
            return None
        assert isinstance(first, Error)
        request = hello(self._called, self._args.calling_aet)
        speech, more = what_speaks(self._address, self._args.port, self._args.wait, request)
        verdict = diagnosis.not_dicom(speech, self._with_tls, first)
        state = State.OK if verdict is None else State.FAILED
        text = f"heard {speech.value}" + (f" ({more})" if more else "")
        yield Finding("TLS", state, text, {"speaks": speech.name, "more": more})
        return verdict

    # -- the association ---------------------------------------------------------------------------

    def _association(self, first: Association | Error) -> Steps:
        """Look at the association, with the titles given or with others."""
        titles = f"{self._args.calling_aet} calls {self._called}"
        if nothing_accepted(first):
            yield Finding("association", State.OK, f"accepted: {titles}")
            yield Finding("echo", State.NOTE, "the peer does not accept Verification")
            return (yield from self._accepted(echoed=None))
        if isinstance(first, Error):
            yield Finding("association", State.FAILED, f"{titles}: {first.what}")
            return (yield from self._refused(first))
        yield Finding("association", State.OK, f"accepted: {titles}")
        yield from self._identity(first)
        echoed, why = yield from self._echo(first)
        if echoed and self._called != ANY:
            yield from self._other_titles((ANY,))
        return (yield from self._accepted(echoed, why))

    def _refused(self, error: Error) -> Steps:
        others: list[str] = []
        if isinstance(error, Rejected) and (error.source, error.reason) in (CALLED, NO_REASON):
            rest = [title for title in USUAL_TITLES if title != self._called]
            others = yield from self._other_titles(rest)
        verdict = diagnosis.no_association(
            error, self._called, self._args.calling_aet, self._local, others
        )
        if others:  # there is more to be seen
            self._called = others[0]
            assoc = self._associate([build_context(VERIFICATION, list(UNCOMPRESSED))], others[0])
            if assoc.is_established:
                yield from self._identity(assoc)
                yield from self._echo(assoc)
                yield from self._services()
        return verdict

    def _other_titles(self, titles: Iterable[str]) -> Generator[Finding, None, list[str]]:
        """Call the peer by other titles; return those that it accepts."""
        accepted: list[str] = []
        refused: list[str] = []
        for title in titles:
            contexts = [build_context(VERIFICATION, list(UNCOMPRESSED))]
            assoc = self._associate(contexts, title)
            good = assoc.is_established or nothing_accepted(assoc.ended)
            (accepted if good else refused).append(title)
            if assoc.is_established:
                assoc.release()
        words = [
            *([f"accepted as {', '.join(accepted)}"] if accepted else []),
            *([f"not as {', '.join(refused)}"] if refused else []),
        ]
        details = {"accepted": accepted, "refused": refused}
        yield Finding("other titles", State.NOTE, "; ".join(words), details)
        return accepted

    def _identity(self, assoc: Association) -> Generator[Finding, None, None]:
        uid = assoc.acceptor.implementation_class_uid
        version = assoc.acceptor.implementation_version_name
        name = software(uid, version)
        text = f"{version or 'no version name'}, {uid or 'no implementation UID'}"
        details = {"software": name, "version": version, "uid": uid}
        yield Finding("peer", State.OK, f"{name}: {text}" if name else text, details)
        length = assoc.acceptor.maximum_length
        text = f"takes PDUs of {length} bytes" if length else "takes PDUs of any length"
        yield Finding("PDU length", State.OK, text, {"maximum_length": length})

    def _echo(self, assoc: Association) -> Generator[Finding, None, tuple[bool, str]]:
        """Echo, and release the association; tell whether that went well, and if not, why."""
        times, why = [], ""
        for number in range(1, ECHOES + 1):
            began = time.monotonic()
            try:
                response = assoc.c_echo(number)
            except (Ended, RuntimeError) as error:
                why = error.what if isinstance(error, Error) else str(error)
                break
            if response.category is not Category.SUCCESS:
                why = f"the peer answered {response}"
                break
            times.append((time.monotonic() - began) * 1000)
        assoc.release()
        if why:
            yield Finding("echo", State.FAILED, why)
            return False, why
        median = statistics.median(times)
        text = f"answered after {median:.1f} ms (median of {ECHOES})"
        yield Finding("echo", State.OK, text, {"milliseconds": round(median, 3)})
        return True, ""

    def _accepted(self, echoed: bool | None, why: str = "") -> Steps:
        found = yield from self._services()
        if echoed is False:
            return diagnosis.no_echo(why)
        return diagnosis.well(True) if echoed else self._without_echo(found)

    def _without_echo(self, found: bool) -> Verdict:
        return diagnosis.well(False) if found else diagnosis.no_context()

    # -- what it takes -----------------------------------------------------------------------------

    def _services(self) -> Generator[Finding, None, bool]:
        """Say which services, SOP classes and transfer syntaxes are accepted."""
        wanted = [KEYWORDS[name] for _, names in SERVICES for name in names]
        storage = [str(each.abstract_syntax) for each in storage_contexts(ALL_TRANSFER_SYNTAXES)]
        contexts = [
            *(build_context(uid, list(UNCOMPRESSED)) for uid in wanted),
            *(build_context(uid, list(ALL_TRANSFER_SYNTAXES)) for uid in storage),
        ]
        accepted: set[str] = set()
        for start in range(0, len(contexts), MAXIMUM_CONTEXTS):
            found, problem = self._accepts(contexts[start : start + MAXIMUM_CONTEXTS])
            accepted.update(each[0] for each in found)
            if problem is not None:
                yield Finding("contexts", State.FAILED, problem.what)
                return bool(accepted)
        yield _services(accepted)
        yield _storage(storage, accepted)
        stored = [uid for uid in (CT, *storage) if uid in accepted]
        if stored:
            yield from self._syntaxes(stored[0])
        return bool(accepted)

    def _syntaxes(self, uid: str) -> Generator[Finding, None, None]:
        """Say in which transfer syntaxes objects of a SOP class are accepted."""
        found, problem = self._accepts(
            [build_context(uid, [syntax]) for syntax in ALL_TRANSFER_SYNTAXES]
        )
        if problem is not None:
            yield Finding("syntaxes", State.FAILED, problem.what)
            return
        syntaxes = [each[1] for each in found]
        text = f"{name_of(uid)} in {len(syntaxes)} of {len(ALL_TRANSFER_SYNTAXES)}: "
        text += ", ".join(map(name_of, syntaxes[:NAMES]))
        if len(syntaxes) > NAMES:
            text += f" and {len(syntaxes) - NAMES} more (--json names them)"
        yield Finding("syntaxes", State.OK, text, {"sop_class": uid, "transfer_syntaxes": syntaxes})

    def _accepts(
        self, contexts: Sequence[PresentationContext]
    ) -> tuple[list[tuple[str, str]], Error | None]:
        """Propose contexts; return the abstract and transfer syntax of each that is accepted."""
        assoc = self._associate(contexts, self._called)
        if not assoc.is_established:
            return [], None if nothing_accepted(assoc.ended) else assoc.ended
        found = [
            (str(each.abstract_syntax), str(each.transfer_syntax[0]))
            for each in assoc.accepted_contexts
        ]
        assoc.release()
        return found, None


def nothing_accepted(end: object) -> bool:
    """Return whether we gave an association up because no context was accepted."""
    return isinstance(end, Aborted) and isinstance(end.__cause__, NoContextAccepted)


def _connection(address: str, port: int, tried: Reached) -> Finding:
    details = {
        "address": address,
        "reach": tried.reach.name,
        "milliseconds": round(tried.milliseconds, 3),
    }
    text = f"{address} port {port} {tried.reach.value}"
    if tried.reach is not Reach.CONNECTED:
        return Finding("connection", State.FAILED, text, details)
    text += f" after {tried.milliseconds:.1f} ms, from {tried.local}"
    return Finding("connection", State.OK, text, {**details, "local": tried.local})


def _services(accepted: set[str]) -> Finding:
    offered = {
        title: [name for name in names if KEYWORDS[name] in accepted] for title, names in SERVICES
    }
    have = [title for title, names in offered.items() if names]
    lack = [title for title, names in offered.items() if not names]
    text = f"{', '.join(have) or 'none'}; not {', '.join(lack)}" if lack else ", ".join(have)
    return Finding("services", State.OK if have else State.NOTE, text, {"services": offered})


def _storage(all_of_them: Sequence[str], accepted: set[str]) -> Finding:
    taken = [uid for uid in all_of_them if uid in accepted]
    text = f"{len(taken)} of {len(all_of_them)} SOP classes"
    if 0 < len(taken) <= NAMES:
        text += f": {', '.join(map(name_of, taken))}"
    elif CT not in accepted and taken:
        text += ", not CT Image Storage"
    return Finding("storage", State.OK if taken else State.NOTE, text, {"sop_classes": taken})
