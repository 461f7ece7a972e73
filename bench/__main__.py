"""`make bench`: every work by every peer, in turn; a table, a JSON file and a picture of it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.parts import PARTS, Part, minutes
from bench.plot import plot
from bench.report import OURS, Bar, Row, all_met, save, table
from bench.turns import Unfit, first_line

ROOM = 3 << 30  # bytes: without the growth part, which looks for itself


def scratch_folder() -> str | None:
    """Return where 3 GB fit in memory: a disk would be measured otherwise."""
    shared = Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > ROOM:
        return str(shared)
    return None


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parts = "\n".join(f"  {part.name:<10}{part.what}" for part in PARTS)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"parts:\n{parts}",
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--runs", type=int, default=5, help="counted runs (default: 5)")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the work; bars are for the whole"
    )
    parser.add_argument(
        "--only", choices=names, nargs="+", default=names, metavar="PART", help="these parts"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for the results (default: docs; none if --quick or --only)",
    )
    given = parser.parse_args(arguments)
    if given.runs < 1:
        parser.error("--runs: at least one")
    if given.output is None and not given.quick and given.only == names:
        given.output = Path("docs")
    return given


def measured(part: Part, scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Run a part; when it cannot be done at all, a row says why."""
    begin = time.perf_counter()
    try:
        rows = part.measure(scratch / part.name, runs, quick)
    except (Unfit, OSError, subprocess.SubprocessError) as error:
        why = f"failed: {first_line(error)}"
        # Nothing can be met: what a part demands is known when it has measured.
        rows = [Row(f"{part.name}: {part.what}", "", {OURS: []}, (Bar(0.0),), {OURS: why})]
    finally:
        shutil.rmtree(scratch / part.name, ignore_errors=True)
    print(f"{part.name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    print(table(rows), file=sys.stderr, flush=True)
    return rows


def main() -> int:
    """Run the benchmarks; the exit code says whether all bars were met."""
    given = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers end and data goes, as ever
    chosen = [part for part in PARTS if part.name in given.only]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as folder:
        scratch = Path(folder)
        print(
            f"data in {scratch.parent}, {os.cpu_count()} processors; {len(chosen)} parts, "
            f"{minutes(chosen, given.runs, given.quick):.0f} minutes or so",
            file=sys.stderr,
            flush=True,
        )
        rows = [row for part in chosen for row in measured(part, scratch, given.runs, given.quick)]
    print(table(rows))
    if given.output:
        save(rows, given.output)
        plot(rows, given.output / "images" / "benchmark.png")
    return 0 if all_met(rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
