"""Streams give all of a data set, or an error, and never a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.dataset.errors import UnreadableFile
from dicomwire.dataset.part10 import encode_file_meta, read_header
from dicomwire.dataset.streams import BytesStream, FileStream, Stream
from tests.dataset.samples import CT, EXPLICIT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.dcm"
    path.write_bytes(encode_file_meta(CT, "1.2", EXPLICIT, "1.3", "") + bytes(range(251)) * 11)
    return path


CONTENT = bytes(range(251)) * 11


@pytest.mark.parametrize("size", [1, 250, 2760, 2761, 2762, 1 << 20])
def test_chunks_of_any_size_and_twice(path: Path, size: int) -> None:
    streams: list[Stream] = [FileStream(read_header(path)), BytesStream(bytearray(CONTENT))]
    for stream in streams:
        with stream:
            assert stream.length == len(CONTENT)
            for _ in range(2):
                chunks = [bytes(chunk) for chunk in stream.chunks(size)]
                assert b"".join(chunks) == CONTENT
                assert max(map(len, chunks)) == min(size, len(CONTENT))


def test_empty() -> None:
    assert list(BytesStream(b"").chunks()) == []


def test_one_buffer_serves_all_chunks(path: Path) -> None:
    with FileStream(read_header(path)) as stream:
        assert len({id(chunk.obj) for chunk in stream.chunks(100)}) == 1


def test_change_before_sending_is_noticed(path: Path) -> None:
    header = read_header(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(UnreadableFile, match="changed while it was being sent"):
        FileStream(header)
    with pytest.raises(UnreadableFile, match="changed"):
        FileStream(header._replace(fingerprint=None))


def test_replaced_file_is_noticed(path: Path, tmp_path: Path) -> None:
    header = read_header(path)
    (tmp_path / "b").write_bytes(path.read_bytes())
    (tmp_path / "b").replace(path)
    with pytest.raises(UnreadableFile, match="changed"):
        FileStream(header)


def test_vanished_file(path: Path) -> None:
    header = read_header(path)
    path.unlink()
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        FileStream(header)


def test_file_that_shrinks_while_it_is_sent(path: Path) -> None:
    with FileStream(read_header(path)) as stream:
        chunks = stream.chunks(1000)
        next(chunks)
        with path.open("r+b") as file:
            file.truncate(1500)
        with pytest.raises(UnreadableFile, match="changed"):
            list(chunks)


def test_file_that_grows_is_sent_as_it_was(path: Path) -> None:
    with FileStream(read_header(path)) as stream:
        with path.open("ab") as file:
            file.write(b"more")
        assert b"".join(bytes(chunk) for chunk in stream.chunks()) == CONTENT


def test_read_error_is_ours(path: Path) -> None:
    class Broken:
        def seek(self, offset: int, whence: int = 0, /) -> int:
            return offset

        def readinto(self, buffer: memoryview, /) -> int | None:
            raise OSError(5, "Input/output error")

        def close(self) -> None:
            pass

    from dicomwire.dataset.streams import OpenFileStream

    with pytest.raises(UnreadableFile, match=r"a\.dcm: cannot be read: Input/output error"):
        list(OpenFileStream(Broken(), 0, 10, "a.dcm").chunks())


def test_what_was_fetched_is_not_read_again(path: Path) -> None:
    with FileStream(read_header(path)) as stream:
        stream.fetch()
        path.write_bytes(b"x" * path.stat().st_size)
        assert b"".join(bytes(chunk) for chunk in stream.chunks()) == CONTENT


@pytest.mark.parametrize("size", [1, 1000, 2760])
def test_fetched_for_another_size(path: Path, size: int) -> None:
    with FileStream(read_header(path)) as stream:
        stream.fetch(500)
        assert b"".join(bytes(chunk) for chunk in stream.chunks(size)) == CONTENT
        stream.fetch(size)
        assert b"".join(bytes(chunk) for chunk in stream.chunks(size)) == CONTENT


def test_a_file_that_shrank_cannot_be_fetched(path: Path) -> None:
    with FileStream(read_header(path)) as stream:
        path.write_bytes(b"")
        with pytest.raises(UnreadableFile, match="changed"):
            stream.fetch()


def test_streams_leave_their_buffers_to_each_other(path: Path) -> None:
    buffers = set()
    for _ in range(3):
        with FileStream(read_header(path)) as stream:
            buffers |= {id(chunk.obj) for chunk in stream.chunks()}
    assert len(buffers) == 1


def test_a_buffer_that_may_be_on_its_way_is_left_alone(path: Path) -> None:
    stream = FileStream(read_header(path))
    chunk = next(stream.chunks())
    stream.__exit__(KeyError, KeyError(), None)
    path.write_bytes(path.read_bytes()[: -len(CONTENT)] + bytes(len(CONTENT)))
    with FileStream(read_header(path)) as stream:
        list(stream.chunks())
    assert bytes(chunk) == CONTENT
