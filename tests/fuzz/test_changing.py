"""Changes of an input that keep its lengths right."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.errors import RemoteError
from dicomwire.protocol.pdus import AssociateRQ, PDataTF, decode_pdu
from fuzz.changing import change, nodes
from tests.protocol.pairs import ECHO, message, request

STREAM = request().encode() + message(1, ECHO)


def scribble(data: bytes, most: int) -> bytes:
    """Change the first byte, and lengthen."""
    return (b"?" + data[1:] + b"!")[: max(most, 0)]


def test_a_run_is_cut_into_nodes() -> None:
    first, second = nodes("pdu", STREAM)
    assert (first[0], second[0]) == (1, 4)
    (value,) = nodes("value", second[6:])
    assert [element[2:4] for element in nodes("element", value[6:])][:2] == [b"\0\0", b"\2\0"]


@given(st.sampled_from(["pdu", "item", "value", "element"]), st.binary(max_size=60))
def test_nothing_gets_lost(level: str, data: bytes) -> None:
    assert b"".join(nodes(level, data)) == data


@given(st.integers(0, 1 << 30))
def test_a_change_fits_and_mostly_leaves_lengths_right(seed: int) -> None:
    changed = change("pdu", STREAM, len(STREAM) + 3, Random(seed), scribble)
    assert len(changed) <= len(STREAM) + 3


@pytest.mark.parametrize(("start", "kind"), [(1, AssociateRQ), (4, PDataTF)])
def test_what_is_inside_changes(start: int, kind: type) -> None:
    seen = set()
    for seed in range(300):
        for pdu in nodes("pdu", change("pdu", STREAM, 1 << 12, Random(seed), scribble)):
            if pdu[0] == start and len(pdu) == 6 + int.from_bytes(pdu[2:6], "big"):
                try:
                    found = decode_pdu(pdu[0], memoryview(pdu)[6:])
                except RemoteError:
                    continue
                assert isinstance(found, kind)
                seen.add(bytes(pdu))
    assert len(seen) > 5
