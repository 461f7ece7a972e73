"""Two network namespaces into a line that can be cut: then packets are lost, and nobody is told."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LEFT_OUT, require_program
from tests.faults.servers import HASTY, Served
from tests.network.ends import WAIT, Peer

NEAR, FAR = "198.18.0.1", "198.18.0.2"  # RFC 2544: networks for tests
CLONE_NEWNET = 0x40000000


class Line:
    """A line between a near end, where servers are, and a far end, where their peers are.

    Parameters
    ----------
    ip : str
        The program.
    """

    def __init__(self, ip: str) -> None:
        self._ip = ip
        self.near, self.far = (f"dicomwire-{end}-{os.getpid()}" for end in ("near", "far"))

    def __enter__(self) -> Line:
        for end in (self.near, self.far):
            if not self._done("netns", "add", end):
                self.__exit__()
                pytest.skip(f"{LEFT_OUT}the permission to make network namespaces")
        link = ("link", "add", "line", "netns", self.near, "type", "veth")
        self._do(*link, "peer", "name", "line", "netns", self.far)
        for end, address in ((self.near, NEAR), (self.far, FAR)):
            self._do("-n", end, "address", "add", f"{address}/30", "dev", "line")
            self._do("-n", end, "link", "set", "lo", "up")
            self._do("-n", end, "link", "set", "line", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.near, self.far):
            self._done("netns", "delete", end)

    def _done(self, *words: str) -> bool:
        return not subprocess.run([self._ip, *words], capture_output=True).returncode

    def _do(self, *words: str) -> None:
        subprocess.run([self._ip, *words], check=True)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Lose whatever either end sends while the block runs."""
        self._do("-n", self.far, "link", "set", "line", "down")
        try:
            yield
        finally:
            self._do("-n", self.far, "link", "set", "line", "up")

    def inside(self, end: str) -> list[str]:
        """What begins the command of a process at an end."""
        return [self._ip, "netns", "exec", end]

    def at(self, end: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do something in a thread whose sockets are those of an end."""

        def there() -> Any:
            with Path(f"/run/netns/{end}").open() as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            return work(*arguments)

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(there).result()


@contextmanager
def laid() -> Iterator[Line]:
    """Lay a line, where the machine allows it."""
    with Line(require_program("ip")) as line:
        yield line


class Distant(Served):
    """A server at the near end of a line, of whom tests are the peers at the far end."""

    def __init__(
        self, line: Line, name: str, folder: Path, options: tuple[str, ...] = HASTY
    ) -> None:
        self.line = line
        super().__init__(name, folder, options, NEAR, before=line.inside(line.near))
        self.peers_host = FAR

    @contextmanager
    def dialled(self) -> Iterator[Peer]:
        """A raw connection from the far end."""
        connect = socket.create_connection
        with self.line.at(self.line.far, connect, (self.host, self.port), WAIT) as sock:
            yield Peer(sock)

    def is_acknowledged(self, port: int) -> bool:
        """Whether the peer at a port has acknowledged all that the server has sent."""
        table = Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]
        lines = [line.split() for line in table]
        waiting = [each[4] for each in lines if each[2].endswith(f":{port:04X}")]
        return [each.partition(":")[0] for each in waiting] == ["00000000"]
