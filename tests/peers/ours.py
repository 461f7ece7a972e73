"""Our own two ends as the tests of this folder use them: a server that keeps, and a sender."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from dicomwire import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    Association,
    Options,
    build_context,
    evt,
)
from dicomwire.sop_class import Verification
from tests.peers import LOOPBACK
from tests.peers.objects import Object, after_meta, decoded

WAIT = 20.0  # seconds for what a peer has set off to arrive


class Received(NamedTuple):
    """What came with one C-STORE request."""

    instance: str
    syntax: str
    data: bytes


class Receiver:
    """Our server while it runs, and what it has seen.

    Attributes
    ----------
    port : int
        Where it listens.
    received : list of Received
        The objects, in the order they came.
    """

    def __init__(self, folder: Path | None) -> None:
        self.port = 0
        self.received: list[Received] = []
        self._folder = folder
        self._ends: SimpleQueue[Association] = SimpleQueue()

    def store(self, event: Any) -> int:
        """Keep the object of a C-STORE request, out of memory or out of the file it went to."""
        instance = str(event.request.AffectedSOPInstanceUID)
        if self._folder is None:
            data = event.encoded_dataset(include_meta=False)
        else:
            kept = self._folder / f"{instance}.dcm"
            event.dataset_path.replace(kept)
            data = after_meta(kept.read_bytes())
        self.received.append(Received(instance, str(event.context.transfer_syntax), data))
        return 0x0000

    def end(self, event: Any) -> None:
        """Note that an association is over."""
        self._ends.put(event.assoc)

    def next_end(self) -> Association:
        """Wait for the end of an association; return it."""
        return self._ends.get(timeout=WAIT)

    @property
    def contents(self) -> dict[str, list[object]]:
        """What is in the objects received, decoded, by SOP Instance UID."""
        return {each.instance: decoded(each.data, each.syntax) for each in self.received}

    @property
    def by_instance(self) -> dict[str, bytes]:
        """The data sets received, by SOP Instance UID."""
        return {each.instance: each.data for each in self.received}


@contextmanager
def receiving(
    folder: Path | None = None,
    *,
    syntaxes: Sequence[str] = ALL_TRANSFER_SYNTAXES,
    tls: ssl.SSLContext | None = None,
    handlers: Sequence[Any] = (),
    **settings: Any,
) -> Iterator[Receiver]:
    """Run our server for C-ECHO and all storage SOP classes until the block is left.

    Parameters
    ----------
    folder : Path, optional
        Where data sets go as they arrive; None keeps them in memory.
    syntaxes : sequence of str
        The transfer syntaxes that are accepted.
    tls : SSLContext, optional
        For TLS.
    handlers : sequence
        Further (event, function).
    **settings
        Attributes of the AE, and `ae_title`.
    """
    receiver = Receiver(folder)
    ae = AE(settings.pop("ae_title", "OURS"), options=Options(store_directory=folder))
    for name, value in settings.items():
        setattr(ae, name, value)
    ae.add_supported_context(Verification)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, list(syntaxes))
    bound = [
        (evt.EVT_C_STORE, receiver.store),
        (evt.EVT_RELEASED, receiver.end),
        (evt.EVT_ABORTED, receiver.end),
        (evt.EVT_REJECTED, receiver.end),
        *handlers,
    ]
    server = ae.start_server((LOOPBACK, 0), block=False, ssl_context=tls, evt_handlers=bound)
    receiver.port = server.server_address[1]
    try:
        yield receiver
    finally:
        ae.shutdown()


def ask(port: int, objects: Iterable[Object] = (), **arguments: Any) -> Association:
    """Ask a peer for an association for C-ECHO and for the objects as they are encoded.

    Parameters
    ----------
    port : int
        Where the peer listens.
    objects : iterable of Object
        What to propose contexts for: one for each SOP class with each transfer syntax.
    **arguments
        See `AE.associate`; `title` is our own.
    """
    pairs = dict.fromkeys((each.sop_class, each.syntax) for each in objects)
    contexts = [build_context(Verification), *(build_context(*pair) for pair in pairs)]
    ae = AE(arguments.pop("title", "OURS"))
    return ae.associate(LOOPBACK, port, arguments.pop("contexts", contexts), **arguments)


def echo(port: int, **arguments: Any) -> None:
    """Ask a peer for an association, send two C-ECHO, release it."""
    with ask(port, **arguments) as assoc:
        assert assoc.is_established, assoc.ended
        assert [assoc.send_c_echo(number).Status for number in (1, 65535)] == [0, 0]
    assert assoc.is_released, assoc.ended


def send(port: int, objects: Sequence[Object], **arguments: Any) -> None:
    """Send files to a peer over one association; it has to take all of them."""
    with ask(port, objects, **arguments) as assoc:
        assert assoc.is_established, assoc.ended
        answers = [assoc.send_c_store(each.path) for each in objects]
        assert [answer.get("Status") for answer in answers] == [0] * len(objects), assoc.ended
    assert assoc.is_released, assoc.ended
