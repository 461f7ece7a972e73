"""A certificate authority into files for the peers and TLS contexts for us."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from dicomwire.apps.certificates import certificates
from dicomwire.apps.tls import write


class Party(NamedTuple):
    """Who proves who it is with a certificate, in files of PEM.

    Parameters
    ----------
    certificate, key, authority : Path
        Its own certificate, its private key, the certificate of whom it trusts.
    """

    certificate: Path
    key: Path
    authority: Path

    @property
    def dcmtk(self) -> list[str | Path]:
        """The options that DCMTK's tools take for it."""
        return ["+tls", self.key, self.certificate, "+cf", self.authority]

    @property
    def pynetdicom(self) -> list[str | Path]:
        """The options that our scripts with pynetdicom take for it."""
        return ["--tls", self.certificate, self.key, self.authority]

    @property
    def orthanc(self) -> dict[str, object]:
        """The options of Orthanc's configuration for it."""
        return {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(self.certificate),
            "DicomTlsPrivateKey": str(self.key),
            "DicomTlsTrustedCertificates": str(self.authority),
        }

    def server(self, *, verify: bool = True) -> ssl.SSLContext:
        """Our context as acceptor; `verify`: peers have to show a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.authority)
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        return context

    def client(self, *, own: bool = True) -> ssl.SSLContext:
        """Our context as requestor; `own`: we show a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.authority)
        if own:
            context.load_cert_chain(self.certificate, self.key)
        return context


def party(folder: Path) -> Party:
    """Make a certificate for localhost, by an authority of its own."""
    for pem in certificates(["localhost", "127.0.0.1"], days=1):
        write(folder / pem.name, pem.content, 0o600 if pem.is_secret else 0o644)
    return Party(folder / "scp.pem", folder / "scp.key", folder / "ca.pem")
