"""DICOM associations for asyncio: `connect`, `serve`, and what they give."""

from __future__ import annotations

from dicomwire.network.aio.association import Association
from dicomwire.network.aio.connecting import connect
from dicomwire.network.aio.handlers import blocking
from dicomwire.network.aio.responses import Answers
from dicomwire.network.aio.server import Server, serve

__all__ = ["Answers", "Association", "Server", "blocking", "connect", "serve"]
