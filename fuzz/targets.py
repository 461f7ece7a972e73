"""What is fuzzed, as rows: a name, a function that takes bytes, and how bytes of it are changed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import NamedTuple

from fuzz import objects, steps, talks, texts, wire


class Target(NamedTuple):
    """Something that takes bytes from strangers.

    Parameters
    ----------
    name : str
        What its folders and files are called.
    run : callable
        Takes an input; whatever it raises is a fault.
    head : int
        Bytes at the beginning of an input that are not the stranger's.
    level : str
        What an input is made of after these, for changes that keep lengths right; "" is nothing.
    longest : int
        Bytes that an input has at most.
    """

    name: str
    run: Callable[[bytes], None]
    head: int = 0
    level: str = ""
    longest: int = 4096


_TALK = talks.SWITCHES + talks.PLAN
TARGETS = (
    Target("pdus", wire.pdus, 0, "pdu"),
    Target("commands", wire.commands, 0, "element", 1024),
    Target("reader", wire.reader, wire.PLAN, "pdu"),
    Target("acceptor", talks.acceptor, _TALK, "pdu", 8192),
    Target("requestor", talks.requestor, _TALK, "pdu", 8192),
    Target("steps", steps.steps, longest=1024),
    Target("headers", objects.headers),
    Target("data_sets", objects.data_sets, 1),
    Target("dumps", texts.dumps, longest=2048),
    Target("keys", texts.keys, longest=256),
)
BY_NAME = {target.name: target for target in TARGETS}


def be_quiet() -> None:
    """Let nobody speak of what strangers send: a million lines say nothing."""
    logging.disable()
    warnings.simplefilter("ignore")
