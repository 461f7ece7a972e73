"""The programs of each peer: how its SCP is started and how its SCU sends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Command = list[str]
OURS = [sys.executable, "-m", "dicomwire"]
# DCMTK waits for acknowledgements by default, as Nagle's algorithm wants; this is its fast side.
FAST = {**os.environ, "TCP_NODELAY": "1"}
# Byte code is kept between runs, as it is where a package was installed.
FAST.pop("PYTHONDONTWRITEBYTECODE", None)


@dataclass(frozen=True)
class Peer:
    """One maker's pair of storescp and storescu."""

    name: str
    scp: Callable[[int, Path], Command]
    scu: Callable[[int, Path], Command]


def program(name: str) -> str:
    """Return the path of a program: not that of a Python package's script of the same name."""
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if p != here)
    found = shutil.which(name, path=f"{path}{os.pathsep}/usr/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed (Debian: apt-get install dcmtk orthanc)")
    return found


def dcmtk(tool: str) -> str:
    """Return the path of a DCMTK tool."""
    return program(tool)


def emptied(folder: Path) -> None:
    """Make a folder, without anything that was in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


DICOMWIRE = Peer(
    "dicomwire",
    lambda port, out: [*OURS, "storescp", str(port), "-od", str(out)],
    lambda port, data: [*OURS, "storescu", "127.0.0.1", str(port), str(data)],
)
DCMTK = Peer(
    "DCMTK",
    lambda port, out: [dcmtk("storescp"), str(port), "-od", str(out)],
    lambda port, data: [dcmtk("storescu"), "127.0.0.1", str(port), "+sd", str(data)],
)


@dataclass
class Measured:
    """What one run of one side took.

    Parameters
    ----------
    seconds : float
        From start to end of the SCU's process.
    scu_mb, scp_mb : float
        Peak resident memory of each side, in MB.
    """

    seconds: float
    scu_mb: float = 0.0
    scp_mb: float = 0.0


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def run(command: Command) -> Measured:
    """Run a command to its end; its failure ends the benchmark."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=FAST, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{said.decode()}")
    return Measured(seconds, scu_mb=usage.ru_maxrss / 1024)


class Scp:
    """A running SCP; `peak_mb` is known when it has ended."""

    def __init__(self, command: Command, port: int) -> None:
        self.port = port
        self.peak_mb = 0.0
        self._process = subprocess.Popen(
            command, env=FAST, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.02)
            else:
                return
        raise SystemExit("An SCP did not start")

    def end(self) -> None:
        """End the process and learn how much memory it took."""
        self._process.terminate()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mb = usage.ru_maxrss / 1024


@contextmanager
def scp_of(peer: Peer, out: Path) -> Iterator[Scp]:
    """Run a peer's SCP on a free port, writing to an empty folder that is removed afterwards."""
    port = free_port()
    out.mkdir(parents=True)
    scp = Scp(peer.scp(port, out), port)
    try:
        yield scp
    finally:
        scp.end()
        shutil.rmtree(out)


def store(scu: Peer, scp: Peer, data: Path, scratch: Path) -> Measured:
    """Send a folder from one peer's SCU to one peer's SCP; all objects have to arrive."""
    sent = sorted(data.iterdir())
    with scp_of(scp, scratch / "out") as server:
        measured = run(scu.scu(server.port, data))
        arrived = [path for path in (scratch / "out").iterdir() if path.name.startswith("CT.")]
        if len(arrived) != len(sent):
            raise SystemExit(f"{len(sent)} objects were sent, {len(arrived)} arrived")
    measured.scp_mb = server.peak_mb
    return measured
