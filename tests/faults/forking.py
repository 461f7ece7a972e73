"""Lines with options into processes that run `storescp`, forked from one that has it imported.

Run as a program: for each line on standard input, a JSON list of options, it forks a process that
runs the tool, and prints its process ID. What the tools say goes to standard error. A start takes
some milliseconds instead of some hundred.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

LISTENING = "I: Listening on port "
IMPORTED = "dicomwire.apps.storescp dicomwire.services.inspecting dicomwire.dataset.folders".split()


class Nursery:
    """A process that forks receivers."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._ports: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        """Read what the receivers say to the end: who is not read stops in the end."""
        assert self._process.stderr
        for line in self._process.stderr:
            if line.startswith(LISTENING):
                self._ports.put(int(line.removeprefix(LISTENING)))

    def start(self, folder: Path, *options: str) -> tuple[int, int]:
        """Start a receiver into a folder; return its process ID, and its port when it listens."""
        argv = ["-v", "-ba", "127.0.0.1", "-od", str(folder), *options, "0"]
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{json.dumps(argv)}\n")
        process.stdin.flush()
        pid = int(process.stdout.readline())
        return pid, self._ports.get(timeout=60)

    @staticmethod
    def kill(pid: int) -> None:
        """End a receiver as a crash does."""
        os.kill(pid, signal.SIGKILL)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()  # the end of its input is its end
        self._process.wait()


def main() -> None:
    """Fork a receiver for each line."""
    for name in IMPORTED:
        __import__(name)
    from dicomwire.apps import storescp

    made = storescp.contexts(storescp.make_parser().read(["0"]))
    storescp.contexts = lambda args: made  # they take longer than all else of a start
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries them
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.close(1)
            os._exit(storescp.main(json.loads(line)))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
