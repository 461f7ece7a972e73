"""Runs of tools in this process, and peers for them on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dicomwire.apps import serving, storescp
from dicomwire.apps.main import main
from dicomwire.apps.requesting import entity
from dicomwire.network import events as evt
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.presentation import build_context
from tests.dataset.samples import CT, EXPLICIT, explicit, instance_explicit, part10

VERIFICATION = "1.2.840.10008.1.1"


class Run(NamedTuple):
    """What a run of a tool gave: exit code, standard output, lines on standard error."""

    code: int
    out: str
    lines: list[str]


Tool = Callable[..., Run]


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str]) -> Tool:
    """`tool("echoscu", "-v", host, port)` runs a tool in this process."""

    def run(*argv: object) -> Run:
        capsys.readouterr()
        code = main([str(each) for each in argv])
        said = capsys.readouterr()
        return Run(int(code), said.out, said.err.splitlines())

    return run


class Peer(NamedTuple):
    """A server of this library: what a tool talks to."""

    ae: ApplicationEntity
    port: int
    stored: list[tuple[str, str, bytes]]  # SOP Instance UID, transfer syntax, data set
    proposals: list[Any]  # the A-ASSOCIATE-RQs

    @property
    def address(self) -> tuple[str, str]:
        """Host and port as arguments."""
        return "127.0.0.1", str(self.port)


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """`peer(on_store=..., syntaxes=...)` starts a server; it ends with the test."""
    with ExitStack() as ends:

        def start(
            on_store: Callable[[Any], int] = lambda event: 0,
            on_echo: Callable[[Any], int] = lambda event: 0,
            classes: tuple[str, ...] = (VERIFICATION, CT),
            syntaxes: tuple[str, ...] | None = None,
            handlers: tuple[Any, ...] = (),
            ssl_context: Any = None,
            **settings: Any,
        ) -> Peer:
            ae = ApplicationEntity("PEER")
            for name, value in settings.items():
                setattr(ae, name, value)
            stored: list[tuple[str, str, bytes]] = []
            proposals: list[Any] = []

            def store(event: Any) -> int:
                uid, syntax = event.request.AffectedSOPInstanceUID, event.context.transfer_syntax
                stored.append((uid, syntax, event.encoded_dataset(include_meta=False)))
                return on_store(event)

            def requested(event: Any) -> None:
                proposals.append(event.assoc.connection.request)

            server = ae.start_server(
                ("127.0.0.1", 0),
                block=False,
                ssl_context=ssl_context,
                contexts=[build_context(uid, syntaxes) for uid in classes],
                evt_handlers=[
                    (evt.EVT_C_STORE, store),
                    (evt.EVT_C_ECHO, on_echo),
                    (evt.EVT_REQUESTED, requested),
                    *handlers,
                ],
            )
            assert server is not None
            ends.callback(ae.shutdown)
            return Peer(ae, server.server_address[1], stored, proposals)

        yield start


class Receiving(NamedTuple):
    """A storescp of this process."""

    ae: ApplicationEntity
    port: int
    folder: Path

    @property
    def address(self) -> tuple[str, str]:
        """Host and port as arguments."""
        return "127.0.0.1", str(self.port)

    @property
    def names(self) -> list[str]:
        """The files it wrote, sorted; temporary ones too."""
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def receiving(tmp_path: Path) -> Iterator[Callable[..., Receiving]]:
    """`receiving("--ignore")` starts a storescp in this process; it ends with the test."""
    folder = tmp_path / "received"
    with ExitStack() as ends:

        def start(*argv: object) -> Receiving:
            folder.mkdir(exist_ok=True)
            options = [str(each) for each in argv]
            args = storescp.make_parser().read(["-ba", "127.0.0.1", *options, "0"])
            where = None if args.ignore else folder
            ae = entity(args.ae_title, args, options=storescp.settings(args, where))
            handlers = storescp.handlers(args, where)
            server = serving.start(ae, args, storescp.contexts(args), handlers)
            assert server is not None
            ends.callback(serving.finish, ae, server, 0.0)
            return Receiving(ae, server.server_address[1], folder)

        yield start


def dicom_file(
    path: Path, uid: str = "1.2.3.4", sop_class: str = CT, syntax: str = EXPLICIT
) -> Path:
    """Write a small object; little endian explicit VR whatever the file meta information says."""
    uids = instance_explicit(uid, sop_class)
    name, at = explicit(0x00100010, "PN", b"Nobody"), uids.index(b"\x20\0\x0d\0")
    data = uids[:at] + name + uids[at:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(part10(data, sop_class=sop_class, instance=uid, syntax=syntax))
    return path


@pytest.fixture
def files(tmp_path: Path) -> Callable[[int], Path]:
    """`files(3)` makes a folder with as many objects, 1.2.3.1 and on; return it."""

    def make(count: int) -> Path:
        folder = tmp_path / "files"
        for number in range(1, count + 1):
            dicom_file(folder / f"{number:04}.dcm", f"1.2.3.{number}")
        return folder

    return make
