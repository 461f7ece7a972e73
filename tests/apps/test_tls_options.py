"""Options about TLS into connections that are safe, or into a line that says what is missing."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dicomwire.apps import echoscu, storescp
from dicomwire.apps.certificates import certificates
from dicomwire.apps.options import WrongUse
from dicomwire.apps.tls import write
from dicomwire.apps.tls_options import client_context, server_context
from tests.apps.conftest import Peer, Receiving, Tool, dicom_file

Receive = Callable[..., Receiving]


class Papers(NamedTuple):
    """A CA, and a key and a certificate from it."""

    ca: Path
    key: Path
    certificate: Path

    @property
    def own(self) -> tuple[object, ...]:
        """Arguments to use TLS with them."""
        return "+tls", self.key, self.certificate

    @property
    def options(self) -> tuple[object, ...]:
        """Arguments to trust their CA too."""
        return *self.own, "+cf", self.ca


def papers_in(folder: Path, *names: str) -> Papers:
    folder.mkdir()
    for pem in certificates(names or ("dicom.example",), days=1):
        write(folder / pem.name, pem.content, 0o600 if pem.is_secret else 0o644)
    return Papers(folder / "ca.pem", folder / "scu.key", folder / "scu.pem")


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers_in(tmp_path_factory.mktemp("papers") / "ours")


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers_in(tmp_path_factory.mktemp("papers") / "theirs")


def client(*argv: object) -> ssl.SSLContext | None:
    options = [str(each) for each in argv]
    return client_context(echoscu.make_parser().read([*options, "host", "104"]))


def server(*argv: object) -> ssl.SSLContext | None:
    options = [str(each) for each in argv]
    return server_context(storescp.make_parser().read([*options, "104"]))


def test_a_store_over_tls(tool: Tool, receiving: Receive, papers: Papers, tmp_path: Path) -> None:
    standing = receiving(*papers.options)
    path = dicom_file(tmp_path / "x")
    assert tool("storescu", *papers.options, *standing.address, path).code == 0
    assert standing.names == ["CT.1.2.3.4"]


@pytest.mark.parametrize("wrong", ["no certificate", "another CA's", "trusts another CA", "plain"])
def test_who_is_not_let_in(
    tool: Tool, receiving: Receive, papers: Papers, strange: Papers, wrong: str
) -> None:
    options: tuple[object, ...] = {
        "no certificate": ("+tla", "+cf", papers.ca),
        "another CA's": (*strange.own, "+cf", papers.ca),
        "trusts another CA": (*papers.own, "+cf", strange.ca),
        "plain": (),
    }[wrong]
    standing = receiving(*papers.options)
    run = tool("echoscu", "-ta", 10, *options, *standing.address)
    assert run.code == 1
    assert any(line.startswith("E: ") for line in run.lines)
    assert tool("echoscu", *papers.options, *standing.address).code == 0


def test_nobody_is_verified_on_demand(
    tool: Tool, receiving: Receive, papers: Papers, strange: Papers
) -> None:
    standing = receiving(*papers.own, "-ic")
    assert tool("echoscu", *strange.own, "-ic", *standing.address).code == 0
    assert tool("echoscu", "+tla", "-ic", *standing.address).code == 0


def test_a_certificate_may_be_optional(
    tool: Tool, receiving: Receive, papers: Papers, strange: Papers
) -> None:
    standing = receiving(*papers.options, "-vc")
    assert tool("echoscu", "+tla", "+cf", papers.ca, *standing.address).code == 0
    assert tool("echoscu", *strange.own, "+cf", papers.ca, *standing.address).code == 1


def test_the_host_name_on_demand(
    tool: Tool, receiving: Receive, papers: Papers, tmp_path: Path
) -> None:
    standing = receiving(*papers.options)
    run = tool("echoscu", *papers.options, "--check-hostname", *standing.address)
    assert run.code == 1
    assert any("ip address mismatch" in line for line in run.lines)
    named = papers_in(tmp_path / "named", "127.0.0.1")
    standing = receiving(*named.options)
    assert tool("echoscu", *named.options, "--check-hostname", *standing.address).code == 0


def test_tls_to_a_plain_peer(tool: Tool, peer: Callable[..., Peer], papers: Papers) -> None:
    run = tool("echoscu", "-ta", 10, *papers.options, *peer().address)
    assert run.code == 1
    assert "TLS" in run.lines[0]


@pytest.mark.no_socket
def test_no_option_is_no_tls() -> None:
    assert client() is None
    assert server("-tls") is None


@pytest.mark.no_socket
def test_old_versions_and_weak_ciphers_are_out(papers: Papers) -> None:
    for context in (client(*papers.options), server(*papers.options)):
        assert context is not None
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        for cipher in context.get_ciphers():
            assert cipher["protocol"] == "TLSv1.3" or "DHE" in cipher["name"]
            assert cipher["aead"]


@pytest.mark.no_socket
def test_cipher_suites_by_name(papers: Papers) -> None:
    context = client(*papers.options, "+cs", "ECDHE-RSA-AES256-GCM-SHA384")
    assert context is not None
    old = [each["name"] for each in context.get_ciphers() if each["protocol"] == "TLSv1.2"]
    assert old == ["ECDHE-RSA-AES256-GCM-SHA384"]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "flag"),
    [
        (["+crv"], ssl.VERIFY_CRL_CHECK_LEAF),
        (["+cra"], ssl.VERIFY_CRL_CHECK_CHAIN),
        ([], ssl.VerifyFlags(0)),
    ],
)
def test_revocation_lists(papers: Papers, options: list[str], flag: ssl.VerifyFlags) -> None:
    context = client(*papers.options, *options)
    assert context is not None
    assert context.verify_flags & ssl.VERIFY_CRL_CHECK_CHAIN == flag


@pytest.fixture(scope="module")
def locked(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    key: Any = load_pem_private_key(papers.key.read_bytes(), None)
    path = tmp_path_factory.mktemp("locked") / "key.pem"
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"open")
    )
    write(path, encrypted, 0o600)
    return path


@pytest.mark.no_socket
def test_the_password_of_a_key(
    locked: Path, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ("+tls", locked, papers.certificate)
    assert client(*own, "+pw", "open") is not None
    with pytest.raises(WrongUse, match="or the password is wrong"):
        client(*own, "+pw", "sesame")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "open")
    assert client(*own) is not None


@pytest.mark.no_socket
def test_nobody_to_ask_for_it(
    locked: Path, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", ask)
    with pytest.raises(WrongUse, match=r"has a password: add \+pw"):
        client("+tls", locked, papers.certificate)


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["+tls", "/no/key", "/no/cert"], "There is no file /no/cert"),
        (["+tls", "{key}", "{key}"], "are no key and its certificate"),
        (["+tls", "{certificate}", "{key}"], "may read the key"),
        (["+tls", "{key}", "{certificate}", "+cf", "/no/ca"], "There is no file /no/ca"),
        (["+tls", "{key}", "{certificate}", "+cf", "{key}"], "cannot be used"),
        (["+tls", "{key}", "{certificate}", "+cs", "NULL-NOTHING"], "No such cipher suite: NULL"),
        (["+tls", "{key}", "{certificate}", "+tla"], "contradict each other"),
        (["+cf", "{ca}"], r"\+cf says how to use TLS: add \+tls KEY CERT"),
        (["-ic"], "-ic says how to use TLS"),
        (["--check-hostname"], "--check-hostname says how to use TLS"),
    ],
)
def test_what_cannot_be(papers: Papers, options: list[str], said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        client(*(each.format(**papers._asdict()) for each in options))


@pytest.mark.no_socket
def test_a_server_has_to_know_whom_it_trusts(papers: Papers) -> None:
    with pytest.raises(WrongUse, match=r"Name the CA of the peers with \+cf FILE"):
        server(*papers.own)


@pytest.mark.no_socket
def test_wrong_use_is_exit_2(tool: Tool, papers: Papers) -> None:
    run = tool("storescp", *papers.own, 0)
    assert run.code == 2
    assert len(run.lines) == 1
