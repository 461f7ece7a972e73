"""One target, atheris and a folder of inputs into more inputs, or into one that shows a fault.

Started by `fuzz.run` as a process of its own: `python -m fuzz.one TARGET` and libFuzzer's options.
"""

from __future__ import annotations

import sys
from random import Random

import atheris  # type: ignore[import-untyped] # it brings none

with atheris.instrument_imports(include=["dicomwire"], enable_loader_override=False):
    from fuzz.targets import BY_NAME, be_quiet

from fuzz.changing import change

_BLIND = 3
"""One change in so many knows nothing of lengths."""


def main(argv: list[str]) -> None:
    """Fuzz until libFuzzer has enough."""
    target = BY_NAME[argv[1]]
    be_quiet()

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        blind = atheris.Mutate
        if len(data) <= target.head or random.randrange(_BLIND) == 0:
            return bytes(blind(data, most))
        head, rest = data[: target.head], data[target.head :]
        if target.head and random.randrange(16) == 0:
            return (bytes(blind(head, target.head)).ljust(target.head, b"\0") + rest)[:most]
        return head + change(target.level, rest, most - target.head, random, blind)

    arguments = [argv[0], *argv[2:], f"-max_len={target.longest}"]
    if target.level:
        atheris.Setup(arguments, target.run, custom_mutator=mutate)
    else:
        atheris.Setup(arguments, target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
