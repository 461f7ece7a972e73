"""The programs of each peer: how its SCP is started and how its SCU sends."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from bench.turns import Found, Unfit

Command = list[str]
ZEROS = memoryview(bytes(1 << 20))
LOOK_AGAIN = 0.02  # seconds between two looks at the memory of a process
OURS = [str(Path(sys.executable).with_name("dicomwire"))]  # as people start it
# DCMTK waits for acknowledgements by default, as Nagle's algorithm wants; this is its fast side.
FAST = {**os.environ, "TCP_NODELAY": "1"}
# Byte code is kept between runs, as it is where a package was installed.
FAST.pop("PYTHONDONTWRITEBYTECODE", None)
# As people have it who never heard of that variable.
AS_IT_COMES = {name: value for name, value in FAST.items() if name != "TCP_NODELAY"}


@dataclass(frozen=True)
class Peer:
    """One maker's pair of storescp and storescu.

    Parameters
    ----------
    name : str
        Of the maker.
    scp : callable
        A port and a folder for what is received into the command of the SCP.
    scu : callable
        A port and a folder to send into the command of the SCU.
    environment : dict
        Of both processes.
    """

    name: str
    scp: Callable[[int, Path], Command]
    scu: Callable[[int, Path], Command]
    environment: dict[str, str] = field(default_factory=lambda: FAST)


def program(name: str) -> str:
    """Return the path of a program: not that of a Python package's script of the same name."""
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if p != here)
    found = shutil.which(name, path=f"{path}{os.pathsep}/usr/sbin")
    if found is None:
        raise Unfit(f"{name} is not installed (Debian: apt-get install dcmtk orthanc)")
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
    # as the others, it does not wait for the disk: see the part "flush"
    lambda port, out: [*OURS, "storescp", str(port), "-od", str(out), "--no-flush"],
    lambda port, data: [*OURS, "storescu", "127.0.0.1", str(port), str(data)],
)
DCMTK = Peer(
    "DCMTK",
    lambda port, out: [dcmtk("storescp"), str(port), "-od", str(out)],
    lambda port, data: [dcmtk("storescu"), "127.0.0.1", str(port), "+sd", str(data)],
)


def python(module: str, *arguments: object) -> Command:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


DCMTK_AS_IT_COMES = replace(DCMTK, name="DCMTK as it comes", environment=AS_IT_COMES)
PYNETDICOM = Peer(
    "pynetdicom",
    lambda port, out: python("pynetdicom", "storescp", port, "-od", out),
    lambda port, data: python("pynetdicom", "storescu", "-cx", "127.0.0.1", port, data),
)
BARE = Peer(
    "bare socket",
    lambda port, out: python("bench.bare", "receive", port, out),
    lambda port, data: python("bench.bare", "send", port, data),
)


@dataclass
class Measured:
    """What one run took.

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


def run(
    command: Command, environment: dict[str, str] = FAST, with_memory: bool = False
) -> Measured:
    """Run a command to its end.

    Parameters
    ----------
    command, environment : list, dict
        Of the process.
    with_memory : bool
        Whether to look at its peak memory, each 20 ms.

    Raises
    ------
    Unfit
        When it fails.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        peak = _peak_until_closed(process.pid, stderr) if with_memory else 0.0
        said = stderr.read()
    code = process.wait()
    seconds = time.perf_counter() - begin
    if code:
        name = " ".join(Path(part).name for part in command[:4])
        raise Unfit(f"{name}: exit {code}\n{said.decode(errors='replace')}")
    return Measured(seconds, scu_mb=peak)


def peak_mb(process: int) -> float:
    """Return the peak resident memory of a running process, in MB; 0 when it is not known.

    What `wait4` says is never less than what the process had that started it, which is this one.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _peak_until_closed(process: int, stderr: IO[bytes]) -> float:
    """Look again and again: after its end nothing says what a process had."""
    peak = 0.0
    while not select.select([stderr], [], [], LOOK_AGAIN)[0]:
        peak = max(peak, peak_mb(process))
    return peak


def printed(command: Command) -> str:
    """Run a command to its end; return what it prints.

    Raises
    ------
    Unfit
        When it fails.
    """
    done = subprocess.run(command, env=FAST, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        raise Unfit(f"{Path(command[0]).name} {' '.join(command[1:4])}: {last[0]}")
    return done.stdout


class Scp:
    """A running SCP; `peak_mb` is known when it has ended.

    Raises
    ------
    Unfit
        When it does not listen within a minute.
    """

    def __init__(
        self, command: Command, port: int, environment: dict[str, str] | None = None
    ) -> None:
        self.port = port
        self.peak_mb = 0.0
        self._process = subprocess.Popen(
            command,
            env=environment or FAST,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
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
        self._process.kill()
        self._process.wait()
        raise Unfit("an SCP did not start")

    def end(self) -> None:
        """End the process and learn how much memory it took."""
        self.peak_mb = peak_mb(self._process.pid)
        self._process.terminate()
        self._process.wait()


@contextmanager
def scp_of(peer: Peer, out: Path) -> Iterator[Scp]:
    """Run a peer's SCP on a free port, writing to an empty folder that is removed afterwards."""
    port = free_port()
    out.mkdir(parents=True)
    try:
        scp = Scp(peer.scp(port, out), port, peer.environment)
        try:
            yield scp
        finally:
            scp.end()
    finally:
        shutil.rmtree(out)


def store(scu: Peer, scp: Peer, data: Path, scratch: Path, with_memory: bool = False) -> Measured:
    """Send a folder from one peer's SCU to one peer's SCP.

    Parameters
    ----------
    scu, scp : Peer
        Whose tools.
    data, scratch : Path
        What is sent, a folder in memory, and one for what is received.
    with_memory : bool
        See `run`.

    Raises
    ------
    Unfit
        When one fails, or not all objects arrive.
    """
    sizes = [path.stat().st_size for path in data.iterdir()]
    with scp_of(scp, scratch / "out") as server:
        fill_and_free(data.parent, sum(sizes))
        measured = run(scu.scu(server.port, data), scu.environment, with_memory)
        check_arrived(scratch / "out", len(sizes))
    measured.scp_mb = server.peak_mb
    return measured


def fill_and_free(folder: Path, size: int) -> None:
    """Have the system hold as much free memory as a work is going to fill.

    What was free for some seconds a virtual machine gives back to its host, and to have it again
    costs several times as much as to fill it: that depends on who ran before, not on who is timed.

    Parameters
    ----------
    folder : Path
        In memory.
    size : int
        Bytes.
    """
    path = folder / "filled"
    try:
        with path.open("wb", buffering=0) as file:
            for start in range(0, size, len(ZEROS)):
                file.write(ZEROS[: size - start])
    finally:
        path.unlink()


def check_arrived(folder: Path, count: int) -> None:
    """Check that an SCP has written so many objects.

    Raises
    ------
    Unfit
        When it has not.
    """
    arrived = sum(path.name.startswith("CT.") for path in folder.iterdir())
    if arrived != count:
        raise Unfit(f"{count} objects were sent, {arrived} arrived")


def seconds_of(found: Found[Measured]) -> dict[str, list[float]]:
    """Return the seconds of each run, by name."""
    return {name: [each.seconds for each in runs] for name, runs in found.figures.items()}


def megabytes(found: Found[Measured], attribute: str) -> dict[str, list[float]]:
    """Return the peak memory of a side in each run, by name."""
    return {
        name: [getattr(each, attribute) for each in runs] for name, runs in found.figures.items()
    }
