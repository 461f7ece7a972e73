"""The asyncio API beside the blocking one, both ends of the same, into rows of the table."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.ends import MANY, STORING
from bench.objects import make_objects
from bench.peers import FAST, Scp, emptied, free_port
from bench.querying import in_turn
from bench.report import Row

ENDS = [sys.executable, "-m", "bench.ends"]
SLOWEST = 1 / 0.8  # of asyncio's time over that of the threads
PROMPT = 0.05  # seconds within which any of 2,000 is answered


@contextmanager
def served(api: str, folder: Path) -> Iterator[int]:
    """Run an SCP of an API; its port."""
    emptied(folder)
    port = free_port()
    scp = Scp([*ENDS, "scp", api, str(port), str(folder)], port)
    try:
        yield port
    finally:
        scp.end()
        shutil.rmtree(folder)


def seconds(scratch: Path, api: str, work: str, count: int, *data: Path) -> Any:
    """Let an SCU of an API do a piece of work with an SCP of the same; what it printed."""
    with served(api, scratch / "out") as port:
        command = [*ENDS, "scu", api, str(port), work, str(count), *map(str, data)]
        return json.loads(subprocess.check_output(command, env=FAST))


def apis(scratch: Path, runs: int, scale: int) -> list[Row]:
    """Compare the APIs at each kind of work, and look how 2,000 associations are served."""
    scratch.mkdir()
    rows = []
    works = (
        ("1,000 x 0.5 MB", "store", 1000 // scale, 1 << 19),
        ("1 x 800 MB", "store", 1, (800 << 20) // scale),
        ("3,000 x 15 KB", "store", 3000 // scale, 15_000),
        ("20,000 C-ECHO on an open association", "echo", 20_000 // scale, 0),
        ("1,000 x associate, C-ECHO, release", "associate", 1000 // scale, 0),
    )
    for name, work, count, size in works:
        data = [make_objects(scratch / "data", count, size)] if size else []
        found = in_turn(
            runs,
            {
                api: partial(seconds, scratch, api, work, count, *data)
                for api in ("asyncio", "threaded")
            },
        )
        row = Row(f"{name}, asyncio", "s", found["asyncio"], bar="at most 1.25 x threaded")
        row.others, row.against = {"threaded": found["threaded"]}, "threaded"
        row.met = median(row.ratios) <= SLOWEST
        rows.append(row)
        shutil.rmtree(scratch / "data", ignore_errors=True)
    return [*rows, among_many(scratch)]


def among_many(scratch: Path) -> Row:
    """Measure C-ECHO on associations of which thousands are idle and ten store."""
    needed = MANY + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    data = make_objects(scratch / "data", 1, 1 << 19)
    each = seconds(scratch, "asyncio", "many", 300, data)
    name = f"C-ECHO on one of {MANY:,} associations while {STORING} others store, asyncio"
    return Row(name, "s", sorted(each), bar=f"each within {PROMPT} s", met=max(each) <= PROMPT)
