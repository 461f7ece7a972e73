"""What a certificate of the test authority says, and that OpenSSL's strictest check takes it."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification

from dicomwire.apps.certificates import certificates

pytestmark = pytest.mark.no_socket
HOSTS = ["pacs.example", "192.0.2.10", "::1", "pacs.example"]


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return {pem.name: pem.content for pem in certificates(HOSTS, 7)}


def certificate(made: dict[str, bytes], name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made[name])


def test_only_the_keys_are_secret() -> None:
    secrets = {pem.name: pem.is_secret for pem in certificates(["a.example"], 1)}
    assert secrets == {
        "ca.pem": False,
        "scp.pem": False,
        "scp.key": True,
        "scu.pem": False,
        "scu.key": True,
    }


@pytest.mark.parametrize("end", ["scp", "scu"])
def test_each_end_has_the_key_of_its_certificate(made: dict[str, bytes], end: str) -> None:
    key = load_pem_private_key(made[f"{end}.key"], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == certificate(made, f"{end}.pem").public_key()


def test_nobody_gets_the_key_of_the_authority(made: dict[str, bytes]) -> None:
    public = certificate(made, "ca.pem").public_key()
    keys = [load_pem_private_key(text, None) for name, text in made.items() if "key" in name]
    assert public not in [key.public_key() for key in keys]


@pytest.mark.parametrize("end", ["scp", "scu"])
def test_names_and_addresses_stand_in_it_once(made: dict[str, bytes], end: str) -> None:
    extension = certificate(made, f"{end}.pem").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert list(extension.value) == [
        x509.DNSName("pacs.example"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.10")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]


@pytest.mark.parametrize("end", ["scp", "scu"])
def test_either_end_may_serve_and_ask(made: dict[str, bytes], end: str) -> None:
    leaf = certificate(made, f"{end}.pem")
    policy = verification.PolicyBuilder().store(
        verification.Store([certificate(made, "ca.pem")])
    )  # the rules of RFC 5280
    name = x509.DNSName("pacs.example")
    assert policy.build_server_verifier(name).verify(leaf, [])
    assert policy.build_client_verifier().verify(leaf, [])


def test_all_end_when_asked(made: dict[str, bytes]) -> None:
    week = datetime.now(UTC) + timedelta(days=7)
    for name in ("ca.pem", "scp.pem", "scu.pem"):
        assert abs(certificate(made, name).not_valid_after_utc - week) < timedelta(hours=1)


def test_the_names_say_that_it_is_for_tests(made: dict[str, bytes]) -> None:
    for name in ("ca.pem", "scp.pem", "scu.pem"):
        assert "TEST ONLY" in certificate(made, name).subject.rfc4514_string()


def test_a_name_in_another_script_is_encoded() -> None:
    scp = next(pem for pem in certificates(["bücher.example"], 1) if pem.name == "scp.pem")
    names = x509.load_pem_x509_certificate(scp.content).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("host", ["", "a b", "a..b", "pacs:104", "x" * 64, "http://pacs"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ValueError, match="^" + host.replace(".", "\\.") + "$"):
        certificates([host], 1)
