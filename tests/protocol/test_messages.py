"""Sinks and the assembly of messages that other tests do not reach."""

from __future__ import annotations

from dicomwire.protocol.messages import Dropped, Memory


def test_a_dropped_data_set_is_counted_and_not_kept() -> None:
    sink = Dropped()
    sink.write([memoryview(b"abc"), memoryview(b"d")])
    sink.write([memoryview(b"ef")])
    sink.finish()
    sink.discard()
    assert sink.length == 6
    assert not hasattr(sink, "data")


def test_memory_keeps_a_copy_of_what_was_lent() -> None:
    lent = bytearray(b"abc")
    sink = Memory()
    sink.write([memoryview(lent)])
    lent[:] = b"xyz"
    sink.finish()
    assert sink.data == b"abc"
    sink.discard()
    assert sink.data == b""
