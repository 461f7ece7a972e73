"""How many examples of a property a run tries: all of them, or a share where time is short."""

from __future__ import annotations

import os

from hypothesis import settings

# Per cent. `make check` asks for a part, `make test` for all.
SHARE = int(os.environ.get("DICOMWIRE_EXAMPLES", "100"))


def examples(full: int) -> settings:
    """The setting of a test that tries `full` examples. No deadline: shared machines are slow."""
    return settings(max_examples=share_of(full), deadline=None)


def share_of(full: int) -> int:
    """The share of a number that this run does; at least 5."""
    return min(full, max(5, full * SHARE // 100))
