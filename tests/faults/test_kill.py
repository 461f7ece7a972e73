"""`kill -9` of a storescp at 200 random instants: what it has acknowledged is there, and whole.

Rows S03 and S24 of the fault list, for a folder store. Each receiver gets objects, 16 at once, and
is killed when a random number of them is acknowledged, in the middle of the others.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.options import Options
from dicomwire.network.presentation import build_context
from dicomwire.protocol.errors import Ended
from tests.conftest import LEFT_OUT, require_program
from tests.dataset.samples import CT, EXPLICIT
from tests.faults.folder_stores import instance, part10, stored
from tests.faults.forking import Nursery

pytestmark = pytest.mark.socket

KILLS = 200
OBJECTS = 24
WINDOW = 16
TEMPORARY = re.compile(r"\.dicomwire-[0-9a-f]{16}\.part")
# As strace has them; what has a question mark is not there on every processor.
CALLS = (
    *("?open,openat", "write", "writev", "fsync", "?link,linkat", "?unlink,unlinkat"),
    *("?rename,renameat", "close"),
)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: what a killed process wrote stays without a disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def make(folder: Path, sizes: list[int]) -> dict[str, bytes]:
    """Write files to send; return their data sets by SOP Instance UID."""
    folder.mkdir()
    made = {f"1.2.3.{number}": instance(f"1.2.3.{number}", n) for number, n in enumerate(sizes)}
    for uid, data in made.items():
        (folder / uid).write_bytes(part10(data, uid))
    return made


def send_and_kill(port: int, pid: int, paths: list[Path], after: int) -> list[str]:
    """Send files; kill the receiver after so many responses; return who was acknowledged."""
    ae = ApplicationEntity("TEST", Options(asynchronous_operations=(WINDOW, 1)))
    acknowledged: list[str] = []
    if not after:
        Nursery.kill(pid)
    try:
        association = ae.associate("127.0.0.1", port, [build_context(CT, [EXPLICIT])])
        if not association.is_established:
            return []
        for path, outcome in association.c_stores(paths):
            if getattr(outcome, "status", None) == 0:
                acknowledged.append(Path(str(path)).name)
            if len(acknowledged) == after:
                Nursery.kill(pid)
    except Ended:
        pass
    except RuntimeError:  # it was over before the first was sent
        assert association.ended is not None
        assert not acknowledged
    return acknowledged


def check(folder: Path, sent: dict[str, bytes], acknowledged: list[str]) -> int:
    """Assert that nothing is lost and nothing half there; return how many temporary files are."""
    names = {path.name for path in folder.iterdir()}
    temporary = {name for name in names if TEMPORARY.fullmatch(name)}
    final = names - temporary
    assert {f"CT.{uid}" for uid in acknowledged} <= final, "an acknowledged object is lost"
    assert final <= {f"CT.{uid}" for uid in sent}, "a file has a name that nobody gave"
    for name in final:
        assert stored(folder / name) == sent[name.removeprefix("CT.")], f"{name} is not whole"
    return len(temporary)


@pytest.mark.timeout(300)
def test_killed_at_random_instants(memory: Path) -> None:
    chance = random.Random(20)
    sizes = [chance.choice((0, 3_000, 60_000, 300_000)) for _ in range(OBJECTS)]
    sent = make(memory / "sent", sizes)
    paths = [memory / "sent" / uid for uid in sent]
    folder = memory / "received"
    folder.mkdir()
    left = acknowledged = 0
    with Nursery() as nursery:
        for _ in range(KILLS):
            for path in folder.glob("CT.*"):
                path.unlink()
            pid, port = nursery.start(folder)
            assert list(folder.iterdir()) == [], "a temporary file is left after a start"
            uids = send_and_kill(port, pid, paths, chance.randrange(OBJECTS))
            left += check(folder, sent, uids)
            acknowledged += len(uids)
    assert acknowledged > KILLS  # there was something to lose
    assert left  # and it was killed in the middle of something


@pytest.mark.timeout(300)
def test_killed_at_each_system_call(memory: Path) -> None:
    """The first call of each kind while an object is stored, the second, and so on."""
    strace = require_program("strace")
    sent = make(memory / "sent", [100, 300_000])
    paths = [memory / "sent" / uid for uid in sent]
    folder = memory / "received"
    killed = 0
    with Nursery() as nursery:
        for call in CALLS:
            for number in range(1, 20):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                pid, port = nursery.start(folder)
                tracer = traced(strace, pid, call, number)
                uids = send_and_kill(port, pid, paths, len(paths))
                tracer.communicate()
                check(folder, sent, uids)
                if len(uids) == len(paths):
                    break
                killed += 1
    assert killed >= len(CALLS)


def traced(strace: str, pid: int, call: str, number: int) -> subprocess.Popen[str]:
    """Have a process killed at its nth call of a kind, from now on; return when it is watched."""
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    process = subprocess.Popen(
        [strace, "-f", "-p", str(pid), "-e", f"trace={call}", "-e", inject],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = process.stderr.readline()
    if "attached" not in said:
        process.communicate()
        pytest.skip(f"{LEFT_OUT}strace: {said.strip()}")
    return process
