"""The library's log onto standard error, for somebody who wants to see what happens."""

from __future__ import annotations

import logging

FORMAT = "%(levelname).1s: %(message)s"


def debug_logger() -> None:
    """Write everything that happens to standard error, PDUs and messages too."""
    logger = logging.getLogger("dicomwire")
    logger.handlers = []
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
