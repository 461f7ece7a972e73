"""Targets and seconds into processes that fuzz them, and what those print into a line each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from fuzz.corpus import WORK, working_folder
from fuzz.targets import Target

MOST_SECONDS, MOST_MEMORY = 20, 512
"""What one input may take; megabytes of the whole process."""

_GRACE = 300  # seconds until a process that does not end is ended
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_NEW = re.compile(r"stat::new_units_added:\s*(\d+)")
_ERROR = re.compile(r"^\s*(?:=== Uncaught Python exception: ===\n)(.+)$", re.MULTILINE)
_LIBFUZZER = re.compile(r"ERROR: libFuzzer: (.+)")
_WRITTEN = re.compile(r"Test unit written to (\S+)")


def is_possible() -> bool:
    """Whether atheris is there."""
    return find_spec("atheris") is not None


def why_not() -> str:
    """Say in a line why nothing can be fuzzed, and what to do."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"make fuzz needs atheris, which is not there for this Python {version}: it comes for "
        "Python 3.11 to 3.14 on Linux (x86-64); make check runs what was found before anywhere"
    )


class Outcome(NamedTuple):
    """What came of fuzzing a target.

    Parameters
    ----------
    name : str
        Of the target.
    seconds : int
        How long it was wanted.
    executed, new : int
        Inputs that were run, and those that were kept because they reached something new.
    fault : str
        What went wrong; empty when nothing did.
    shown_by : str
        The file with the input that shows it.
    """

    name: str
    seconds: int
    executed: int
    new: int
    fault: str = ""
    shown_by: str = ""

    def __str__(self) -> str:
        rate = self.executed // max(self.seconds, 1)
        text = f"{self.name:10} {self.seconds:5} s {self.executed:11,} inputs {rate:8,}/s"
        if not self.fault:
            return f"{text} {self.new:6,} new  no fault"
        where = f' - make fuzz ARGS="--replay {self.shown_by}"' if self.shown_by else ""
        return f"{text}  FAULT: {self.fault}{where}"


def read(name: str, seconds: int, printed: str, code: int) -> Outcome:
    """Read what libFuzzer and atheris printed."""
    executed, new = (int(found[1]) if (found := each.search(printed)) else 0
                     for each in (_EXECUTED, _NEW))  # fmt: skip
    if code == 0 and executed:
        return Outcome(name, seconds, executed, new)
    error = _ERROR.search(printed) or _LIBFUZZER.search(printed)
    written = _WRITTEN.search(printed)
    last = (printed.strip().splitlines() or ["nothing was printed"])[-1]
    fault = error[1].strip() if error else f"exit code {code}: {last}"
    return Outcome(name, seconds, executed, new, fault, written[1] if written else "")


def run(targets: Sequence[Target], seconds: int, jobs: int = 0) -> Iterator[Outcome]:
    """Fuzz targets beside each other, and yield what came of each as it ends.

    Parameters
    ----------
    targets : sequence of Target
        Which.
    seconds : int
        How long each.
    jobs : int
        How many at once; 0 is as many as there are processors.
    """
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        under_way = [pool.submit(_run_one, target, seconds) for target in targets]
        for each in as_completed(under_way):
            yield each.result()


def _run_one(target: Target, seconds: int) -> Outcome:
    folder, found = working_folder(target), WORK / "found"
    found.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "fuzz.one", target.name, str(folder)),
        *(f"-max_total_time={seconds}", f"-timeout={MOST_SECONDS}"),
        *(f"-rss_limit_mb={MOST_MEMORY}", "-print_final_stats=1", "-verbosity=1"),
        f"-artifact_prefix={found}/{target.name}-",
    ]
    log = WORK / f"{target.name}.log"
    with log.open("wb") as out:
        try:
            code = subprocess.run(
                command,
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=seconds + _GRACE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    return read(target.name, seconds, log.read_text(errors="replace"), code)
