"""Which presentation context carries a data set."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest

from dicomwire.dataset.choice import NoSuitableContext, can_convert, choose_context
from dicomwire.protocol.errors import LocalError
from tests.dataset.samples import (
    BIG_ENDIAN,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    MR,
    UNCOMPRESSED,
)


@dataclass(frozen=True)
class Context:
    context_id: int
    abstract_syntax: str
    transfer_syntax: str


def contexts(*syntaxes: str, sop_class: str = CT) -> list[Context]:
    return [Context(2 * i + 1, sop_class, syntax) for i, syntax in enumerate(syntaxes)]


def chosen(syntax: str, *accepted: str) -> str:
    return choose_context(contexts(*accepted), CT, syntax).transfer_syntax


@pytest.mark.parametrize(
    ("has", "order"),
    [
        (IMPLICIT, [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN]),
        (EXPLICIT, [EXPLICIT, IMPLICIT, DEFLATED, BIG_ENDIAN]),
        (DEFLATED, [DEFLATED, EXPLICIT, IMPLICIT, BIG_ENDIAN]),
        (BIG_ENDIAN, [BIG_ENDIAN, EXPLICIT, IMPLICIT, DEFLATED]),
    ],
)
def test_preference(has: str, order: list[str]) -> None:
    for start in range(4):
        for accepted in permutations([*order[start:], JPEG_BASELINE]):
            assert chosen(has, *accepted) == order[start]


def test_compressed_goes_as_it_is_or_not_at_all() -> None:
    assert chosen(JPEG_BASELINE, IMPLICIT, JPEG_BASELINE) == JPEG_BASELINE
    with pytest.raises(NoSuitableContext):
        chosen(JPEG_BASELINE, *UNCOMPRESSED)
    with pytest.raises(NoSuitableContext):
        chosen(EXPLICIT, JPEG_BASELINE)


def test_only_contexts_of_the_sop_class_and_the_first_of_equals() -> None:
    accepted = [
        *contexts(EXPLICIT, sop_class=MR),
        Context(7, CT, EXPLICIT),
        Context(9, CT, EXPLICIT),
    ]
    assert choose_context(iter(accepted), CT, EXPLICIT).context_id == 7


def test_the_error_names_what_is_missing_and_what_was_accepted() -> None:
    with pytest.raises(LocalError) as caught:
        chosen(JPEG_BASELINE, IMPLICIT, EXPLICIT, EXPLICIT)
    text = caught.value.what
    assert text == (
        f"No accepted presentation context can carry CT Image Storage ({CT}) in JPEG Baseline"
        f" (Process 1) ({JPEG_BASELINE}); accepted was Implicit VR Little Endian ({IMPLICIT}),"
        f" Explicit VR Little Endian ({EXPLICIT})"
    )
    assert "propose this transfer syntax" in caught.value.check


def test_the_error_when_the_sop_class_was_not_accepted() -> None:
    with pytest.raises(LocalError, match=r"was accepted for 1\.2\.3 in 1\.2\.4$|for 1\.2\.3 in 1"):
        choose_context(contexts(IMPLICIT), "1.2.3", "1.2.4")


def test_can_convert() -> None:
    for one in UNCOMPRESSED:
        assert all(can_convert(one, other) for other in UNCOMPRESSED)
        assert not can_convert(one, JPEG_BASELINE)
        assert not can_convert(JPEG_BASELINE, one)
    assert can_convert("1.2.3", "1.2.3")
    assert not can_convert("1.2.3", "1.2.4")
