"""Two servers that store into a folder, and what is sent to them byte for byte.

`storescp` is the tool, in this process; `asyncio` is a server of `dicomwire.aio` with a handler
that does what the tool's does.
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicomwire import aio
from dicomwire.apps import serving, storescp
from dicomwire.apps.receiving import Receiver
from dicomwire.apps.requesting import entity
from dicomwire.dataset.part10 import read_header
from dicomwire.network import events as evt
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.association import Association
from dicomwire.network.options import Options
from dicomwire.network.presentation import build_context
from dicomwire.services import scp, scu
from dicomwire.standard.dimse import C_STORE
from tests.dataset.samples import CT, EXPLICIT, explicit, instance_explicit

VERIFICATION = "1.2.840.10008.1.1"
SERVERS = ("storescp", "asyncio")
OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0xC000


@dataclass
class Standing:
    """A server that runs in this process.

    Attributes
    ----------
    port : int
        Where it listens on 127.0.0.1.
    folder : Path
        Where it stores.
    """

    port: int
    folder: Path

    @property
    def names(self) -> list[str]:
        """The files it wrote, sorted; temporary ones too."""
        return sorted(path.name for path in self.folder.iterdir())

    @contextmanager
    def associated(self, sop_class: str = CT, *syntaxes: str, window: int = 1) -> Iterator[Any]:
        """Have an association for one SOP class and Verification until the end of the block."""
        contexts = [build_context(sop_class, list(syntaxes) or [EXPLICIT])]
        contexts += [build_context(VERIFICATION)] if sop_class != VERIFICATION else []
        ae = ApplicationEntity("TEST", Options(asynchronous_operations=(window, 1)))
        with ae.associate("127.0.0.1", self.port, contexts) as association:
            yield association

    def store(
        self, uid: str, data: bytes | None = None, sop_class: str = CT, syntax: str = EXPLICIT
    ) -> int:
        """Send any bytes as a data set; return the status."""
        with self.associated(sop_class, syntax) as association:
            return store(association, uid, data, sop_class)

    def echo(self) -> int:
        """Ask a bystander's C-ECHO; return the status."""
        with self.associated(VERIFICATION) as association:
            return int(association.c_echo().status)


def store(association: Association, uid: str, data: bytes | None, sop_class: str = CT) -> int:
    """Send any bytes as a data set on an association; return the status."""
    command = scu.command_for(C_STORE, 1, sop_class, AffectedSOPInstanceUID=uid, Priority=0)
    data = instance_explicit(uid, sop_class) if data is None else data
    conversation = scu.request(association.connection, 1, command, scp.answer, data)
    response: Any = association._operate("C-STORE", conversation)
    return int(response.command["Status"])


@contextmanager
def serving_of(kind: str, folder: Path, *argv: str) -> Iterator[Standing]:
    """Serve until the end of the block, with options of `storescp`."""
    folder.mkdir(exist_ok=True)
    args = storescp.make_parser().read(["-ba", "127.0.0.1", *argv, "0"])
    begin = _with_threads if kind == "storescp" else _with_tasks
    with begin(args, folder) as port:
        yield Standing(port, folder)


@contextmanager
def _with_threads(args: Any, folder: Path) -> Iterator[int]:
    ae = entity(args.ae_title, args, options=storescp.settings(args, folder))
    handlers = storescp.handlers(args, folder)
    server = serving.start(ae, args, storescp.contexts(args), handlers)
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        serving.finish(ae, server, 0.0)


@contextmanager
def _with_tasks(args: Any, folder: Path) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    listening: list[int] = []
    is_ready = threading.Event()
    end = asyncio.Event()

    async def serve() -> None:
        ae = entity(args.ae_title, args, options=storescp.settings(args, folder))
        handlers = [(evt.EVT_C_STORE, Receiver(folder))]
        server = await aio.serve("127.0.0.1", 0, handlers, storescp.contexts(args), ae=ae)
        listening.append(server.port)
        is_ready.set()
        await end.wait()
        await server.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert is_ready.wait(30)
        yield listening[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(30)
        loop.close()


def instance(uid: str, size: int = 0) -> bytes:
    """Return a data set of about a size, of which no two are the same."""
    noise = hashlib.shake_128(uid.encode()).digest(size - size % 2)
    return instance_explicit(uid) + explicit(0x7FE00010, "OW", noise)


def stored(path: Path) -> bytes:
    """Return the data set in a file."""
    return path.read_bytes()[read_header(path).offset :]


def part10(data: bytes, uid: str) -> bytes:
    """Return the file of a data set, for those who send files."""
    group = b"".join(
        explicit(0x00020000 | number, "UI", text.encode() + b"\0" * (len(text) % 2))
        for number, text in ((2, CT), (3, uid), (0x10, EXPLICIT))
    )
    return bytes(128) + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(group)) + group + data
