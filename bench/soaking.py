"""A seed into associations that never end well for long: the senders of a soak, in one process.

`python -m bench.soaking SEED GENERATION NUMBER THREADS FOLDER-PORT ARCHIVE-PORT SCRATCH` works
until its standard input ends. What is acknowledged goes to standard output at once, a line each:
this process may be killed at any time.
"""

from __future__ import annotations

import hashlib
import os
import random
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.archive import FIND, GET
from bench.objects import CT, EXPLICIT
from dicomwire import AE, Options, build_context, build_role, evt
from dicomwire.dataset.part10 import encode_file_meta
from dicomwire.protocol.errors import Error
from dicomwire.services import scu
from dicomwire.standard.dimse import C_STORE

HOST = "127.0.0.1"
VERIFICATION = "1.2.840.10008.1.1"
WINDOW = 16
FOLDER, ARCHIVE, DONE, BROKEN, FAILED = "folder", "archive", "done", "broken", "failed"
SIZES = (0, 1_000, 30_000, 300_000)
TORN = 0.25  # of the associations are broken off


def content(uid: str) -> bytes:
    """Return the data set of a UID: the same whenever it is asked for."""
    digest = hashlib.sha256(uid.encode()).digest()
    noise = hashlib.shake_128(digest).digest(SIZES[digest[0] % len(SIZES)])
    study = uid.rpartition(".")[0]
    texts = (
        (0x0008, 0x0016, b"UI", CT),
        (0x0008, 0x0018, b"UI", uid),
        (0x0010, 0x0010, b"PN", "Soak^Bench"),
        (0x0010, 0x0020, b"LO", study),
        (0x0020, 0x000D, b"UI", study),
        (0x0020, 0x000E, b"UI", f"{study}.1"),
    )
    elements = []
    for group, element, vr, text in texts:
        value = text.encode() + (b"\0" if vr == b"UI" else b" ") * (len(text) % 2)
        elements.append(struct.pack("<HH2sH", group, element, vr, len(value)) + value)
    pixels = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, len(noise)) + noise
    return b"".join(elements) + pixels


class Sender:
    """One thread: one association after the other.

    Parameters
    ----------
    chance : Random
        Decides.
    study : str
        Study Instance UID of all that it sends.
    folder, archive : int
        Ports.
    scratch : Path
        For the files that it sends.
    """

    def __init__(
        self, chance: random.Random, study: str, folder: int, archive: int, scratch: Path
    ) -> None:
        self._chance, self._study, self._scratch = chance, study, scratch
        self._folder, self._archive = folder, archive
        self._count = 0
        self._ae = AE("SOAK", options=Options(asynchronous_operations=(WINDOW, 1)))
        self._ae.acse_timeout = self._ae.dimse_timeout = 20

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        kinds: list[Callable[[], None]] = [self.echo, self.store, self.archive, self.find, self.get]
        while not stop.is_set():
            kind = self._chance.choices(kinds, (2, 4, 2, 1, 1))[0]
            try:
                kind()
                say(DONE, kind.__name__)
            except (Error, OSError, RuntimeError) as error:  # the other side was killed
                say(BROKEN, type(error).__name__)
            except Exception as error:  # noqa: BLE001 - whatever it is, the soak has found it
                say(FAILED, f"{kind.__name__}: {error!r}")

    def _associated(self, port: int, contexts: list[Any], **more: Any) -> Any:
        association = self._ae.associate(HOST, port, contexts, **more)
        if not association.is_established:
            raise association.ended or ConnectionError("no association")
        return association

    def _leave(self, association: Any) -> None:
        """Release, or break off."""
        if self._chance.random() >= TORN:
            association.release()
        elif self._chance.random() < 0.5:
            association.abort()
        else:
            self._tear(association)

    def _tear(self, association: Any) -> None:
        """Reset the connection in the middle of a data set."""
        connection, transport = association.connection, association.driver.transport
        context = next(iter(connection.contexts.values()))
        uid = f"{self._study}.0"
        fields = {"AffectedSOPInstanceUID": uid, "Priority": 0}
        command = scu.command_for(C_STORE, 1, context.abstract_syntax, **fields)
        connection.send_message(context.context_id, command, bytes(100_000))
        bytes_ = b"".join(map(bytes, connection.out))
        connection.out.clear()
        if transport is not None:
            sock = transport.sock
            sock.send(bytes_[: self._chance.randrange(len(bytes_))])
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        association.abort()

    def echo(self) -> None:
        """Echo once or some times."""
        port = self._chance.choice((self._folder, self._archive))
        association = self._associated(port, [build_context(VERIFICATION)])
        for _ in range(self._chance.randrange(1, 4)):
            association.c_echo()
        self._leave(association)

    def store(self) -> None:
        """Store some objects into the folder."""
        self._send(self._folder, FOLDER)

    def archive(self) -> None:
        """Store some objects into the archive."""
        self._send(self._archive, ARCHIVE)

    def _send(self, port: int, name: str) -> None:
        association = self._associated(port, [build_context(CT, EXPLICIT)])
        paths = [self._make() for _ in range(self._chance.randrange(1, 9))]
        give_up = self._chance.randrange(len(paths)) if self._chance.random() < TORN else -1
        try:
            for number, (path, outcome) in enumerate(association.c_stores(paths)):
                if getattr(outcome, "status", None) == 0:
                    say(name, path.name)
                elif not isinstance(outcome, Error):
                    say(FAILED, f"{name}: {outcome!r}")
                if number == give_up:
                    association.abort()
                    return
        finally:
            for path in paths:
                path.unlink(missing_ok=True)
        self._leave(association)

    def _make(self) -> Path:
        self._count += 1
        uid = f"{self._study}.{self._count}"
        path = self._scratch / uid
        path.write_bytes(encode_file_meta(CT, uid, EXPLICIT, "2.25.1", "SOAK") + content(uid))
        return path

    def find(self) -> None:
        """Find the own study."""
        association = self._associated(self._archive, [build_context(FIND)])
        for _ in association.c_find(self._keys(), FIND):
            if self._chance.random() < TORN:
                association.abort()
                return
        self._leave(association)

    def _keys(self) -> Any:
        from pydicom import Dataset

        keys = Dataset()
        keys.QueryRetrieveLevel, keys.StudyInstanceUID = "STUDY", self._study
        return keys

    def get(self) -> None:
        """Get the own study."""
        association = self._associated(
            self._archive,
            [build_context(GET), build_context(CT, EXPLICIT)],
            ext_neg=[build_role(CT, scp_role=True)],
            evt_handlers=[(evt.EVT_C_STORE, lambda event: 0x0000)],
        )
        for _ in association.send_c_get(self._keys(), GET):
            if self._chance.random() < TORN / 4:
                association.abort()
                return
        self._leave(association)


def say(what: str, text: str) -> None:
    """Write a line with one system call: nothing of it is lost when this process is killed."""
    os.write(1, f"{what} {text}\n".encode()[:4096])


def main(seed: str, generation: str, number: str, threads: str, *places: str) -> None:
    """Send until standard input ends."""
    folder, archive, scratch = int(places[0]), int(places[1]), Path(places[2])
    stop = threading.Event()
    running = []
    for thread in range(int(threads)):
        study = f"2.25.9{int(seed)}.{generation}.{number}.{thread}"
        sender = Sender(random.Random(study), study, folder, archive, scratch)
        running.append(threading.Thread(target=sender.run, args=(stop,), daemon=True))
        running[-1].start()
    sys.stdin.read()
    stop.set()
    for each in running:
        each.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
