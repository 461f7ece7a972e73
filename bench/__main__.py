"""`make bench`: every work by every peer, in turn, and a table at the end."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.apis import apis
from bench.nodes import archives
from bench.objects import make_objects
from bench.peers import DCMTK, DICOMWIRE, FAST, Measured, dcmtk, run, scp_of, store
from bench.querying import query, retrieve
from bench.report import Row, save, table

ECHOES = 20_000
PARTS = ("store", "query", "retrieve", "archive", "asyncio")


def compare(name: str, data: Path, scratch: Path, runs: int) -> list[Row]:
    """Send a folder ours to ours and theirs to theirs, in turn; the first round is not counted."""
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for number in range(runs + 1):
        for peer, measured in ((DICOMWIRE, ours), (DCMTK, theirs)):
            result = store(peer, peer, data, scratch)
            if number:
                measured.append(result)
    times = Row(name, "s", [each.seconds for each in ours], [each.seconds for each in theirs])
    times.bar, times.met = "at most 1.00", median(times.ratios) <= 1.0
    memory = [
        Row(
            f"{name}: peak memory of the {side}",
            "MB",
            [getattr(each, attribute) for each in ours],
            [getattr(each, attribute) for each in theirs],
            "under 80 MB",
            all(getattr(each, attribute) < 80 for each in ours),
        )
        for side, attribute in (("SCU", "scu_mb"), ("SCP", "scp_mb"))
    ]
    return [times, *memory]


def echo(scratch: Path, runs: int) -> Row:
    """Ask our SCP for signs of life on one association, with our SCU and with theirs."""
    row = Row("C-ECHO on an open association, to our SCP", "1/s", [], [], "5,000/s or more")
    for _ in range(runs):
        with scp_of(DICOMWIRE, scratch / "echo") as server:
            ours = [sys.executable, "-m", "bench.echo", str(server.port), str(ECHOES)]
            row.ours.append(float(subprocess.check_output(ours)))
            theirs = [dcmtk("echoscu"), "--repeat", str(ECHOES), "127.0.0.1", str(server.port)]
            row.theirs.append(ECHOES / run(theirs).seconds)
    row.met = median(row.ours) >= 5000
    return row


def scratch_folder() -> str | None:
    """Return where 3 GB fit in memory: a disk would be measured otherwise."""
    shared = Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > 3 << 30:
        return str(shared)
    return None


def main() -> int:
    """Run the benchmarks; the exit code says whether all bars were met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="counted runs (default: 5)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--only", choices=PARTS, help="a part of the work")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder for the results")
    arguments = parser.parse_args()
    scale = 10 if arguments.quick else 1
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as folder:
        scratch = Path(folder)
        print(f"data in {scratch.parent}, {os.cpu_count()} processors", file=sys.stderr)
        rows: list[Row] = []
        works = (
            ("1,000 x 0.5 MB", 1000 // scale, 1 << 19, False),
            ("1 x 800 MB", 1, (800 << 20) // scale, True),
        )
        for name, count, size, with_memory in works if arguments.only in (None, "store") else ():
            data = make_objects(scratch / "data", count, size)
            measured = compare(name, data, scratch, arguments.runs)
            rows += measured if with_memory else measured[:1]
            shutil.rmtree(data)
            print(table(measured), file=sys.stderr)
        if arguments.only in (None, "store"):
            rows.append(echo(scratch, arguments.runs))
        if arguments.only in (None, "query"):
            rows += query(scratch / "query", arguments.runs, 10_000 // scale)
        if arguments.only in (None, "retrieve"):
            rows += retrieve(scratch / "retrieve", arguments.runs, 1000 // scale)
        if arguments.only in (None, "archive"):
            rows += archives(scratch / "archive", arguments.runs, 5000 // scale)
        if arguments.only in (None, "asyncio"):
            rows += apis(scratch / "apis", arguments.runs, scale)
    print(table(rows))
    save(rows, arguments.output)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    assert FAST["TCP_NODELAY"] == "1"
    raise SystemExit(main())
