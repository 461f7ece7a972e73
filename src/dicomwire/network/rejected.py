"""An A-ASSOCIATE-RJ into what users read of it: its codes, and each of them in words."""

from __future__ import annotations

from typing import NamedTuple

from dicomwire.protocol.errors import Rejected
from dicomwire.standard.rejections import rejection

# The words that users of pynetdicom look for in a log.
_RESULTS = {1: "Rejected Permanent", 2: "Rejected Transient"}
_SOURCES = {
    1: "Service User",
    2: "Service Provider (ACSE)",
    3: "Service Provider (Presentation)",
}


class Rejection(NamedTuple):
    """What an acceptor answered that wants no association (PS3.8 9.3.4).

    Parameters
    ----------
    result : int
        1 permanent, 2 transient.
    result_source, diagnostic : int
        Who rejected, and why: PS3.8 Table 9-21.
    """

    result: int
    result_source: int
    diagnostic: int

    @property
    def result_str(self) -> str:
        """The result in words."""
        return _RESULTS.get(self.result, str(self.result))

    @property
    def source_str(self) -> str:
        """Who rejected, in words."""
        return _SOURCES.get(self.result_source, str(self.result_source))

    @property
    def reason_str(self) -> str:
        """Why, in words."""
        text = rejection(self.result_source, self.diagnostic).text
        return text[0].upper() + text[1:]


def rejection_of(error: Rejected) -> Rejection:
    """Show how an association ended as the answer that ended it."""
    return Rejection(error.result, error.source, error.reason)
