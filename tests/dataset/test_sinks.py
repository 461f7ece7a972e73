"""Sinks take fragments without raising and leave nothing behind."""

from __future__ import annotations

import errno
import gc
import os
import stat
from pathlib import Path

import pytest

from dicomwire.dataset import sinks
from dicomwire.dataset.sinks import FileSink, HeldSink
from dicomwire.protocol.errors import LimitReached
from dicomwire.protocol.messages import Sink


def views(*parts: bytes) -> list[memoryview]:
    return [memoryview(part) for part in parts]


def test_file_sink_writes_and_renames(tmp_path: Path) -> None:
    sink: Sink = FileSink(tmp_path, b"HEAD", prefix=".x-")
    sink.write(views(b"ab", b"c"))
    sink.write(views(b"d"))
    assert isinstance(sink, FileSink)
    temporary = sink.path
    assert temporary is not None
    assert temporary.name.startswith(".x-")
    assert temporary.suffix == ".part"
    assert list(tmp_path.iterdir()) == [temporary]
    sink.finish()
    sink.rename_to(tmp_path / "final")
    assert [p.name for p in tmp_path.iterdir()] == ["final"]
    assert (tmp_path / "final").read_bytes() == b"HEADabcd"
    assert (sink.length, sink.error, sink.path) == (4, None, None)
    sink.discard()
    assert (tmp_path / "final").exists()


def test_what_was_written_can_be_read_again(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, b"HEAD")
    data = bytes(range(256)) * 20
    sink.write(views(data[:3000], data[3000:]))
    sink.finish()
    with sink.open() as written:
        assert [written.read(1000), written.read(2000), written.read(9)] == [
            data[:1000],
            data[1000:3000],
            data[3000:3009],
        ]
        assert written.read(10_000) == data[3009:]
        assert written.read(1) == b""
    sink.discard()
    with sink.open() as written:  # the first bytes are in memory
        assert written.read(2048) == data[:2048]
        with pytest.raises(FileNotFoundError):
            written.read(1)


def test_what_is_all_in_memory_is_not_read_again(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, b"HEAD")
    sink.write(views(b"abcd"))
    sink.finish()
    sink.discard()
    with sink.open() as written:
        assert [written.read(3), written.read(3), written.read(3)] == [b"abc", b"d", b""]


def test_nothing_is_created_before_the_first_fragment(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, b"HEAD")
    assert list(tmp_path.iterdir()) == []
    sink.finish()
    assert sink.path is not None
    assert sink.path.read_bytes() == b"HEAD"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, b"")
    old = os.umask(0o027)
    try:
        sink.write(views(b"a"))
    finally:
        os.umask(old)
    assert sink.path is not None
    assert stat.S_IMODE(sink.path.stat().st_mode) == 0o640


def test_overwrite_or_not(tmp_path: Path) -> None:
    final = tmp_path / "final"
    for content in (b"one", b"two"):
        sink = FileSink(tmp_path, b"")
        sink.write(views(content))
        sink.rename_to(final)
    assert final.read_bytes() == b"two"
    sink = FileSink(tmp_path, b"")
    sink.write(views(b"three"))
    with pytest.raises(FileExistsError):
        sink.rename_to(final, overwrite=False)
    assert final.read_bytes() == b"two"
    sink.rename_to(tmp_path / "other", overwrite=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["final", "other"]


def test_not_overwriting_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: object, target: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    for name, clash in (("a", False), ("a", True)):
        sink = FileSink(tmp_path, b"")
        sink.write(views(name.encode() + bytes([clash])))
        if clash:
            with pytest.raises(FileExistsError):
                sink.rename_to(tmp_path / name, overwrite=False)
            sink.discard()
        else:
            sink.rename_to(tmp_path / name, overwrite=False)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"a\0"


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, b"HEAD")
    sink.write(views(b"a"))
    sink.discard()
    sink.write(views(b"late"))
    sink.discard()
    assert list(tmp_path.iterdir()) == []
    assert sink.length == 5


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_dropped_sinks_leave_no_descriptor_and_no_file(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        FileSink(tmp_path, b"HEAD").write(views(b"a"))
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_kept_and_the_rest_counted(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "missing", b"HEAD")
    sink.write(views(b"abc"))
    first = sink.error
    sink.write(views(b"de"))
    sink.finish()
    assert isinstance(first, FileNotFoundError)
    assert sink.error is first
    assert sink.length == 5
    with pytest.raises(FileNotFoundError):
        sink.rename_to(tmp_path / "final")
    sink.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda *_: real_open("/dev/full", os.O_WRONLY))
    sink = FileSink(tmp_path, b"HEAD")
    sink.write(views(b"abc"))
    assert sink.error is not None
    assert sink.error.errno == errno.ENOSPC


def test_a_taken_name_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([b"\1" * 8, b"\2" * 8])
    monkeypatch.setattr(os, "urandom", lambda _: next(numbers))
    trap = tmp_path / ("01" * 8 + ".part")
    trap.symlink_to(tmp_path / "victim")
    sink = FileSink(tmp_path, b"", prefix="")
    sink.write(views(b"a"))
    assert sink.path == tmp_path / ("02" * 8 + ".part")
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("some", ["short writev", "no writev"])
def test_short_writes_and_no_writev(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, some: str
) -> None:
    real_write = os.write

    def short(fd: int, buffers: list[bytes]) -> int:
        return real_write(fd, b"".join(buffers)[:3])

    monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, data[:2]))
    replacement = short if some == "short writev" else sinks._write_each
    monkeypatch.setattr(sinks, "_write_some", replacement)
    sink = FileSink(tmp_path, b"HEAD")
    sink.write(views(b"abcd", b"efgh"))
    sink.write(views(b"ij"))
    sink.rename_to(tmp_path / "final")
    assert (tmp_path / "final").read_bytes() == b"HEADabcdefghij"


def test_more_fragments_than_one_call_takes(tmp_path: Path) -> None:
    parts = [bytes([i & 255]) for i in range(3000)]
    sink = FileSink(tmp_path, b"HEAD")
    sink.write(views(*parts))
    sink.rename_to(tmp_path / "final")
    assert (tmp_path / "final").read_bytes() == b"HEAD" + b"".join(parts)


def test_fsync_comes_before_the_rename_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, real=real, name=name: (calls.append(name), real(*args))[1]
        )
    sink = FileSink(tmp_path, b"", fsync=True)
    sink.write(views(b"a"))
    sink.rename_to(tmp_path / "final")
    assert calls == (["fsync", "replace", "fsync"] if os.name == "posix" else ["fsync", "replace"])


@pytest.mark.skipif(not hasattr(os, "writev"), reason="needs writev")
def test_a_small_object_takes_four_system_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(name: str, real: object) -> object:
        def call(*args: object) -> object:
            calls.append(name)
            return real(*args)

        return call

    for name in ("open", "write", "close", "replace"):
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))
    monkeypatch.setattr(sinks, "_write_some", counted("writev", os.writev))
    sink = FileSink(tmp_path, b"HEAD")
    sink.write(views(b"a" * 15_000, b"b"))
    sink.finish()
    sink.rename_to(tmp_path / "final")
    assert calls == ["open", "writev", "close", "replace"]


# -- held ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(), (10,), (4, 6), (11,), (10, 1), (5, 5, 5, 5), (1000, 1)])
def test_what_is_held_comes_back_whole(sizes: tuple[int, ...]) -> None:
    parts = [bytes([number]) * size for number, size in enumerate(sizes)]
    sink = HeldSink(10)
    for part in parts:
        sink.write([memoryview(part[:3]), memoryview(part[3:])])
    sink.finish()
    whole = b"".join(parts)
    assert sink.is_in_memory == (len(whole) <= 10)
    assert bytes(sink.data) == whole
    with sink.open() as file:
        assert file.read(4) == whole[:4]
        assert file.read() == whole[4:]
    other = sink.share()
    sink.discard()
    assert bytes(sink.data) == b""
    assert bytes(other.data) == whole


def test_the_file_goes_with_the_last_hold() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    sink = HeldSink(1)
    sink.write([memoryview(b"too much")])
    other = sink.share()
    sink.discard()
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1
    del other
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_does_not_spill_is_dropped_and_says_why() -> None:
    sink = HeldSink(10, spills=False)
    for _ in range(3):
        sink.write([memoryview(b"seven b")])
    assert isinstance(sink.error, LimitReached)
    assert sink.error.setting == "memory"
    assert sink.data == b""


def test_a_disk_that_fails_is_an_error_of_the_sink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    sink = HeldSink(1)
    for _ in range(2):
        sink.write([memoryview(b"too much")])
    sink.finish()
    assert isinstance(sink.error, OSError)
    assert sink.data == b""
