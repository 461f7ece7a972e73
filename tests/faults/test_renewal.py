"""X08, X09: keys, certificates and authorities that are replaced while servers use them."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dicomwire import evt, tls
from dicomwire.network.handshakes import check_resumed
from tests.apps.test_serving import server as tool
from tests.faults.servers import NAMES, Served
from tests.faults.servers import until as until_said
from tests.faults.test_tls import (
    DAY,
    Office,
    Papers,
    office,
    served_ae,
    strangers,
    works,
)
from tests.faults.two_servers import served
from tests.network.certificates import authority, contexts
from tests.network.ends import LOCAL, VERIFICATION, WAIT, entity, until

__all__ = ["office", "strangers"]  # fixtures

KINDS = ("threads", "asyncio", "workers")
every = pytest.mark.parametrize("kind", KINDS)
VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
RENEWED = "TLS goes on with the files as they are now"
KEPT = "TLS goes on with the files as they were"


@contextmanager
def running(kind: str, context: ssl.SSLContext, *handlers: Any) -> Iterator[tuple[int, Any]]:
    """The port of a server, and the server."""
    found: list[Any] = []
    with served(kind, served_ae(), *handlers, ssl_context=context, found=found) as port:
        yield port, found[0]


def shown(port: int, context: ssl.SSLContext) -> bytes | None:
    """The certificate that a server shows to a new connection."""
    with (
        socket.create_connection((LOCAL, port), WAIT) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as secured,
    ):
        return secured.getpeercert(binary_form=True)


def encoded(papers: Papers) -> bytes:
    return ssl.PEM_cert_to_DER_cert(papers.certificate.read_text())


def replace(old: Papers, new: Papers) -> None:
    """Put other papers in the place of those that a server was given."""
    for before, after in zip(old, new, strict=True):
        if before != after:
            shutil.copy(after, before)


def establish(port: int, context: ssl.SSLContext) -> Any:
    assoc = entity("SCU", VERIFICATION).associate(LOCAL, port, tls_args=(context, "localhost"))
    assert assoc.is_established, assoc.ended
    return assoc


# -- X09 ---------------------------------------------------------------------------------------


@every
def test_new_connections_get_the_new_certificate(kind: str, office: Office) -> None:
    papers, new = office.issue("scp"), office.issue("new")
    client, before = office.issue("scu").client(), encoded(papers)
    with running(kind, papers.server()) as (port, server):
        live = establish(port, client)
        assert shown(port, client) == before
        replace(papers, new)
        assert shown(port, client) == before
        assert server.renew_tls()
        assert {shown(port, client) for _ in range(4)} == {encoded(new)} != {before}
        assert live.send_c_echo().Status == 0
        live.release()
        assert works(port, client)


def test_a_worker_that_takes_the_place_of_another_has_it_too(office: Office) -> None:
    papers, new = office.issue("scp"), office.issue("new")
    client = office.issue("scu").client()

    def die(event: Any) -> int:
        os._exit(1)

    with running("workers", papers.server(), (evt.EVT_C_ECHO, die)) as (port, server):
        replace(papers, new)
        assert server.renew_tls()
        for _ in range(2):  # first those that were told, then those that came after them
            lives = [sooner_or_later(lambda: establish(port, client)) for _ in range(2)]
            assert sooner_or_later(lambda: shown(port, client)) == encoded(new)
            for live in lives:
                assert not live.send_c_echo()


def sooner_or_later(ask: Callable[[], Any]) -> Any:
    """What comes of asking again while a connection is given to a worker that is just dying."""
    found: list[Any] = []

    def has_come() -> bool:
        with suppress(AssertionError, OSError):
            found.append(ask())
        return bool(found)

    until(has_come)
    return found[0]


def lost(papers: Papers, _: Office) -> Path:
    papers.key.unlink()
    return papers.key


def of_another(papers: Papers, office: Office) -> Path:
    replace(papers, office.issue("new")._replace(certificate=papers.certificate))
    return papers.key


def open_to_all(papers: Papers, office: Office) -> Path:
    replace(papers, office.issue("new"))
    papers.key.chmod(0o644)
    return papers.key


def half_written(papers: Papers, office: Office) -> Path:
    replace(papers, office.issue("new"))
    papers.certificate.write_bytes(papers.certificate.read_bytes()[:300])
    return papers.certificate


def expired(papers: Papers, office: Office) -> Path:
    replace(papers, office.dated("new", -3 * DAY, -DAY))
    return papers.certificate


def no_authority(papers: Papers, _: Office) -> Path:
    papers.ca.unlink()
    return papers.ca


WRONG = (lost, of_another, open_to_all, half_written, expired, no_authority)


@every
@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_used_changes_nothing(
    kind: str,
    wrong: Callable[[Papers, Office], Path],
    office: Office,
    caplog: pytest.LogCaptureFixture,
) -> None:
    papers, client = office.issue("scp"), office.issue("scu").client()
    before = encoded(papers)
    with running(kind, papers.server()) as (port, server):
        live = establish(port, client)
        bad = wrong(papers, office)
        with caplog.at_level(logging.WARNING):
            assert not server.renew_tls()
        (line,) = [each.getMessage() for each in caplog.records if KEPT in each.getMessage()]
        assert str(bad) in line
        assert "Check: " in line
        assert shown(port, client) == before
        assert live.send_c_echo().Status == 0
        live.release()


@every
def test_a_context_that_knows_no_files(kind: str, office: Office) -> None:
    papers = office.issue("scp")
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    plain.load_cert_chain(papers.certificate, papers.key)
    with (
        running(kind, plain) as (_, server),
        pytest.raises(TypeError, match="set ssl_context"),
    ):
        server.renew_tls()


# -- X08 ---------------------------------------------------------------------------------------


@contextmanager
def coming_back(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> Iterator[ssl.SSLSocket]:
    """A client that knows its session of before; the server has let it in."""
    with (
        socket.create_connection((LOCAL, port), WAIT) as sock,
        context.wrap_socket(sock, server_hostname="localhost", session=session) as secured,
    ):
        secured.sendall(b"\x99\0\0\0\0\0")  # no PDU of PS3.8
        assert secured.recv(1) == b"\x07"  # A-ABORT: TLS 1.3 refuses clients only now
        yield secured


def resumes(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> bool:
    """Whether such a client is let in as who it was."""
    with coming_back(port, context, session) as sock:
        return bool(sock.session_reused)


def refused(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> bool:
    """Whether such a client is not let in."""
    try:
        with coming_back(port, context, session):
            return False
    except (OSError, AssertionError):
        return True


@every
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stands", [True, False])
def test_a_session_of_before_helps_nobody(
    kind: str, version: ssl.TLSVersion, stands: bool, office: Office, strangers: Office
) -> None:
    """The authority of a client is replaced by another; so is the list of who was revoked."""
    papers, mine = office.issue("scp"), office.issue("scu")
    other = office.issue("other")
    client = mine.client()
    client.maximum_version = version
    revoked = shutil.copy(office.revoke(other), office.folder / "list.pem")
    with running(kind, papers.server(revoked=revoked)) as (port, server), ExitStack() as stack:
        first = stack.enter_context(coming_back(port, client))
        session = first.session
        if not stands:
            stack.close()
            until(lambda: not resumes(port, client, session))  # the server sees the end of it
        elif version is ssl.TLSVersion.TLSv1_3:
            assert not resumes(port, client, session)
        assert server.renew_tls()
        assert not resumes(port, client, session)  # it was looked at anew
        shutil.copy(office.revoke(mine), revoked)
        assert server.renew_tls()
        assert refused(port, client, session)
        shutil.copy(office.revoke(other), revoked)
        assert server.renew_tls()
        assert not refused(port, client, session)
        shutil.copy(strangers.ca, papers.ca)
        shutil.copy(strangers.revoke(strangers.issue("scu")), revoked)
        assert server.renew_tls()
        assert refused(port, client, session)


class Resumed:
    """A connection whose session goes on."""

    session_reused = True

    def __init__(self, certificate: dict[str, str] | None) -> None:
        self._certificate = certificate

    def getpeercert(self) -> Any:
        return self._certificate


def test_a_certificate_may_expire_while_its_session_lasts() -> None:
    """OpenSSL takes up a TLS 1.2 session while its first connection stands."""
    valid = {"notAfter": "Nov 22 02:00:00 2026 GMT"}
    last = ssl.cert_time_to_seconds(valid["notAfter"])
    check_resumed(Resumed(valid), lambda: last)  # type: ignore[arg-type]
    check_resumed(Resumed(None), lambda: last + 1)  # type: ignore[arg-type]
    with pytest.raises(ssl.SSLError, match="expired"):
        check_resumed(Resumed(valid), lambda: last + 1)  # type: ignore[arg-type]


# -- the tools ---------------------------------------------------------------------------------


def put(folder: Path) -> bytes:
    """Put a new key and certificate where a `Served` has its own; return the certificate."""
    made = authority("").issue_cert("localhost", LOCAL)
    made.private_key_pem.write_to_path(folder / "key.pem")
    made.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())


@pytest.mark.parametrize("name", NAMES)
def test_a_server_that_gets_sighup(name: str, tmp_path: Path) -> None:
    server = Served(name, tmp_path, tls=True)
    client = contexts().client
    try:
        with server.established() as live:
            old = shown(server.port, client)
            new = put(tmp_path)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: shown(server.port, client) == new)
            assert old != new
            (tmp_path / "key.pem").write_text("rubbish")
            server.process.send_signal(signal.SIGHUP)
            until_said(lambda: KEPT in server.log(), server.log)
            (line,) = [each for each in server.log().splitlines() if KEPT in each]
            assert line.startswith("W: ")
            assert f"{tmp_path / 'key.pem'}" in line
            assert shown(server.port, client) == new
            server.goes_on(live)
        server.is_well()
    finally:
        server.stop()


@pytest.mark.parametrize(
    "command",
    ["echoscp", "storescp -od", "storescp --workers 2 -od", "qrscp -od", "wlmscp -dfp"],
)
def test_a_tool_whose_authority_is_replaced(
    command: str, office: Office, strangers: Office, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    own = [*command.split(), *([tmp_path / "home"] if " -" in command else [])]
    papers, mine = office.issue("scp"), office.issue("scu").client()
    theirs = strangers.issue("scu")
    kept = shutil.copy(papers.ca, office.folder / "kept.pem")
    other = tls.client(kept, theirs.certificate, theirs.key)
    with tool(*own, "+tls", papers.key, papers.certificate, "+cf", papers.ca) as at:
        assert works(at.port, mine)
        assert not works(at.port, other)
        shutil.copy(strangers.ca, papers.ca)
        at.process.send_signal(signal.SIGHUP)
        until(lambda: works(at.port, other))
        assert not works(at.port, mine)
        code, said = at.stop(signal.SIGTERM)
        assert code == 0
        assert len([line for line in said if RENEWED in line]) == 1


@pytest.mark.parametrize("name", ["echoscp"])
def test_a_tool_without_tls_is_ended_by_sighup(name: str) -> None:
    ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup a tool would ignore it too
    try:
        with tool(name) as at:
            assert at.stop(signal.SIGHUP)[0] == -signal.SIGHUP
    finally:
        signal.signal(signal.SIGHUP, ours)
