"""Turns the command line of another DICOM program into a process that serves or has run."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
READY = 30.0  # seconds a program may take until it listens
RUN = 60.0  # seconds a program may take until it ends
GRACE = 5.0  # seconds a server may take to end after it was told to
LOOK = 0.01  # seconds between two looks at a program that does not listen yet
TRIES = 3  # ports to try: between finding a free one and using it, another may take it

Arguments = Sequence[str | Path]


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        return int(sock.getsockname()[1])


def run(command: Arguments, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end.

    Parameters
    ----------
    command : sequence of str or Path
        Its path and arguments.
    **environment : str
        Variables to set besides ours.

    Returns
    -------
    CompletedProcess
        With its return code, and all that it printed as `stdout`.
    """
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=RUN,
        env={**os.environ, **environment},
        check=False,
    )


def run_well(command: Arguments, **environment: str) -> str:
    """Run a program that has to end with return code 0; return what it printed."""
    done = run(command, **environment)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


class Serving:
    """A program that serves.

    Attributes
    ----------
    port : int
        Where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.port = port
        self._process = process
        self._log = log

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self._log.read_text(errors="replace")

    def listens(self, port: int) -> bool:
        """Wait until it listens; tell whether it does, or has ended instead."""
        for _ in range(int(READY / LOOK)):
            try:
                socket.create_connection((LOOPBACK, port), timeout=READY).close()
            except ConnectionRefusedError:
                if self.has_ended():
                    return False
            else:
                return True
        raise AssertionError(f"nobody listens on port {port} after {READY} s:\n{self.output}")

    def has_ended(self, seconds: float = LOOK) -> bool:
        """Wait for its end, but not for long."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        if not self.has_ended(GRACE):
            self._process.kill()
            self._process.wait()


@contextmanager
def serving(
    command: Callable[[int], Arguments], log: Path, **environment: str
) -> Iterator[Serving]:
    """Run a program that listens, from when it does until the block is left.

    Parameters
    ----------
    command : callable
        Its path and arguments, for a port that it shall listen on.
    log : Path
        The file for all that it prints.
    **environment : str
        Variables to set besides ours.
    """
    for _ in range(TRIES):
        server = _start(command, free_port(), log, environment)
        try:
            if server.listens(server.port):
                yield server
                return
        finally:
            server.stop()
    raise AssertionError(f"{command(0)} does not come to listen:\n{server.output}")


def _start(
    command: Callable[[int], Arguments], port: int, log: Path, environment: dict[str, str]
) -> Serving:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    return Serving(process, port, log)
