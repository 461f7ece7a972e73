"""An answer that has to be awaited, so that all others go back without a turn of the loop."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, NamedTuple


class Waiting(NamedTuple):
    """What performing a want gives when the answer is not there yet.

    Parameters
    ----------
    answer : awaitable
        Gives the answer.
    """

    answer: Awaitable[Any]
