"""TLS contexts as PS3.15 B.12 wants them: `server`, `client`, and what they raise.

A server whose files were replaced uses them for connections to come after `server.renew_tls()`.
"""

from __future__ import annotations

from dicomwire.network.tls import CIPHERS, TLSError, client, server

__all__ = ["CIPHERS", "TLSError", "client", "server"]
