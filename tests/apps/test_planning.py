"""Which presentation contexts objects need, and over how many associations they go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.apps.planning import needed, plan, repeated
from dicomwire.dataset.part10 import FileHeader
from tests.dataset.samples import BIG_ENDIAN, CT, DEFLATED, EXPLICIT, IMPLICIT, JPEG_BASELINE, MR

pytestmark = pytest.mark.no_socket

RLE = "1.2.840.10008.1.2.5"


def header(sop_class: str = CT, syntax: str = EXPLICIT, uid: str = "1.2.3") -> FileHeader:
    return FileHeader(Path(uid), sop_class, uid, syntax, 0, 1)


@pytest.mark.parametrize(
    ("syntaxes", "groups"),
    [
        ([EXPLICIT], ((EXPLICIT,), (IMPLICIT, DEFLATED, BIG_ENDIAN))),
        ([IMPLICIT], ((IMPLICIT,), (EXPLICIT, DEFLATED, BIG_ENDIAN))),
        ([JPEG_BASELINE], ((JPEG_BASELINE,),)),
        ([JPEG_BASELINE, RLE], ((JPEG_BASELINE,), (RLE,))),
        (
            [RLE, BIG_ENDIAN],
            ((RLE,), (BIG_ENDIAN,), (EXPLICIT, IMPLICIT, DEFLATED)),
        ),
        (
            [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN],
            ((IMPLICIT,), (EXPLICIT,), (DEFLATED,), (BIG_ENDIAN,)),
        ),
    ],
)
def test_own_syntax_alone_and_a_way_to_convert(
    syntaxes: list[str], groups: tuple[tuple[str, ...], ...]
) -> None:
    assert needed(syntaxes) == groups


def test_only_the_classes_there_are_once_each() -> None:
    (load,) = plan([header(CT), header(MR), header(CT)])
    assert [uid for uid, _ in load.contexts] == [CT, CT, MR, MR]
    assert len(load.headers) == 3


def test_what_an_option_asks_for() -> None:
    (load,) = plan([header()], asked=((RLE,), (EXPLICIT,)))
    assert load.contexts == [(CT, (RLE,)), (CT, (EXPLICIT,))]


def test_combined_into_one_context() -> None:
    (load,) = plan([header(), header(syntax=RLE)], combine=True)
    assert load.contexts == [(CT, (EXPLICIT, RLE, IMPLICIT, DEFLATED, BIG_ENDIAN))]


@pytest.mark.parametrize(("classes", "loads"), [(64, [128]), (65, [128, 2]), (129, [128, 128, 2])])
def test_no_more_than_128_contexts_an_association(classes: int, loads: list[int]) -> None:
    planned = plan([header(f"1.2.{number}") for number in range(1, classes + 1)])
    assert [len(load.contexts) for load in planned] == loads
    assert sum(len(load.headers) for load in planned) == classes
    for load in planned:
        assert {each.sop_class_uid for each in load.headers} == {uid for uid, _ in load.contexts}


def test_a_proposal_is_what_associate_takes() -> None:
    (load,) = plan([header()])
    assert [context.abstract_syntax for context in load.proposal()] == [CT, CT]


def test_repeated() -> None:
    one, two = header(uid="1"), header(uid="2")
    assert repeated([one, two], 2) == [one, one, two, two]
