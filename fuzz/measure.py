"""The inputs of the repository into the branches of `protocol/` that they reach."""

from __future__ import annotations

import sys
from pathlib import Path

from coverage import Coverage

MEASURED = Path(__file__).parents[1] / "src" / "dicomwire" / "protocol"
BAR = 95.0
"""Per cent of lines and branches that the inputs have to reach."""


def main() -> int:
    """Show what is reached; return 1 when it is less than the bar."""
    coverage = Coverage(branch=True, source=[str(MEASURED)], data_file=None, config_file=False)
    coverage.start()
    # only now: what runs while the library is imported counts too
    from fuzz.corpus import kept
    from fuzz.targets import TARGETS, be_quiet

    be_quiet()
    for target in TARGETS:
        inputs = kept(target).values()
        for data in inputs:
            target.run(data)
        print(f"{target.name:10} {len(inputs):5} inputs {sum(map(len, inputs)):9,} bytes")
    coverage.stop()
    reached = coverage.report(show_missing=True, precision=1, file=sys.stdout)
    print(f"{reached:.1f} % of {MEASURED.name}/, of lines and branches; at least {BAR:.0f} %")
    return int(reached < BAR)
