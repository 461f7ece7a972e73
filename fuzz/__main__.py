"""`make fuzz`: options into runs, replays, recordings and figures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.targets import Target


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    parser = argparse.ArgumentParser("make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long each target (60)")
    parser.add_argument("--jobs", type=int, default=0, help="how many at once (one a processor)")
    parser.add_argument("--target", action="append", default=[], help="only this one; repeatable")
    parser.add_argument(
        "--where-possible", action="store_true", help="without atheris, say so and be content"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--replay", type=Path, metavar="FILE", help="run an input; show the fault")
    instead.add_argument("--coverage", action="store_true", help="what the inputs reach")
    instead.add_argument("--keep", action="store_true", help="put what was found into fuzz/corpus")
    instead.add_argument("--record", action="store_true", help="record the seeds anew")
    return parser


def main() -> int:
    """Do what the options say; return the exit code."""
    args = make_parser().parse_args()
    if args.coverage:
        from fuzz.measure import main as measure

        return measure()
    from fuzz.targets import BY_NAME, TARGETS, be_quiet

    be_quiet()
    unknown = [name for name in args.target if name not in BY_NAME]
    if unknown:
        print(f"there is no target {unknown[0]}: {' '.join(BY_NAME)}", file=sys.stderr)
        return 2
    if args.replay:
        name = (args.target or [args.replay.name.partition("-")[0]])[0]
        if name not in BY_NAME:
            print("--target says which one the file is for", file=sys.stderr)
            return 2
        BY_NAME[name].run(args.replay.read_bytes())
        print(f"{name}: no fault")
        return 0
    if args.record:
        from fuzz.record import main as record

        return record()
    targets = [BY_NAME[name] for name in args.target] or list(TARGETS)
    if args.keep:
        from fuzz.corpus import keep

        for target in targets:
            print(f"{target.name:10} {keep(target):5} inputs kept")
        return 0
    return _fuzz(args, targets)


def _fuzz(args: argparse.Namespace, targets: list[Target]) -> int:
    from fuzz.run import is_possible, run, why_not

    if not is_possible():
        print(why_not(), file=sys.stdout if args.where_possible else sys.stderr)
        return 0 if args.where_possible else 2
    total, faults = 0, 0
    for outcome in run(targets, args.seconds, args.jobs):
        print(outcome, flush=True)
        total += outcome.executed
        faults += bool(outcome.fault)
    print(f"{total:,} inputs, {faults or 'no'} fault{'s' if faults > 1 else ''}")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
