"""The limit: bytes with headers into the same bytes without them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.bare import HEADER, PDU, pieces, wire_length


def wired(data: bytes) -> bytes:
    step = PDU - HEADER
    return b"".join(b"H" * HEADER + data[at : at + step] for at in range(0, len(data), step))


@given(st.integers(1, 3 * PDU), st.lists(st.integers(1, 2 * PDU), max_size=12))
def test_headers_are_left_out_wherever_reads_end(size: int, reads: list[int]) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    sent = memoryview(wired(data))
    assert len(sent) == wire_length(size)
    kept, passed = b"", 0
    for read in [*reads, len(sent)]:
        part = sent[passed : passed + read]
        kept += b"".join(pieces(part, passed))
        passed += len(part)
    assert kept == data
