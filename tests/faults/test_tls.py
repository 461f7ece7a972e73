"""Turns wrong versions, ciphers, certificates and files into refusals that say what is wrong."""

from __future__ import annotations

import contextlib
import datetime
import errno
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dicomwire import AE, evt, tls
from dicomwire.protocol.command import encode_command
from dicomwire.protocol.errors import Lost
from tests.faults.two_servers import KINDS, served
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    entity,
    until,
)
from tests.protocol import pairs

both = pytest.mark.parametrize("kind", KINDS)
DAY = datetime.timedelta(days=1)


class Papers(NamedTuple):
    """Files of one end: what it shows, and whom it trusts."""

    certificate: Path
    key: Path
    ca: Path

    def server(self, **more: Any) -> ssl.SSLContext:
        return tls.server(self.certificate, self.key, self.ca, **more)

    def client(self, **more: Any) -> ssl.SSLContext:
        return tls.client(self.ca, self.certificate, self.key, **more)


class Office:
    """An authority that writes certificates into a folder, with all their faults."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *hosts: str, **more: Any) -> Papers:
        """A certificate and its key; `more` is trustme's."""
        made = self.authority.issue_cert(*(hosts or ("localhost", LOCAL)), **more)
        return self._written(name, made.private_key_pem.bytes(), made.cert_chain_pems[0].bytes())

    def _written(self, name: str, key: bytes, certificate: bytes) -> Papers:
        papers = Papers(self.folder / f"{name}.pem", self.folder / f"{name}.key", self.ca)
        papers.certificate.write_bytes(certificate)
        papers.key.touch(0o600)
        papers.key.write_bytes(key)
        return papers

    def dated(self, name: str, first: datetime.timedelta, last: datetime.timedelta) -> Papers:
        """A certificate that is valid from and until some time away from now."""
        return self._made(name, first, last, None)

    def for_servers_only(self, name: str) -> Papers:
        return self._made(name, -DAY, DAY, ExtendedKeyUsageOID.SERVER_AUTH)

    def _made(self, name: str, first: Any, last: Any, purpose: Any) -> Papers:
        model = self.authority.issue_cert("localhost", LOCAL)
        shown = x509.load_pem_x509_certificate(model.cert_chain_pems[0].bytes())
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(shown.subject)
            .issuer_name(shown.issuer)
            .public_key(shown.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + first)
            .not_valid_after(now + last)
        )
        for extension in shown.extensions:
            if purpose is None or not isinstance(extension.value, x509.ExtendedKeyUsage):
                builder = builder.add_extension(extension.value, extension.critical)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        made = builder.sign(self._key(), hashes.SHA256())
        return self._written(name, model.private_key_pem.bytes(), made.public_bytes(Encoding.PEM))

    def _key(self) -> Any:
        return load_pem_private_key(self.authority.private_key_pem.bytes(), None)

    def revoke(self, papers: Papers) -> Path:
        """A list of revoked certificates with this one."""
        gone = x509.load_pem_x509_certificate(papers.certificate.read_bytes())
        now = datetime.datetime.now(datetime.UTC)
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(gone.serial_number)
            .revocation_date(now - DAY)
            .build()
        )
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(gone.issuer)
            .last_update(now - DAY)
            .next_update(now + DAY)
            .add_revoked_certificate(entry)
            .sign(self._key(), hashes.SHA256())
        )
        path = self.folder / "revoked.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM))
        return path


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "ours").mkdir()
    return Office(tmp_path / "ours")


@pytest.fixture
def strangers(tmp_path: Path) -> Office:
    (tmp_path / "theirs").mkdir()
    return Office(tmp_path / "theirs")


def served_ae() -> AE:
    ae = entity("SCP")
    ae.acse_timeout = WAIT
    return ae


def echoed(port: int, context: ssl.SSLContext, host: str | None = "localhost") -> Any:
    """What became of an association over TLS, after a C-ECHO."""
    assoc = entity("SCU", VERIFICATION).associate(LOCAL, port, tls_args=(context, host))
    if assoc.is_established:
        with contextlib.suppress(RuntimeError):  # TLS 1.3: the refusal may come only now
            assoc.send_c_echo()
        assoc.release()
    return assoc


def works(port: int, context: ssl.SSLContext, host: str | None = "localhost") -> bool:
    return bool(echoed(port, context, host).is_released)


# -- versions and ciphers ------------------------------------------------------------------------


def raw(port: int, **settings: Any) -> str:
    """Shake hands as somebody else's client; return what it says of the refusal, "" for none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(settings.pop("ciphers", "ALL:@SECLEVEL=0"))
    context.minimum_version = settings.pop("minimum", ssl.TLSVersion.TLSv1_2)
    context.maximum_version = settings.pop("maximum", ssl.TLSVersion.TLSv1_2)
    with socket.create_connection((LOCAL, port), WAIT) as sock:
        try:
            with context.wrap_socket(sock):
                return ""
        except (ssl.SSLError, OSError) as error:
            return str(getattr(error, "reason", None) or error)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@both
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_versions_are_refused(kind: str, version: str, office: Office) -> None:
    """X01."""
    context = office.issue("scp").server(clients="any")
    with served(kind, served_ae(), ssl_context=context) as port:
        old = ssl.TLSVersion[version]
        assert "ALERT" in raw(port, minimum=old, maximum=old)
        assert raw(port) == ""


WEAK = """AES128-SHA AES128-GCM-SHA256 ECDHE-RSA-AES128-SHA ECDHE-RSA-AES256-SHA384
    ADH-AES128-GCM-SHA256 AECDH-AES128-SHA NULL-SHA256 ECDHE-RSA-NULL-SHA""".split()


@both
@pytest.mark.parametrize("suite", WEAK)
def test_weak_suites_are_refused(kind: str, suite: str, office: Office) -> None:
    """X02."""
    context = office.issue("scp", key_type=trustme.KeyType.RSA).server(clients="any")
    with served(kind, served_ae(), ssl_context=context) as port:
        assert "ALERT" in raw(port, ciphers=f"{suite}:@SECLEVEL=0")
        assert raw(port, ciphers="ECDHE-RSA-AES128-GCM-SHA256") == ""


@both
@pytest.mark.parametrize("suite", tls.CIPHERS)
def test_each_suite_of_the_profile_works(kind: str, suite: str, office: Office) -> None:
    """X03."""
    key = trustme.KeyType.ECDSA if "ECDSA" in suite else trustme.KeyType.RSA
    scp = office.issue("scp", key_type=key)
    client = scp.client(ciphers=[suite])
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with served(kind, served_ae(), ssl_context=scp.server()) as port:
        assoc = entity("SCU", VERIFICATION).associate(LOCAL, port, tls_args=(client, "localhost"))
        assert assoc.raw_socket.cipher()[0] == suite
        assert assoc.send_c_echo().Status == 0
        assoc.release()


@both
def test_the_newest_version_is_taken_and_nothing_old_with_it(kind: str, office: Office) -> None:
    """X03, X07."""
    scp = office.issue("scp")
    with served(kind, served_ae(), ssl_context=scp.server()) as port:
        assoc = entity("SCU", VERIFICATION).associate(
            LOCAL, port, tls_args=(scp.client(), "localhost")
        )
        assert assoc.send_c_echo().Status == 0
        sock = assoc.raw_socket
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() == "TLSv1.3"
        assert sock.compression() is None
        assert sock.session is None or not sock.session.has_ticket  # X08: nobody is let in by one
        assoc.release()
    for context in (scp.server(), scp.client()):
        assert context.options & ssl.OP_NO_COMPRESSION
        assert context.options & ssl.OP_NO_RENEGOTIATION


# -- certificates --------------------------------------------------------------------------------


def without_certificate(office: Office, _: Office) -> ssl.SSLContext:
    return tls.client(office.ca)


def of_another_ca(office: Office, strangers: Office) -> ssl.SSLContext:
    theirs = strangers.issue("scu")
    return tls.client(office.ca, theirs.certificate, theirs.key)


def unchecked(office: Office, papers: Papers) -> ssl.SSLContext:
    """A client that shows a certificate without looking at it."""
    context = tls.client(office.ca)
    context.load_cert_chain(papers.certificate, papers.key)
    return context


def expired(office: Office, _: Office) -> ssl.SSLContext:
    return unchecked(office, office.dated("scu", -3 * DAY, -DAY))


def not_yet_valid(office: Office, _: Office) -> ssl.SSLContext:
    return unchecked(office, office.dated("scu", DAY, 3 * DAY))


def for_servers_only(office: Office, _: Office) -> ssl.SSLContext:
    return unchecked(office, office.for_servers_only("scu"))


@both
@pytest.mark.parametrize(
    "wrong", [without_certificate, of_another_ca, expired, not_yet_valid, for_servers_only]
)
def test_clients_that_are_not_let_in(
    kind: str, wrong: Callable[..., ssl.SSLContext], office: Office, strangers: Office
) -> None:
    """X04."""
    scp = office.issue("scp")
    with served(kind, served_ae(), ssl_context=scp.server()) as port:
        assert not works(port, wrong(office, strangers))
        assert works(port, scp.client())


@both
def test_a_revoked_client_is_not_let_in(kind: str, office: Office) -> None:
    """X04."""
    scp, gone = office.issue("scp"), office.issue("gone")
    context = scp.server(revoked=office.revoke(gone))
    with served(kind, served_ae(), ssl_context=context) as port:
        assert not works(port, gone.client())
        assert works(port, scp.client())


@both
@pytest.mark.parametrize("wrong", ["host", "CA", "dates", "signature", "none"])
def test_servers_that_are_not_trusted(
    kind: str, wrong: str, office: Office, strangers: Office
) -> None:
    """X05."""
    papers = {
        "host": lambda: office.issue("scp", "other.example"),
        "CA": lambda: strangers.issue("scp"),
        "dates": lambda: office.dated("scp", -3 * DAY, -DAY),
        "signature": lambda: self_signed(office),
        "none": lambda: office.issue("scp"),
    }[wrong]()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(papers.certificate, papers.key)
    with served(kind, served_ae(), ssl_context=server) as port:
        assoc = echoed(port, tls.client(office.ca))
        assert assoc.is_released is (wrong == "none")
        if wrong == "dates":
            assert isinstance(assoc.ended, Lost)
            assert "renewed" in assoc.ended.check


def self_signed(office: Office) -> Papers:
    """A certificate that nobody vouches for."""
    papers = office.issue("alone")
    key: Any = load_pem_private_key(papers.key.read_bytes(), None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    papers.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    return papers


# -- the end of the line -------------------------------------------------------------------------


@both
def test_a_line_cut_within_a_data_set_loses_it(kind: str, office: Office, tmp_path: Path) -> None:
    """X10: TCP ends without a close_notify of TLS."""
    scp, stored, ended = office.issue("scp"), Box(), Box()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    ae = entity("SCP", store_directory=inbox)

    handlers = ((evt.EVT_C_STORE, stored.put), (evt.EVT_ABORTED, ended.put))
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(served(kind, ae, *handlers, ssl_context=scp.server()))
        plain = stack.enter_context(socket.create_connection((LOCAL, port), WAIT))
        sock = scp.client().wrap_socket(plain, server_hostname="localhost")
        peer = Peer(stack.enter_context(sock))
        peer.send(pairs.request())
        assert type(peer.read()).__name__ == "AssociateAC"
        command = encode_command({**pairs.STORE, "CommandDataSetType": 1})
        peer.send(pairs.values((3, 3, command)), pairs.values((3, 0, bytes(5000))))
        until(lambda: any(inbox.iterdir()))
        socket.socket.shutdown(sock, socket.SHUT_WR)  # below TLS
        ended.wait()
        until(lambda: not any(inbox.iterdir()))
        assert stored.things == []


# -- files ---------------------------------------------------------------------------------------


def test_what_is_wrong_with_files(office: Office, strangers: Office, tmp_path: Path) -> None:
    """X12, and what else keeps a context from being made."""
    good, other = office.issue("scp"), office.issue("other")
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("no PEM")
    rubbish.chmod(0o600)
    open_key = tmp_path / "open.key"
    open_key.write_bytes(good.key.read_bytes())
    open_key.chmod(0o644)
    nowhere = tmp_path / "nowhere"
    old, new = office.dated("old", -3 * DAY, -DAY), office.dated("new", DAY, 3 * DAY)
    cases: list[tuple[dict[str, Path], str, str]] = [
        ({"key": nowhere}, "There is no file", "path"),
        ({"certificate": nowhere}, "There is no file", "path"),
        ({"ca": nowhere}, "There is no file", "path"),
        ({"key": tmp_path}, "is a folder", "path"),
        ({"key": open_key}, "Everybody on this machine may read the key", "chmod o="),
        ({"key": other.key}, "is not that of the certificate", "same pair"),
        ({"key": rubbish}, "are no key and its certificate", "PEM"),
        ({"certificate": rubbish}, "are no key and its certificate", "PEM"),
        ({"ca": rubbish}, "cannot be used", "BEGIN"),
        ({"ca": good.key}, "cannot be used", "BEGIN"),
        ({"certificate": old.certificate, "key": old.key}, "has expired", "clock"),
        ({"certificate": new.certificate, "key": new.key}, "is not valid yet", "clock"),
    ]
    for changed, what, check in cases:
        files = {**good._asdict(), **changed}
        for make in (tls.server, tls.client):
            with pytest.raises(tls.TLSError, match=what) as found:
                make(**files)
            assert check in found.value.check
    assert good.server()
    assert good.client()


def test_a_key_that_may_not_be_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    papers, opened = office.issue("scp"), Path.open

    def may_not(path: Path, *mode: Any) -> Any:  # root may read everything
        if path == papers.key:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *mode)

    monkeypatch.setattr(Path, "open", may_not)
    with pytest.raises(tls.TLSError, match="cannot be read") as found:
        papers.server()
    assert "permissions" in found.value.check


def test_what_makes_no_sense(office: Office) -> None:
    papers = office.issue("scp")
    with pytest.raises(tls.TLSError, match="there is no CA"):
        tls.server(papers.certificate, papers.key)
    with pytest.raises(ValueError, match="clients is 'required'"):
        papers.server(clients="some")
    with pytest.raises(tls.TLSError, match="come together"):
        tls.client(office.ca, papers.certificate)
    with pytest.raises(tls.TLSError, match="No such cipher suite"):
        papers.server(ciphers=["NULL-NOTHING"])


def test_what_is_verified_by_default(office: Office) -> None:
    papers = office.issue("scp")
    server, client = papers.server(), tls.client()
    assert server.verify_mode is client.verify_mode is ssl.CERT_REQUIRED
    assert client.check_hostname
    assert papers.server(clients="optional").verify_mode is ssl.CERT_OPTIONAL
    assert tls.server(papers.certificate, papers.key, clients="any").verify_mode is ssl.CERT_NONE
    assert tls.client(verify=False).verify_mode is ssl.CERT_NONE
