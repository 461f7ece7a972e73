"""Which inputs there are, and which of many are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.protocol.pdus import AssociateRJ, ReleaseRQ
from fuzz import corpus
from fuzz.targets import BY_NAME

RELEASE, REJECTION = ReleaseRQ().encode(), AssociateRJ(1, 1, 1).encode()


def test_peers_of_three_makers_are_among_the_seeds() -> None:
    for name in ("acceptor", "requestor"):
        makers = {path.name.partition("-")[0] for path in (corpus.SEEDS / name).iterdir()}
        assert makers >= {"dcmtk", "orthanc", "pynetdicom"}


def test_the_parts_of_recorded_streams_are_inputs_too() -> None:
    names = " ".join(corpus.kept(BY_NAME["commands"]))
    assert "seeds/acceptor/dcmtk-echoscu: command 0" in names


def test_an_input_is_kept_that_goes_where_none_went() -> None:
    target = BY_NAME["pdus"]
    inputs = [RELEASE, RELEASE, REJECTION, RELEASE + REJECTION]
    assert list(corpus.fewest(target, [], inputs)) == [RELEASE, REJECTION]
    assert list(corpus.fewest(target, [REJECTION], inputs)) == [RELEASE]


def test_keeping_twice_gives_the_same_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SEEDS", "REGRESSIONS", "CORPUS", "WORK"):
        monkeypatch.setattr(corpus, name, tmp_path / name.lower())
    target, found = BY_NAME["pdus"], tmp_path / "work" / "pdus"
    found.mkdir(parents=True)
    for number, data in enumerate((REJECTION, RELEASE, RELEASE + REJECTION)):
        (found / str(number)).write_bytes(data)
    assert corpus.keep(target) == 2
    archive = tmp_path / "corpus" / "pdus.zip"
    first = archive.read_bytes()
    assert corpus.keep(target) == 2
    assert archive.read_bytes() == first
    assert sorted(corpus.kept(target).values()) == sorted([RELEASE, REJECTION])
