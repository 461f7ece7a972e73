"""Objects into as many hands as there are senders."""

from __future__ import annotations

from pathlib import Path

from bench.crowd import deal


def test_all_objects_are_dealt_out_evenly(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(10):
        (data / f"{number}.dcm").write_bytes(b"")
    place = deal(data, tmp_path, 4)
    hands = [[path.name for path in hand.iterdir()] for hand in place.iterdir()]
    assert sorted(map(len, hands)) == [2, 2, 3, 3]
    assert len({name for hand in hands for name in hand}) == 10
