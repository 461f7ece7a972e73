"""Deflated streams: round trips, damage and bombs."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.dataset.deflate import Deflater, Inflater
from dicomwire.dataset.errors import DataSetError
from tests.examples import examples


def deflate(*parts: bytes) -> bytes:
    out = io.BytesIO()
    deflater = Deflater(out.write)
    for part in parts:
        deflater.write(part)
    deflater.finish()
    return out.getvalue()


@examples(50)
@given(st.lists(st.binary(max_size=5000), max_size=5), st.integers(1, 9000))
def test_round_trip_in_any_steps(parts: list[bytes], step: int) -> None:
    deflated = deflate(*parts)
    assert len(deflated) % 2 == 0
    assert zlib.decompress(deflated, -15) == b"".join(parts)
    inflater = Inflater(io.BytesIO(deflated).read)
    got = b"".join(iter(lambda: inflater.read(step), b""))
    assert got == b"".join(parts)


def test_memory_is_bounded_by_what_is_asked_for() -> None:
    inflater = Inflater(io.BytesIO(deflate(bytes(50 << 20))).read)
    assert inflater.read(10) == bytes(10)
    assert len(inflater._plain) <= 1 << 16


def test_bomb() -> None:
    inflater = Inflater(io.BytesIO(deflate(bytes(10 << 20))).read, limit=1 << 20)
    with pytest.raises(DataSetError, match="longer than allowed"):
        inflater.read(20 << 20)


def test_just_as_long_as_allowed() -> None:
    assert Inflater(io.BytesIO(deflate(bytes(100))).read, limit=100).read(1000) == bytes(100)


def test_cut_short() -> None:
    cut = deflate(bytes(range(256)) * 9)[:-6]
    with pytest.raises(DataSetError, match="ends early"):
        Inflater(io.BytesIO(cut).read).read(1 << 20)


def test_damaged() -> None:
    with pytest.raises(DataSetError, match="is damaged"):
        Inflater(io.BytesIO(b"\xff" * 100).read).read(1)
