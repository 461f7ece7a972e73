"""The inputs of the repository into the branches of `protocol/` that they reach."""

from __future__ import annotations

from coverage import Coverage

from tools.branches import show, sources

ROOMS = ("protocol",)
BAR = 95.0
"""Per cent of the branches that the inputs have to reach."""


def main() -> int:
    """Show what is reached; return 1 when it is less than the bar."""
    coverage = Coverage(branch=True, source=sources(ROOMS), data_file=None, config_file=False)
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
    return show(coverage, ROOMS, BAR)
