"""What the loggers "dicomwire.*" hear into what "pynetdicom.*" and their handlers hear."""

from __future__ import annotations

import logging

from dicomwire.network.logs import FORMAT

LOGGERS = "acse ae association dimse dsutils events presentation server service_class".split()


def join_loggers() -> None:
    """Make every logger of this library a child of pynetdicom's of the same name.

    A record of "dicomwire.ae" then goes to the handlers of "pynetdicom.ae", "pynetdicom" and
    "dicomwire", and a level set on any of them counts as in any chain of loggers.
    """
    root = logging.getLogger("pynetdicom")
    root.parent = logging.getLogger("dicomwire")
    for name in LOGGERS:
        logging.getLogger(f"dicomwire.{name}").parent = logging.getLogger(f"pynetdicom.{name}")
    root.setLevel(root.level)  # forgets what the loggers remember of their old parents' levels


def debug_logger() -> None:
    """Write everything that happens to standard error, by way of the logger "pynetdicom"."""
    logger = logging.getLogger("pynetdicom")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
