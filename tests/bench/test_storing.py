"""Works into a tenth of them."""

from __future__ import annotations

from bench.storing import BIG, CT


def test_a_tenth_is_fewer_objects_or_a_smaller_one() -> None:
    assert (CT.tenth().count, CT.tenth().size) == (CT.count // 10, CT.size)
    assert (BIG.tenth().count, BIG.tenth().size) == (1, BIG.size // 10)
    assert "tenth" in CT.tenth().name
