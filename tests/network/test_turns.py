"""Turns a C-GET of more SOP classes than an association has room for into several, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, build_context, evt
from dicomwire.network.turns import Total, plan
from dicomwire.presentation import AllStoragePresentationContexts
from dicomwire.protocol.errors import Aborted, Ended
from tests.network.ends import CT, LOCAL, MR, Box, entity, image, port_of, serving

MODEL = "1.2.840.10008.5.1.4.1.2.1.3"
ANYTHING = Dataset()
ANYTHING.PatientID = "42"
MANY = [f"1.2.826.0.1.3680043.9.9999.3.{number}" for number in range(300)]


def contexts_of(*uids: str) -> list[Any]:
    return [build_context(uid, "1.2.840.10008.1.2.1") for uid in uids]


# -- the plan ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [2]), (127, [128]), (128, [128, 2]), (300, [128, 128, 47])]
)
def test_as_few_associations_as_there_can_be(count: int, sizes: list[int]) -> None:
    turns = plan(MODEL, contexts_of(*MANY[:count]))
    assert [len(turn) for turn in turns] == sizes
    assert {turn[0].abstract_syntax for turn in turns} == {MODEL}
    assert [each.abstract_syntax for turn in turns for each in turn[1:]] == MANY[:count]


def test_a_sop_class_is_not_torn_apart() -> None:
    turns = plan(MODEL, contexts_of(*MANY[:126], CT, CT, CT))
    assert [len(turn) for turn in turns] == [127, 4]
    turns = plan(MODEL, contexts_of(CT, *MANY[:126], CT))
    assert [each.abstract_syntax for each in turns[0][1:3]] == [CT, CT]


def test_the_model_is_proposed_once() -> None:
    ((first, second),) = plan(MODEL, contexts_of(MODEL, CT))
    assert (first.abstract_syntax, second.abstract_syntax) == (MODEL, CT)


@pytest.mark.parametrize("contexts", [[], contexts_of(MODEL), contexts_of(*[CT] * 128)])
def test_what_cannot_be_planned(contexts: list[Any]) -> None:
    with pytest.raises(ValueError, match="presentation context"):
        plan(MODEL, contexts)


# -- over associations -----------------------------------------------------------------------------


class Archive:
    """An SCP that has one instance of each of some SOP classes."""

    def __init__(self, *sop_classes: str, end: int | None = None) -> None:
        self.instances = [
            image(f"1.2.{number}", sop_class=uid) for number, uid in enumerate(sop_classes)
        ]
        self.end = end
        self.asked = 0
        self.ae = entity("ARCHIVE", MODEL, accept_any_storage=True)
        for uid in {*sop_classes, CT}:
            self.ae.add_supported_context(uid, scu_role=True, scp_role=True)

    def get(self, event: Any) -> Iterator[Any]:
        self.asked += 1
        yield len(self.instances)
        for number, instance in enumerate(self.instances):
            if number == self.end:
                yield 0xC123, None
            yield 0xFF00, instance


def got(
    archive: Archive, contexts: list[Any], store: Any = lambda event: 0, **more: Any
) -> tuple[list[tuple[Any, Any]], list[str]]:
    """What comes of a C-GET: the pairs, and the instances that the handler saw."""
    box = Box()

    def on_store(event: Any) -> Any:
        box.put(str(event.request.AffectedSOPInstanceUID))
        return store(event)

    with serving(archive.ae, (evt.EVT_C_GET, archive.get)) as server:
        pairs = AE("SCU").c_get(
            LOCAL, port_of(server), ANYTHING, MODEL, contexts,
            evt_handlers=[(evt.EVT_C_STORE, on_store)], **more,
        )  # fmt: skip
        return list(pairs), box.things


def test_more_classes_than_an_association_has_room_for() -> None:
    archive = Archive(MANY[0], MANY[130], MANY[290], MANY[1])
    pairs, seen = got(archive, contexts_of(*MANY))
    assert archive.asked == 3
    assert sorted(seen) == ["1.2.0", "1.2.1", "1.2.2", "1.2.3"]
    status, identifier = pairs[-1]
    assert (status.Status, identifier) == (0, None)
    assert status.NumberOfCompletedSuboperations == 4
    assert status.NumberOfFailedSuboperations == 0
    assert all(each.Status == 0xFF00 for each, _ in pairs[:-1])


def test_nothing_is_asked_twice_without_need() -> None:
    archive = Archive(MANY[0], MANY[1])
    pairs, seen = got(archive, contexts_of(*MANY))
    assert (archive.asked, len(seen), pairs[-1][0].Status) == (1, 2, 0)


def test_what_no_turn_could_receive_is_listed() -> None:
    archive = Archive(MANY[0], MR, MANY[200], MR)
    pairs, seen = got(archive, contexts_of(*MANY))
    status, identifier = pairs[-1]
    assert archive.asked == 3
    assert sorted(seen) == ["1.2.0", "1.2.2"]
    assert status.Status == 0xB000
    assert status.NumberOfCompletedSuboperations == 2
    assert status.NumberOfFailedSuboperations == 2
    assert list(identifier.FailedSOPInstanceUIDList) == ["1.2.1", "1.2.3"]


def test_what_came_with_a_warning_has_come() -> None:
    archive = Archive(MANY[0], MANY[200])
    pairs, seen = got(archive, contexts_of(*MANY), lambda event: 0xB007)
    status, identifier = pairs[-1]
    assert sorted(seen) == ["1.2.0", "1.2.1"]
    assert (status.Status, status.NumberOfWarningSuboperations) == (0xB000, 2)
    assert status.NumberOfFailedSuboperations == 0
    assert identifier.get("FailedSOPInstanceUIDList") in (None, "", [])


def test_what_the_handler_refuses_has_failed() -> None:
    archive = Archive(MANY[0], MANY[200])
    refused = Dataset()
    refused.Status = 0xA700
    pairs, _ = got(archive, contexts_of(*MANY), lambda event: refused)
    status, identifier = pairs[-1]
    assert (status.Status, status.NumberOfFailedSuboperations) == (0xA702, 2)
    assert list(identifier.FailedSOPInstanceUIDList) == ["1.2.0", "1.2.1"]


def test_a_failure_of_the_peer_ends_it() -> None:
    archive = Archive(MANY[0], MANY[200], end=1)
    pairs, seen = got(archive, contexts_of(*MANY))
    assert (archive.asked, seen, pairs[-1][0].Status) == (1, ["1.2.0"], 0xC123)


def test_requested_contexts_are_what_is_wanted_unless_told() -> None:
    archive = Archive(CT)
    scu = AE("SCU")
    scu.requested_contexts = contexts_of(MODEL, CT)
    box = Box()
    with serving(archive.ae, (evt.EVT_C_GET, archive.get)) as server:
        store = (evt.EVT_C_STORE, lambda event, word: box.put(word), ["word"])
        *_, (status, _) = scu.c_get(LOCAL, port_of(server), ANYTHING, MODEL, evt_handlers=[store])
    assert (status.Status, box.things) == (0, ["word"])


def test_all_storage_classes_at_once() -> None:
    wanted = AllStoragePresentationContexts
    assert len(wanted) > 128
    archive = Archive(*(str(each.abstract_syntax) for each in wanted))
    pairs, seen = got(archive, wanted)
    assert (pairs[-1][0].Status, archive.asked) == (0, 2)
    assert len(seen) == len(set(seen)) == len(wanted)


def test_no_association_is_an_error_with_its_reason() -> None:
    archive = Archive(CT)
    archive.ae.require_called_aet = True
    with pytest.raises(Ended, match="called AE title"):
        got(archive, contexts_of(CT))


def test_an_association_that_ends_is_an_error_with_its_reason() -> None:
    archive = Archive(CT, CT)

    def aborting(event: Any) -> int:
        event.assoc.abort()
        return 0

    with pytest.raises(Aborted):
        got(archive, contexts_of(CT), aborting)


def test_leaving_the_loop_leaves_nothing_behind() -> None:
    archive = Archive(CT, CT, CT)
    scu = AE("SCU")
    with serving(archive.ae, (evt.EVT_C_GET, archive.get)) as server:
        store = (evt.EVT_C_STORE, lambda event: 0)
        pairs = scu.c_get(
            LOCAL, port_of(server), ANYTHING, MODEL, contexts_of(CT), evt_handlers=[store]
        )
        next(pairs)
        pairs.close()  # type: ignore[attr-defined]
        assert scu.active_associations == []


def test_a_peer_that_gives_no_list_is_still_counted() -> None:
    total, status = Total(), Dataset()
    status.Status, status.NumberOfCompletedSuboperations = 0xB000, 3
    status.NumberOfFailedSuboperations = 2
    assert total.add(status, None)
    status.NumberOfCompletedSuboperations, status.NumberOfFailedSuboperations = 1, 4
    assert total.add(status, None)
    summed, _ = total.summary()
    assert (summed.NumberOfCompletedSuboperations, summed.NumberOfFailedSuboperations) == (4, 1)
