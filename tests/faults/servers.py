"""Turns the servers into processes that faults are tried on, and what must hold after each."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from dicomwire.protocol.pdus import Abort, AnyPDU, AssociateRJ, ReleaseRP, ReleaseRQ
from tests.faults.established import ECHOED, STORED, asking
from tests.faults.rows import Scenario, said
from tests.network.certificates import authority, contexts
from tests.network.ends import LOCAL, Peer, dial
from tests.protocol.pairs import CT, ECHO, STORE, VERIFICATION, message

TOP = Path(__file__).parents[2]
BOUND = 10.0
"""Seconds in which a server has to do what it does at once, on a machine that is very busy."""

LISTENING = "0A"  # as /proc/net/tcp has it
NAMES = ("echoscp", "storescp", "asyncio")
KEPT = "1.2.3.4.5"
"""The SOP Instance UID of the object that each server acknowledged before the first fault."""

OBJECT = re.compile(r"received/[A-Za-z]+\.[0-9.]+")
"""The names of what was received."""

PATIENT = ("-ta", "60", "-tn", "600")
HASTY = ("-ta", "1", "-tn", "1")
"""Time-outs: longer than a test takes, or so short that a test can wait for them."""

Seen = dict[str, str]


class Account(NamedTuple):
    """What a log says of connections that were refused.

    Attributes
    ----------
    lines : list of str
        Of single connections and of sums.
    summed_up : int
        How many connections are in the sums.
    without, too_often : int
        How many have no line of their own, and how often there is more than one about one.
    """

    lines: list[str]
    summed_up: int
    without: int
    too_often: int

    @property
    def is_settled(self) -> bool:
        """Whether each connection is in one line or in one sum."""
        return self.summed_up == self.without and not self.too_often


class State(NamedTuple):
    """How much of everything a server has."""

    threads: int
    descriptors: int
    tasks: int


def until(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait for a condition; `what` says how things are if it does not come true."""
    nobody, end = threading.Event(), time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < end, what()
        nobody.wait(0.002)


def still_open(scenario: Scenario) -> pytest.MarkDecorator:
    """Mark the test of a scenario that is not yet answered as its table wants it."""
    assert scenario.still_open
    return pytest.mark.xfail(reason=scenario.still_open, strict=True)


def waits_for_close(peer: Peer, seconds: float = BOUND) -> list[AnyPDU]:
    """What a server says until it closes the connection by itself."""
    peer.socket.settimeout(seconds)
    return peer.rest()


PR_SET_PDEATHSIG = 1  # prctl(2)


def _die_with_who_started_us() -> None:
    """Have the system end a server whose test run was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Served:
    """A server in a process of its own.

    Parameters
    ----------
    name : str
        One of `NAMES`, or "threads" for the blocking API with the handlers of `serving`.
    folder : Path
        An empty one: the process lives there, and nothing else may appear in it.
    options : sequence of str
        Further arguments.
    host : str
        The address to listen on.
    tls : bool
        Whether it uses TLS; so do we then, but for what a test does by itself.
    before : sequence of str
        A command before its own, which becomes the server.
    environment : mapping
        What it finds in its environment besides.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        options: Sequence[str] = PATIENT,
        host: str = LOCAL,
        tls: bool = False,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.host, self._tls = name, host, tls
        self.peers_host = host
        if tls:
            key, certificate = folder / "key.pem", folder / "certificate.pem"
            issued = authority("").issue_cert("localhost", "127.0.0.1")
            issued.private_key_pem.write_to_path(key)
            key.chmod(0o600)
            issued.cert_chain_pems[0].write_to_path(certificate)
            options = [*options, "+tls", str(key), str(certificate), "-ic"]
        self.storage = CT if name != "echoscp" else VERIFICATION
        self._log = folder / "log"
        self._said = folder / "said"
        self.home = folder / "home"
        self._received = self.home / "received"
        self._received.mkdir(parents=True)
        (self.home / "tmp").mkdir()
        ours = [sys.executable, "-m", "dicomwire", name, "0"]
        command = {
            "echoscp": ours,
            # Rows are about messages: what is in a data set, or was, is all the same.
            "storescp": [*ours, "--no-check", "--replace", "-od", str(self._received)],
        }.get(name, [sys.executable, "-m", "tests.faults.serving", name, str(self._received)])
        paths = os.pathsep.join([str(TOP / "src"), str(TOP)])
        found = {**os.environ, "TMPDIR": str(self.home / "tmp"), "PYTHONPATH": paths}
        with self._log.open("wb") as log, self._said.open("wb") as out:
            self.process = subprocess.Popen(
                [*before, *command, "-ba", host, *options],
                cwd=self.home,
                env={**found, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                preexec_fn=_die_with_who_started_us,
            )
        until(lambda: self.process.poll() is not None or self._port() > 0, self.log)
        assert self.process.poll() is None, self.log()
        self.port = self._port()
        self.echo()  # what is imported late is imported now
        if self.storage == CT:
            assert self.store(KEPT) == STORED
        self.kept = self._files()
        self._idle = self._settled()
        self.echo()  # which says how many tasks there are when nothing else happens
        self._idle = self._settled()
        self._mark = len(self.log())

    def _port(self) -> int:
        """Where it listens, 0 before it does."""
        process = Path(f"/proc/{self.process.pid}")
        sockets = set()
        for each in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                sockets.add(str(each.readlink()))
        for name in ("tcp", "tcp6"):
            for line in (process / "net" / name).read_text().splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if state == LISTENING and f"socket:[{rest[5]}]" in sockets:
                    return int(local.rpartition(":")[2], 16)
        return 0

    # -- talking to it -------------------------------------------------------------------------

    @contextmanager
    def dialled(self) -> Iterator[Peer]:
        """A raw connection."""
        with dial(self.port, self.host) as peer:
            if not self._tls:
                yield peer
                return
            client = contexts().client
            with client.wrap_socket(peer.socket, server_hostname="localhost") as sock:
                yield Peer(sock)

    @contextmanager
    def established(self) -> Iterator[Peer]:
        """A raw connection on which an association stands, with the contexts of `asking`."""
        with self.dialled() as peer:
            peer.send(asking(self.storage))
            answer = peer.read()
            assert answer is not None
            assert said([answer]) == "AC 003"
            yield peer

    def echo(self) -> None:
        """Have a C-ECHO answered on an association that is released."""
        with self.established() as peer:
            self.goes_on(peer)

    def goes_on(self, peer: Peer) -> None:
        """Have a C-ECHO answered on an association, and release it."""
        peer.send(message(1, dict(ECHO)))
        assert heard(peer, 1) == ECHOED
        self.release(peer)

    def release(self, peer: Peer) -> None:
        """Release an association."""
        peer.send(ReleaseRQ())
        assert peer.read() == ReleaseRP()

    def store(self, uid: str, data: bytes = b"data") -> str:
        """Store something and say what came back."""
        with self.established() as peer:
            peer.send(message(3, {**STORE, "AffectedSOPInstanceUID": uid}, data))
            answer = heard(peer, 1)
            self.release(peer)
            return answer

    # -- looking at it -------------------------------------------------------------------------

    def log(self) -> str:
        """All that it logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def state(self) -> State:
        """How many threads and descriptors it has, and how many tasks it had at the last C-ECHO."""
        process = Path(f"/proc/{self.process.pid}")
        threads, descriptors = (len(list((process / each).iterdir())) for each in ("task", "fd"))
        return State(threads, descriptors, int("".join(self._said.read_text().split()[-1:]) or 0))

    def _settled(self) -> State:
        """The state once it has not changed for a while: what ended before may still be closing."""
        found = [self.state()]
        nobody = threading.Event()
        while len(found) < 30 or len(set(found[-30:])) > 1:
            nobody.wait(0.003)
            found.append(self.state())
        return found[-1]

    def memory(self) -> int:
        """How many bytes of it are resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    def _files(self) -> Seen:
        return {
            str(path.relative_to(self.home)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.home.rglob("*")
            if path.is_file()
        }

    # -- what must hold after each fault -----------------------------------------------------------

    def is_well(
        self,
        *refused: int,
        words: str = "",
        at_most: Sequence[str] | None = (),
        traceback: bool = False,
    ) -> None:
        """Assert the invariant of the fault matrix.

        Parameters
        ----------
        *refused : int
            Our ports of the connections that were refused, all of them: a line each has to say so,
            or a sum of several lines; none may be missing from both, or be counted twice.
        words : str
            What each of those lines, and sums, has to say, besides the peer and a reason.
        at_most : sequence of str
            SOP Instance UIDs of objects that may have been stored meanwhile. None: whatever has
            the name of an object.
        traceback : bool
            Whether one is logged: of a user's handler, for the user.
        """
        assert self.process.poll() is None, self.log()[self._mark :]
        self.echo()
        until(self._is_idle, lambda: (self._idle, self.state()))
        self._has_its_files(at_most)
        account = self._account(refused)
        until(lambda: account().is_settled, account)  # sums are said at the end of a second
        log = self.log()[self._mark :]
        self._mark += len(log)
        assert ("Traceback" in log) == traceback, log
        for line in account().lines:
            assert re.search(r"(rejected|:\d+: .{10,}|in the last)", line), line
            assert words in line, line

    def _is_idle(self) -> bool:
        """Whether threads, descriptors and tasks are those of the beginning."""
        now = self.state()
        if now != self._idle and now._replace(tasks=self._idle.tasks) == self._idle:
            self.echo()  # which tells the number of tasks anew
        return now == self._idle

    def _has_its_files(self, at_most: Sequence[str] | None) -> None:
        files = self._files()
        for name, digest in self.kept.items():
            assert files.pop(name, "") == digest, f"{name} was acknowledged"
        if at_most is None:
            may_be = [name for name in files if OBJECT.fullmatch(name)]
        else:
            may_be = [f"received/CT.{uid}" for uid in at_most]
        for name in may_be:
            if files.pop(name, ""):
                (self.home / name).unlink()
        assert files == {}, "no other file may be there"

    def _account(self, refused: Sequence[int]) -> Callable[[], Account]:
        """What gives the account of these connections, as far as the log has got."""
        peer = self.peers_host
        host = re.escape(f"[{peer}]" if ":" in peer else peer)
        by_port = re.compile(rf"(?<![\d.]){host}:(\d+)\b")
        by_sum = re.compile(rf"(\d+) more connections from (?:{re.escape(peer)}|other) .*")
        mark, wanted = self._mark, Counter(refused)

        def account() -> Account:
            lines, told, summed_up = [], Counter[int](), 0
            for line in self.log()[mark:].splitlines():
                if (named := by_port.search(line)) and int(named[1]) in wanted:
                    lines.append(line)
                    told[int(named[1])] += 1
                elif counted := by_sum.search(line):
                    lines.append(line)
                    summed_up += int(counted[1])
            return Account(lines, summed_up, (wanted - told).total(), (told - wanted).total())

        return account

    def stop(self) -> None:
        """End the process."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(BOUND)
        self.process.kill()
        self.process.wait()


def port_of(peer: Peer) -> int:
    """Our end of a connection, as the log names it."""
    port: int = peer.socket.getsockname()[1]
    return port


def heard(peer: Peer, count: int) -> str:
    """What comes, in the words of the tables: at most so many PDUs, and the end of the line."""
    pdus: list[AnyPDU] = []
    while len(pdus) < count:
        pdu = peer.read()
        if pdu is None:
            return " ".join(filter(None, (said(pdus), "closed")))
        pdus.append(pdu)
        if isinstance(pdu, Abort | AssociateRJ):
            break
    return said(pdus)
