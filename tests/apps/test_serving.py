"""Servers as processes: the signals that stop them, and what running associations get."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dicomwire.apps import serving
from dicomwire.network import events as evt
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.presentation import build_context
from tests.apps.conftest import VERIFICATION, Tool, dicom_file
from tests.network.ends import until


class Server:
    """A server process that has said on which port it listens."""

    def __init__(self, *argv: object) -> None:
        command = [sys.executable, "-m", "dicomwire", *map(str, argv), "-v", "-ba", "127.0.0.1"]
        self.process = subprocess.Popen([*command, "0"], stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert line.startswith("I: Listening on port "), line
        self.port = int(line.split()[-1])

    def stop(self, number: int) -> tuple[int, list[str]]:
        """Send a signal; return the exit code and what was said since."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said.splitlines()


@contextmanager
def server(*argv: object) -> Iterator[Server]:
    running = Server(*argv)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(tool: Tool, number: int) -> None:
    with server("echoscp") as running:
        assert tool("echoscu", "127.0.0.1", running.port).code == 0
        code, lines = running.stop(number)
    assert code == 0
    assert "I: Received Echo Request (MsgID 1)" in lines
    assert "I: Stopping" in lines


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_storescp_as_a_process_leaves_whole_files_only(tool: Tool, tmp_path: Path) -> None:
    path = dicom_file(tmp_path / "x.dcm")
    with server("storescp", "-od", tmp_path / "new" / "folder") as running:
        assert tool("storescu", "127.0.0.1", running.port, path).code == 0
        assert running.stop(signal.SIGTERM)[0] == 0
    assert [each.name for each in (tmp_path / "new" / "folder").iterdir()] == ["CT.1.2.3.4"]


def start_echo() -> tuple[ApplicationEntity, ApplicationEntity, int]:
    ae = ApplicationEntity("SCP")
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, contexts=[build_context(VERIFICATION)], evt_handlers=[]
    )
    assert server is not None
    return ae, ApplicationEntity("SCU"), server.server_address[1]


def test_a_running_association_may_finish() -> None:
    ae, scu, port = start_echo()
    (running,) = ae._servers
    assoc = scu.associate("127.0.0.1", port, [build_context(VERIFICATION)])
    running.bind(evt.EVT_C_ECHO, lambda event: 0)
    served = running.active_associations[0]
    real = served.join

    def join(timeout: float | None = None) -> None:  # while it stops, the peer goes on
        assert assoc.send_c_echo().Status == 0
        assoc.release()
        real(timeout)

    served.join = join  # type: ignore[method-assign]  # the moment at which the server waits
    serving.finish(ae, running, grace=10)
    assert assoc.is_released
    assert served.is_released


def test_one_that_does_not_is_aborted() -> None:
    ae, scu, port = start_echo()
    (running,) = ae._servers
    assoc = scu.associate("127.0.0.1", port, [build_context(VERIFICATION)])
    serving.finish(ae, running, grace=0.01)
    assoc.join(10)
    assert assoc.is_aborted
    assert not scu.associate("127.0.0.1", port, [build_context(VERIFICATION)]).is_established


# -- several processes -----------------------------------------------------------------------------

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no system call fork")


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@forks
def test_workers_store_what_four_senders_send(tool: Tool, tmp_path: Path) -> None:
    for number in range(1, 41):
        dicom_file(tmp_path / "files" / f"{number}.dcm", f"1.2.3.{number}")
    with server("storescp", "--workers", 2, "-od", tmp_path / "got") as running:
        sent = tool("storescu", "--jobs", 4, "127.0.0.1", running.port, tmp_path / "files")
        assert sent.code == 0
        code, lines = running.stop(signal.SIGTERM)
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "got").iterdir())
    assert names == sorted(f"CT.1.2.3.{number}" for number in range(1, 41))
    assert lines.count("I: Stopping") == 1
    assert sum(line.startswith("I: Storing DICOM file") for line in lines) == 40
    assert sum(line.startswith("I: Association Received") for line in lines) == 4


@forks
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_lets_associations_finish(number: int, tmp_path: Path) -> None:
    """As a terminal and a service manager send it."""
    with server("storescp", "--workers", 2, "--ignore") as running:
        (keeper,) = children(running.process.pid)
        workers = children(keeper)
        ae = ApplicationEntity()
        ae.add_requested_context(VERIFICATION)
        assoc = ae.associate("127.0.0.1", running.port)
        for pid in (keeper, *workers):
            os.kill(pid, number)
        assert assoc.send_c_echo().Status == 0
        running.process.send_signal(number)
        assert running.process.stderr is not None
        while "I: Stopping" not in running.process.stderr.readline():
            assert running.process.poll() is None
        assert assoc.send_c_echo().Status == 0
        assoc.release()
        assert assoc.is_released
        running.process.communicate(timeout=20)
        assert running.process.returncode == 0


@forks
def test_a_worker_that_dies_is_told_of_and_replaced(tool: Tool) -> None:
    with server("storescp", "--workers", 2, "--ignore") as running:
        (keeper,) = children(running.process.pid)
        worker = children(keeper)[0]
        os.kill(worker, signal.SIGKILL)
        until(lambda: len(set(children(keeper)) - {worker}) == 2)
        assert tool("echoscu", "--repeat", 4, "127.0.0.1", running.port).code == 0
        code, lines = running.stop(signal.SIGTERM)
    assert code == 0
    assert [line for line in lines if line.startswith("E: ")] == [
        f"E: Worker 1 (process {worker}) ended by signal 9, its associations are lost; "
        "another one is started"
    ]
