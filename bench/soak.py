"""Minutes of faults into the proof that nothing leaks and nothing is lost: `make soak`.

A storescp and a qrscp serve 64 senders at once, which echo, store, find and get; a quarter of their
associations is aborted or reset. Senders and servers are killed (SIGKILL) and started again. In the
last third the servers live: at its end they have the threads, the descriptors and the memory that
they had at its beginning. Then every object that was acknowledged is compared with what is on the
disk.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.peers import FAST, OURS, free_port, python
from bench.soaking import ARCHIVE, BROKEN, DONE, FAILED, FOLDER, HOST, content
from dicomwire import AE, build_context
from dicomwire.dataset.part10 import read_header

PROCESSES, SENDERS = 4, 64
READERS = 16 * 3  # descriptors: connections of an archive to its index that wait for their next use
PATIENCE = 30.0  # seconds until what was begun has to be over
MOST_GROWTH = 5.0  # MB
WARM = 500  # associations after which a server has done everything, many times at once
LOOK_AGAIN = 0.05  # seconds
EVERY = (0.2, 1.5)  # seconds between two kills
# What the allocator keeps in an arena for each thread is no leak, and takes 10,000 associations to
# be as much as it gets: a qrscp has 20 MB more then, of which nothing is in use.
ONE_ARENA = {**FAST, "MALLOC_ARENA_MAX": "1"}
TEMPORARY = re.compile(r"\.dicomwire-[0-9a-f]{16}\.part")


class Holds(NamedTuple):
    """What a process has.

    Attributes
    ----------
    threads, descriptors : int
        How many.
    mb : float
        Resident memory in MB.
    """

    threads: int
    descriptors: int
    mb: float


def holds(pid: int) -> Holds:
    """Return what a process has (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Holds(int(found["Threads"]), descriptors, int(found["VmRSS"].split()[0]) / 1024)


def settled(pid: int, is_so: Callable[[Holds], bool], patience: float = PATIENCE) -> Holds:
    """Wait until what a process has is as it shall be; return what it has, be it so or not."""
    deadline = time.monotonic() + patience
    while not is_so(found := holds(pid)) and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN)
    return found


def rested(pid: int) -> Holds:
    """Wait until a process has as many threads and descriptors as a second ago."""
    last = holds(pid)
    for _ in range(int(PATIENCE)):
        time.sleep(1.0)
        now = holds(pid)
        if now[:2] == last[:2]:
            return now
        last = now
    return last


class Server:
    """A server that can be killed and started again, on the same port and folder.

    Parameters
    ----------
    name : str
        Of the tool.
    folder : Path
        Where it stores.
    keeps : int
        How many descriptors it may have opened once, for use again.
    """

    def __init__(self, name: str, folder: Path, keeps: int = 0) -> None:
        self.folder, self.keeps, self._name = folder, keeps, name
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        self._command = [*OURS, name, "-ba", HOST, "-od", str(folder), str(self.port)]
        self.start()

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder.parent / f"{self._name}.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, env=ONE_ARENA, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while self.echo() != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise SystemExit(f"{self._name} does not answer, see its log")
            time.sleep(LOOK_AGAIN)

    def echo(self) -> int:
        """Return the status of a C-ECHO, -1 if there is none."""
        association = AE("SOAK").associate(HOST, self.port, [build_context("1.2.840.10008.1.1")])
        if not association.is_established:
            return -1
        with association:
            return int(association.c_echo().status)

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it in peace."""
        self._process.terminate()
        self._process.wait()


class Senders:
    """A process of senders, and what it says.

    Parameters
    ----------
    told : Told
        Is told what is acknowledged.
    arguments : sequence
        Of `bench.soaking`.
    """

    def __init__(self, told: Told, *arguments: object) -> None:
        self._process = subprocess.Popen(
            python("bench.soaking", *arguments),
            env=FAST,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(told,), daemon=True)
        self._reader.start()

    def _read(self, told: Told) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told.take(line)

    def end(self, kill: bool = False) -> None:
        """End it, at once or when each has come to the end of its association."""
        if kill:
            self._process.kill()
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(4 * PATIENCE)
        self._reader.join()


@dataclass
class Told:
    """What the senders have said.

    Attributes
    ----------
    stored : dict
        SOP Instance UIDs of what was acknowledged, by where it went.
    counts : Counter
        Of associations by kind, and of errors by name.
    failed : list of str
        What should not have been.
    """

    stored: dict[str, set[str]] = field(default_factory=lambda: {FOLDER: set(), ARCHIVE: set()})
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def associations(self) -> int:
        """How many associations did what they should."""
        with self.lock:
            return sum(count for name, count in self.counts.items() if name.startswith(DONE))

    def take(self, line: str) -> None:
        """Take a line; the last of a process that is killed may not be whole."""
        what, _, text = line.partition(" ")
        if not line.endswith("\n"):
            return
        with self.lock:
            if what in self.stored:
                self.stored[what].add(text.strip())
            elif what == FAILED:
                self.failed.append(text.strip())
            elif what in (DONE, BROKEN):
                self.counts[f"{what} {text.strip()}"] += 1


class Soak:
    """A soak.

    Parameters
    ----------
    scratch : Path
        A folder that is there.
    seed : int
        Decides what happens.
    seconds : float
        How long, about.
    senders : int
        How many at once.
    most_growth : float
        Of the memory of a server, in MB.
    warm : int
        After how many associations a server has done everything once.
    """

    def __init__(
        self,
        scratch: Path,
        seed: int,
        seconds: float,
        senders: int = SENDERS,
        most_growth: float = MOST_GROWTH,
        warm: int = WARM,
    ) -> None:
        self.told = Told()
        self.problems: list[str] = []
        self._scratch, self._seed, self._seconds = scratch, seed, seconds
        self._most_growth, self._warm = most_growth, warm
        self._threads = max(1, senders // PROCESSES)
        self._chance = random.Random(seed)
        self._generation = 0
        self.killed = Counter[str]()

    def run(self) -> list[str]:
        """Do it; return what was wrong, a line each."""
        (self._scratch / "sent").mkdir()
        self.folder = Server("storescp", self._scratch / "received")
        self.archive = Server("qrscp", self._scratch / "archive", READERS)
        servers = self.folder, self.archive
        try:
            self._for(self._seconds * 2 / 3, servers)
            for server in servers:  # what they have learnt in the end is of no use for a comparison
                server.kill()
                server.start()
            self._for(self._seconds / 6, (), self._warm)
            before = [rested(server.pid) for server in servers]
            self._for(self._seconds / 6, (), self._warm)
            self._compare(servers, before)
        finally:
            for server in servers:
                server.end()
        self._check_folder()
        self._check_archive()
        self.problems += [f"a sender: {text}" for text in self.told.failed[:10]]
        return self.problems

    def _for(self, seconds: float, victims: Sequence[Server], least: int = 0) -> None:
        """Send for some seconds; kill a sender or one of the servers from time to time.

        Parameters
        ----------
        seconds : float
            How long.
        victims : sequence of Server
            Who may be killed.
        least : int
            How many associations there have to be, however long it takes.
        """
        senders = [self._begin(number) for number in range(PROCESSES)]
        deadline, wanted = time.monotonic() + seconds, self.told.associations + least
        try:
            while time.monotonic() < deadline or self.told.associations < wanted:
                time.sleep(self._chance.uniform(*EVERY))
                if victims and self._chance.random() < 0.5:
                    victim = self._chance.choice(list(victims))
                    victim.kill()
                    victim.start()
                    self.killed["server"] += 1
                else:
                    number = self._chance.randrange(PROCESSES)
                    senders[number].end(kill=True)
                    senders[number] = self._begin(number)
                    self.killed["senders"] += 1
        finally:
            for each in senders:
                each.end()

    def _begin(self, number: int) -> Senders:
        self._generation += 1
        where = self.folder.port, self.archive.port, self._scratch / "sent"
        return Senders(self.told, self._seed, self._generation, number, self._threads, *where)

    def _compare(self, servers: Sequence[Server], before: Sequence[Holds]) -> None:
        for server, had in zip(servers, before, strict=True):
            name = server.folder.name
            threads, descriptors = had.threads, had.descriptors + server.keeps

            def is_back(has: Holds, threads: int = threads, most: int = descriptors) -> bool:
                return has.threads <= threads and has.descriptors <= most

            now = settled(server.pid, is_back)
            if not is_back(now):
                self.problems.append(f"{name}: {had} before, {now} after")
            if now.mb > had.mb + self._most_growth:
                self.problems.append(f"{name}: memory grew from {had.mb:.1f} to {now.mb:.1f} MB")
            if server.echo() != 0:
                self.problems.append(f"{name}: does not answer any more")

    def _check_folder(self) -> None:
        there = {path.name: path for path in self.folder.folder.iterdir()}
        for name in [name for name in there if not name.startswith("CT.")]:
            self.problems.append(f"received: {name} is left")
        for name, path in there.items():
            if name.startswith("CT."):
                self._check_file("received", path, name.removeprefix("CT."))
        for uid in self.told.stored[FOLDER]:
            if f"CT.{uid}" not in there:
                self.problems.append(f"received: {uid} was acknowledged, and is lost")

    def _check_archive(self) -> None:
        with closing(sqlite3.connect(self.archive.folder / "index.sqlite")) as connection:
            rows = dict(connection.execute("SELECT SOPInstanceUID, file FROM instances"))
        for uid, file in rows.items():
            self._check_file("archive", self.archive.folder / file, uid)
        for uid in self.told.stored[ARCHIVE] - set(rows):
            self.problems.append(f"archive: {uid} was acknowledged, and is lost")
        for path in (self.archive.folder / "incoming").iterdir():
            self.problems.append(f"archive: {path.name} is left")

    def _check_file(self, name: str, path: Path, uid: str) -> None:
        header = read_header(path)
        if path.read_bytes()[header.offset :] != content(uid):
            self.problems.append(f"{name}: {uid} is not whole")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak; the exit code says whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default: 5)")
    parser.add_argument("--seed", type=int, default=1, help="decides what happens (default: 1)")
    parser.add_argument("--senders", type=int, default=SENDERS, help="at once (default: 64)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder), given.seed, given.minutes * 60, given.senders)
        problems = soak.run()
        print(summary(soak))
        for line in problems[:40]:
            print(line, file=sys.stderr)
    return 1 if problems else 0


def summary(soak: Soak) -> str:
    """Return what happened, in lines."""
    told = soak.told
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(told.counts.items()))
    stored = ", ".join(f"{len(uids):,} in the {name}" for name, uids in told.stored.items())
    killed = ", ".join(f"{count} times {name}" for name, count in sorted(soak.killed.items()))
    verdict = f"{len(soak.problems)} problems" if soak.problems else "all of it there, and whole"
    return f"associations: {counts}\nkilled: {killed}\nacknowledged: {stored}; {verdict}"


if __name__ == "__main__":
    raise SystemExit(main())
