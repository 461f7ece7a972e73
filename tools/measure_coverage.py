"""The ordinary tests of `protocol/` and `services/` into the branches of these rooms they reach.

`make coverage`. A line in a generator that the driver of a test throws into is not always seen
before Python 3.12, so a little less is shown than was reached.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from coverage import Coverage

from tools.branches import show, sources

ROOMS = ("protocol", "services")
BAR = 98.0
"""Per cent of its branches that each room has to reach."""


def main() -> int:
    """Run the tests, show what they reach; return what is not 0 when that is too little."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        command = [
            *(sys.executable, "-m", "coverage", "run", "--branch", f"--data-file={data}"),
            f"--source={','.join(sources(ROOMS))}",
            # one process, which is the one that is measured; speed is not what it is about
            *(
                "-m",
                "pytest",
                "--quiet",
                "-p",
                "no:xdist",
                "--deselect=tests/protocol/test_speed.py",
            ),
            *(f"tests/{room}" for room in ROOMS),
        ]
        code = subprocess.run(command, check=False).returncode
        if code:
            return code
        coverage = Coverage(data_file=str(data), branch=True)
        coverage.load()
        return show(coverage, ROOMS, BAR)


if __name__ == "__main__":
    sys.exit(main())
