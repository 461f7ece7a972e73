"""An input into a similar one, with lengths that still fit: blind changes break them first.

An input is a tree: PDUs, in them items or presentation data values, in those sub-items or elements.
One node is chosen, changed and put back, and every length above it is written anew.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from struct import Struct
from typing import NamedTuple

Blind = Callable[[bytes, int], bytes]
"""Changes bytes without knowing what they are; takes them and how long they may get."""


class Frame(NamedTuple):
    """How nodes of a kind are framed.

    Parameters
    ----------
    length : Struct
        The length field.
    at : int
        Where in the node it is.
    header : int
        Bytes before what it counts.
    """

    length: Struct
    at: int
    header: int


_FRAMES = {
    "pdu": Frame(Struct(">I"), 2, 6),  # PS3.8 9.3.1
    "item": Frame(Struct(">H"), 2, 4),  # PS3.8 9.3.2
    "value": Frame(Struct(">I"), 0, 4),  # PS3.8 9.3.5.1: counts context ID and control header
    "element": Frame(Struct("<I"), 4, 8),  # PS3.7 6.3.1
}


def _inner(level: str, node: bytes) -> tuple[str, int]:
    """What a node is made of, and how many bytes are before that; "" when it is a leaf."""
    if level == "pdu":
        return ("item", 74) if node[0] in (1, 2) else ("value", 6) if node[0] == 4 else ("", 0)
    if level == "item":
        return (
            ("item", 8) if node[0] in (0x20, 0x21) else ("item", 4) if node[0] == 0x50 else ("", 0)
        )
    if level == "value" and len(node) > 6 and node[5] & 1:
        return "element", 6
    return "", 0


def nodes(level: str, data: bytes) -> list[bytes]:
    """Cut a run of nodes; what is no whole node is the last one."""
    frame, found = _FRAMES[level], []
    while len(data) >= frame.header:
        size = frame.header + frame.length.unpack_from(data, frame.at)[0]
        if size > len(data):
            break
        found.append(data[:size])
        data = data[size:]
    return [*found, data] if data else found


def change(level: str, data: bytes, most: int, random: Random, blind: Blind) -> bytes:
    """Change one node of a run.

    Parameters
    ----------
    level : str
        What nodes they are.
    data : bytes
        The run.
    most : int
        How long it may get.
    random : Random
        Who chooses.
    blind : callable
        Changes what is chosen.
    """
    run = nodes(level, data)
    if not run:
        return blind(data, most)
    number = random.randrange(len(run))
    what = random.randrange(16)
    if what == 0:
        run.insert(random.randrange(len(run) + 1), run[number])
    elif what == 1:
        del run[number]
    elif what == 2:
        run.insert(random.randrange(len(run)), run.pop(number))
    else:
        spare = max(most - len(data), 0)
        run[number] = _changed(level, run[number], spare, random, blind)
    return b"".join(run)[:most]


def _changed(level: str, node: bytes, spare: int, random: Random, blind: Blind) -> bytes:
    frame = _FRAMES[level]
    inner, begin = _inner(level, node)
    most = len(node) + spare
    if len(node) < frame.header:
        return blind(node, most)
    if inner and len(node) >= begin and random.randrange(8):
        node = node[:begin] + change(inner, node[begin:], most - begin, random, blind)
    elif random.randrange(8) == 0:
        return blind(node, most)  # header and all
    else:
        node = node[: frame.header] + blind(node[frame.header :], most - frame.header)
    size = len(node) - frame.header
    if size >= 1 << 8 * frame.length.size:
        return node
    return node[: frame.at] + frame.length.pack(size) + node[frame.at + frame.length.size :]
