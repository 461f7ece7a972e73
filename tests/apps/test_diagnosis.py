"""What is said of every way in which a peer cannot be used: what, whose side, what to do."""

from __future__ import annotations

import pytest

from dicomwire.apps import diagnosis
from dicomwire.apps.exits import Exit
from dicomwire.apps.probing import Reach, Speech
from dicomwire.protocol.errors import Aborted, Fault, Lost, Rejected

pytestmark = pytest.mark.no_socket


@pytest.mark.parametrize(
    ("reach", "said", "fault", "advice"),
    [
        (Reach.REFUSED, "nothing listens on port 104", Fault.PEER, "start the DICOM application"),
        (Reach.TIMED_OUT, "Nothing comes back from pacs port 104", Fault.NETWORK, "a firewall"),
        (Reach.UNREACHABLE, "There is no route to pacs", Fault.NETWORK, "VPN"),
        (Reach.FORBIDDEN, "This machine does not allow", Fault.LOCAL, "a firewall on this machine"),
        (Reach.FAILED, "There is no connection to pacs port 104", Fault.NETWORK, "the address"),
    ],
)
def test_no_connection(reach: Reach, said: str, fault: Fault, advice: str) -> None:
    verdict = diagnosis.not_reached(reach, "pacs", 104)
    assert said in verdict.text
    assert verdict.fault is fault
    assert advice in verdict.advice
    assert verdict.code is Exit.NO_ASSOCIATION


LOST = Lost("The TLS handshake failed: unknown ca", None, "whether the peer trusts our CA")


@pytest.mark.parametrize(
    ("speech", "with_tls", "said", "fault", "advice"),
    [
        (Speech.DICOM, True, "speaks DICOM without TLS", Fault.SETTINGS, "leave out +tls"),
        (Speech.TLS, False, "speaks TLS on this port, and we did not", Fault.SETTINGS, "add +tls"),
        (Speech.TLS, True, "not with us: The TLS handshake failed: unknown ca", Fault.SETTINGS,
         "whether the peer trusts our CA"),
        (Speech.HTTP, False, "speaks HTTP", Fault.SETTINGS, "check the port number"),
        (Speech.SSH, False, "speaks SSH", Fault.SETTINGS, "check the port number"),
        (Speech.OTHER, True, "that is not DICOM", Fault.SETTINGS, "check the port number"),
        (Speech.CLOSED, False, "closes the connection", Fault.PEER, "admits our address"),
        (Speech.SILENT, False, "stays silent", Fault.PEER, "hangs"),
    ],
)  # fmt: skip
def test_what_does_not_speak_as_it_was_spoken_to(
    speech: Speech, with_tls: bool, said: str, fault: Fault, advice: str
) -> None:
    verdict = diagnosis.not_dicom(speech, with_tls, LOST)
    assert verdict is not None
    assert said in verdict.text
    assert verdict.fault is fault
    assert advice in verdict.advice


def test_what_speaks_dicom_is_judged_by_how_it_ended() -> None:
    assert diagnosis.not_dicom(Speech.DICOM, False, LOST) is None


@pytest.mark.parametrize(
    ("error", "others", "said", "fault", "advice"),
    [
        (Rejected(1, 1, 7), [], "called AE title not recognised", Fault.SETTINGS,
         "PACS is not its AE title"),
        (Rejected(1, 1, 7), ["ORTHANC", "X"], "does not go by PACS, but accepts ORTHANC and X",
         Fault.SETTINGS, "type -aec ORTHANC"),
        (Rejected(1, 1, 3), [], "calling AE title not recognised", Fault.SETTINGS,
         "add our AE title US at 192.0.2.7"),
        (Rejected(2, 3, 2), [], "local limit exceeded", Fault.PEER, "try again later"),
        (Rejected(1, 1, 1), [], "no reason given", Fault.SETTINGS, "the peer's log"),
        (Aborted(2, 6, True), [], "Aborted by the peer", Fault.PEER, "the peer's log"),
    ],
)  # fmt: skip
def test_no_association(
    error: Rejected, others: list[str], said: str, fault: Fault, advice: str
) -> None:
    verdict = diagnosis.no_association(error, "PACS", "US", "192.0.2.7", others)
    assert said in verdict.text
    assert verdict.fault is fault
    assert advice in verdict.advice
    assert verdict.code is Exit.NO_ASSOCIATION


def test_where_nothing_is_wrong_there_is_nothing_to_do() -> None:
    verdict = diagnosis.well(True)
    assert (verdict.fault, verdict.advice, verdict.code) == (Fault.NOBODY, "", Exit.DONE)
