"""Whatever may listen on a port, recognised by how it answers."""

from __future__ import annotations

import errno
import ssl
from pathlib import Path

import pytest

from dicomwire.apps.certificates import certificates
from dicomwire.apps.probing import Reach, Speech, classify, hello, reach, reach_of, what_speaks
from dicomwire.protocol.pdus import Abort, AssociateRJ
from tests.apps import odd

HELLO = hello("PEER", "US")
HERE = "127.0.0.1"
PATIENCE = 20.0


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), Reach.REFUSED),
        (TimeoutError("timed out"), Reach.TIMED_OUT),
        (TimeoutError(errno.ETIMEDOUT, ""), Reach.TIMED_OUT),
        (OSError(errno.EHOSTUNREACH, ""), Reach.UNREACHABLE),
        (OSError(errno.ENETUNREACH, ""), Reach.UNREACHABLE),
        (PermissionError(errno.EPERM, ""), Reach.FORBIDDEN),
        (OSError(errno.EIO, ""), Reach.FAILED),
        (OSError("?"), Reach.FAILED),
    ],
)
def test_errors_of_connecting(error: OSError, found: Reach) -> None:
    assert reach_of(error) is found


def test_a_port_that_is_open_and_one_that_is_not() -> None:
    with odd.serving(odd.silent) as port:
        tried = reach(HERE, port, PATIENCE)
        assert (tried.reach, tried.local) == (Reach.CONNECTED, HERE)
    assert reach(HERE, port, PATIENCE).reach is Reach.REFUSED


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (None, Speech.SILENT),
        (b"", Speech.CLOSED),
        (b"\x02\x00\x00\x00\x00\xb8", Speech.DICOM),
        (b"\x03\x00\x00\x00\x00\x04", Speech.DICOM),
        (b"\x07", Speech.DICOM),
        (b"\x15\x03\x03\x00\x02\x02\x46", Speech.TLS),
        (b"\x16\x03\x03", Speech.TLS),
        (b"HTTP/1.1 400 Bad Request\r\n", Speech.HTTP),
        (b"<HTML>", Speech.HTTP),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Speech.SSH),
        (b"220 mail ESMTP\r\n", Speech.OTHER),
        (b"\x02bogus", Speech.OTHER),
    ],
)
def test_answers(answer: bytes | None, found: Speech) -> None:
    assert classify(answer) is found


@pytest.mark.parametrize(
    ("behave", "found"),
    [
        (odd.saying(AssociateRJ(1, 1, 7).encode()), (Speech.DICOM, "")),
        (odd.saying(Abort(0, 0).encode()), (Speech.DICOM, "")),
        (odd.saying(b"HTTP/1.0 400 Bad Request\r\n\r\n"), (Speech.HTTP, "")),
        (odd.greeting(b"SSH-2.0-OpenSSH_9.2\r\n"), (Speech.SSH, "")),
        (odd.greeting(b"220 \x1b[31mmail\r\n"), (Speech.OTHER, r"220 \x1b[31mmail\r\n")),
        (odd.closing, (Speech.CLOSED, "")),
    ],
)
def test_servers_that_answer(behave: odd.Behaviour, found: tuple[Speech, str]) -> None:
    with odd.serving(behave) as port:
        assert what_speaks(HERE, port, PATIENCE, HELLO) == found


@pytest.mark.parametrize(("behave", "found"), [(odd.silent, Speech.SILENT), (odd.web, Speech.HTTP)])
def test_servers_that_wait_for_more(behave: odd.Behaviour, found: Speech) -> None:
    with odd.serving(behave) as port:
        assert what_speaks(HERE, port, 0.5, HELLO) == (found, "")


@pytest.mark.parametrize("demanding", [False, True])
def test_tls_with_or_without_a_certificate_of_ours(tmp_path: Path, demanding: bool) -> None:
    with odd.serving(odd.silent, server_context(tmp_path, demanding)) as port:
        speech, version = what_speaks(HERE, port, PATIENCE, HELLO)
    assert speech is Speech.TLS
    assert version.startswith("TLS")


def server_context(folder: Path, demanding: bool) -> ssl.SSLContext:
    for pem in certificates([HERE], 1):
        folder.joinpath(pem.name).write_bytes(pem.content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "scp.pem", folder / "scp.key")
    if demanding:
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # which asks before it is done
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context
