"""Names and addresses into a test certificate authority and certificates for two ends, as PEM."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION = "dicomwire TEST ONLY, never for patients' data"
SKEW = timedelta(days=1)  # that the clocks of two test machines may differ
ENDS = ("scp", "scu")


class Pem(NamedTuple):
    """A file to be: its name, its content, and whether only its owner may read it."""

    name: str
    content: bytes
    is_secret: bool


class _Issuer(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def certificates(hosts: Sequence[str], days: int) -> list[Pem]:
    """Make a certificate authority, and a key and a certificate by it for each of two ends.

    The authority's key is not among them: nobody can certify anything in its name later. Both
    ends may be client and server, as a DICOM application with C-MOVE is both.

    Parameters
    ----------
    hosts : sequence of str
        Host names and addresses, at least one; both certificates are for all of them.
    days : int
        How long they are valid.

    Returns
    -------
    list of Pem
        ca.pem, scp.pem, scp.key, scu.pem, scu.key.

    Raises
    ------
    ValueError
        When a host is neither a name nor an address; it is the error's only argument.
    """
    names = x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    authority = _authority(days)
    files = [Pem("ca.pem", authority.certificate.public_bytes(Encoding.PEM), False)]
    for end in ENDS:
        key = _key()
        certificate = _certified(authority, key, end, names, days)
        files.append(Pem(f"{end}.pem", certificate.public_bytes(Encoding.PEM), False))
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.append(Pem(f"{end}.key", content, True))
    return files


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host.encode("idna").decode()  # empty or too long labels are refused
    except UnicodeError as error:
        raise ValueError(host) from error
    if not name or not all(each.isalnum() or each in "-._" for each in name):
        raise ValueError(host)
    return x509.DNSName(name)


def _key() -> ec.EllipticCurvePrivateKey:
    # PS3.15 B.12 has P-256 among the curves that every implementation supports
    return ec.generate_private_key(ec.SECP256R1())


def _named(text: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION)
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - SKEW,
        not_valid_after=now + timedelta(days=days),
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _authority(days: int) -> _Issuer:
    key, name = _key(), _named("dicomwire test CA")
    made = (
        _begin(name, name, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return _Issuer(key, made.sign(key, hashes.SHA256()))


def _certified(
    authority: _Issuer,
    key: ec.EllipticCurvePrivateKey,
    end: str,
    names: x509.SubjectAlternativeName,
    days: int,
) -> x509.Certificate:
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    name = _named(f"dicomwire test {end}")
    made = (
        _begin(name, authority.certificate.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(issuer, critical=False)
        .add_extension(names, critical=False)
    )
    return made.sign(authority.key, hashes.SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
