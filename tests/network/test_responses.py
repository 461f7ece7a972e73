"""Turns queries into iterators that are used up, left, cancelled or cut off, on loopback."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import Association, evt
from dicomwire.dataset.codec import encode
from dicomwire.protocol.errors import Ended, Lost
from dicomwire.protocol.pdus import Abort
from dicomwire.services.responding import response_for
from dicomwire.standard.statuses import Category
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    entity,
    established,
    scripted,
)
from tests.protocol import pairs
from tests.protocol.test_speed import calls

MODEL = "1.2.840.10008.5.1.4.1.2.1.1"
REPOSITORY = "1.2.840.10008.5.1.4.1.1.201.6"
NOTHING = (Dataset(), None)
IMPLICIT = "1.2.840.10008.1.2"
ANSWER = 110  # calls that receiving one match costs, when it stays encoded


def keys() -> Dataset:
    dataset = Dataset()
    dataset.PatientID = "7"
    return dataset


MANY = 1_000_000  # matches: some are left when a cancel comes, however slow this machine is


class Matches:
    """A handler that yields so many matches, looks out for a cancel, and notes how it ended."""

    def __init__(self, count: int = 5) -> None:
        self.count, self.ends = count, Box()

    def __call__(self, event: Any) -> Iterator[Any]:
        done = 0
        try:
            for _ in range(self.count):
                if event.is_cancelled:
                    yield 0xFE00, None
                    return
                done += 1
                yield 0xFF00, keys()
        finally:
            self.ends.put((event.message_id, done))


def finding(handler: Callable[..., Any], *uids: str, **more: Any) -> Any:
    uids = uids or (MODEL, VERIFICATION)
    ends = {"scp": entity("SCP", *uids), "scu": entity("SCU", *uids)}
    return established((evt.EVT_C_FIND, handler), **ends, **more)


def statuses(responses: Any) -> list[Any]:
    return [status.get("Status") for status, _ in responses]


def test_pairs_of_status_and_identifier() -> None:
    with finding(Matches(2)) as (assoc, _):
        answers = list(assoc.send_c_find(keys(), MODEL))
        assert assoc.is_established
    assert statuses(answers) == [0xFF00, 0xFF00, 0x0000]
    assert [data and data.PatientID for _, data in answers] == ["7", "7", None]


@pytest.mark.parametrize("last", [0xA700, 0xC123, 0xFE00, 0x1234, 0xB000])
def test_a_last_status_ends_the_iterator(last: int) -> None:
    with finding(lambda event: [(last, None)]) as (assoc, _):
        answers = assoc.send_c_find(keys(), MODEL)
        assert next(answers)[0].Status == last
        assert list(answers) == []
        if last == 0xB000:  # the provider goes on after a warning, this side does not
            return
        assert assoc.send_c_echo().Status == 0


def test_a_warning_of_a_repository_query_does_not_end_it() -> None:
    values = (0xFF00, keys()), (0xB001, None), (0xFF00, keys())
    with finding(lambda event: values, REPOSITORY) as (assoc, _):
        assert statuses(assoc.send_c_find(keys(), REPOSITORY)) == [0xFF00, 0xB001, 0xFF00, 0]


def test_the_request_is_sent_at_once() -> None:
    box = Box()
    with finding(lambda event: box.put(1) or None) as (assoc, _):
        answers = assoc.send_c_find(keys(), MODEL)
        box.wait()
        assert statuses(answers) == [0]


def test_a_match_does_not_wait_for_the_next_one() -> None:
    go = threading.Event()

    def handler(event: Any) -> Iterator[Any]:
        for _ in range(5):  # fast: the system may send them together
            yield 0xFF00, keys()
        assert go.wait(WAIT)
        yield 0xFF00, keys()

    with finding(handler) as (assoc, _):
        answers = assoc.send_c_find(keys(), MODEL)
        assert [next(answers)[0].Status for _ in range(5)] == [0xFF00] * 5
        go.set()
        assert statuses(answers) == [0xFF00, 0]


# -- as they came ---------------------------------------------------------------------------------


def test_answers_are_decoded_when_somebody_asks() -> None:
    with finding(Matches(2)) as (assoc, _):
        *matches, last = assoc.c_find(keys(), MODEL)
        assert assoc.send_c_echo().Status == 0
    assert [match.category for match in matches] == [Category.PENDING] * 2
    for match in matches:
        assert match.transfer_syntax == IMPLICIT
        assert match.encoded == encode(keys(), IMPLICIT)
        assert match.decode() == keys()
    assert (last.status, last.encoded, last.decode()) == (0, None, None)


def test_answers_that_are_left_are_cancelled() -> None:
    matches = Matches(MANY)
    with finding(matches) as (assoc, _):
        for match in assoc.c_find(keys(), MODEL):
            assert match.status == 0xFF00
            break
        assert assoc.send_c_echo().Status == 0
    assert matches.ends.wait(1)[0][1] < MANY


@pytest.mark.parametrize("how", ["aborts", "closes", "message id"])
def test_an_end_among_answers_is_raised_once(how: str) -> None:
    with peer_that(WRONG[how]) as port:
        assoc = entity().associate(LOCAL, port)
        answers = assoc.c_find(keys(), CT)
        assert next(answers).status == 0xFF00
        with pytest.raises(Ended):
            next(answers)
        assert list(answers) == []
        assert assoc.is_aborted


def test_an_end_before_the_request_is_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with finding(Matches(1)) as (assoc, _):

        def ends(*arguments: Any) -> None:
            raise Lost("gone")

        monkeypatch.setattr(assoc, "begin", ends)
        with pytest.raises(Lost):
            assoc.c_find(keys(), MODEL)
        assert list(assoc.send_c_find(keys(), MODEL)) == [NOTHING]


def test_an_answer_costs_few_calls() -> None:
    """However many matches come, each costs the same few calls: a number, not a time."""
    found = []
    for count in (10, 110):
        with finding(Matches(count)) as (assoc, _):
            answers = iter(assoc.c_find(keys(), MODEL))
            next(answers)
            found.append(calls(lambda answers=answers: [each.encoded for each in answers]))
    assert (found[1] - found[0]) / 100 <= ANSWER


# -- leaving ------------------------------------------------------------------------------------


def leave_by_break(assoc: Association) -> None:
    for _status, _identifier in assoc.send_c_find(keys(), MODEL, msg_id=5):
        break


def leave_by_close(assoc: Association) -> None:
    answers = assoc.send_c_find(keys(), MODEL, msg_id=5)
    next(answers)
    answers.close()
    answers.close()
    assert list(answers) == []


def leave_by_del(assoc: Association) -> None:
    answers = assoc.send_c_find(keys(), MODEL, msg_id=5)
    del answers
    gc.collect()


def leave_at_once(assoc: Association) -> None:
    assoc.send_c_find(keys(), MODEL, msg_id=5)


LEAVING = [leave_by_break, leave_by_close, leave_by_del, leave_at_once]


@pytest.mark.parametrize("leave", LEAVING)
@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.box("3.22")
def test_an_association_is_usable_after_responses_were_left(leave: Any, count: int) -> None:
    matches = Matches(count)
    with finding(matches) as (assoc, _):
        for _round in range(3):
            leave(assoc)
            assert assoc.send_c_echo().Status == 0
        leave(assoc)
        answers = assoc.send_c_find(keys(), MODEL, msg_id=6)
        assert next(answers)[1] is not None
        answers.close()
        assert assoc.is_established
    assert [message_id for message_id, _ in matches.ends.wait(5)] == [5] * 4 + [6]
    if count > 1:
        assert all(done < count for _, done in matches.ends.things)


@pytest.mark.parametrize("kept", [True, False])
def test_release_with_responses_still_open(kept: bool) -> None:
    with finding(Matches(2000)) as (assoc, other):
        answers = assoc.send_c_find(keys(), MODEL)
        next(answers)
        if not kept:
            del answers
        assoc.release()
        assert assoc.is_released
        other.join(WAIT)
        assert other.is_released
        if kept:
            assert list(answers) == []


def test_a_refused_query_does_not_hide_the_open_one() -> None:
    with finding(Matches(2000)) as (assoc, other):
        answers = assoc.send_c_find(keys(), MODEL)
        next(answers)
        for operation in (assoc.send_c_echo, lambda: assoc.send_c_find(keys(), MODEL, msg_id=2)):
            with pytest.raises(RuntimeError, match="cannot begin inside C-FIND"):
                operation()
        assert next(answers)[0].Status == 0xFF00
        assoc.release()
        assert assoc.is_released
        other.join(WAIT)
        assert other.is_released


@pytest.mark.parametrize("where", ["here", "another thread"])
@pytest.mark.parametrize("ending", ["abort", "kill"])
def test_abort_with_responses_still_open(ending: str, where: str) -> None:
    with finding(Matches(2000)) as (assoc, other):
        answers = assoc.send_c_find(keys(), MODEL)
        next(answers)
        end = getattr(assoc, ending)
        if where == "here":
            end()
        else:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(end).result(WAIT)
        assert assoc.is_aborted
        assert not assoc.is_established
        assert assoc.driver.transport is None
        assert list(answers) in ([], [NOTHING])
        other.join(WAIT)
        with pytest.raises(RuntimeError):
            assoc.send_c_echo()


def test_another_thread_waits_for_its_turn() -> None:
    with finding(Matches(3)) as (assoc, _), ThreadPoolExecutor(1) as pool:
        answers = assoc.send_c_find(keys(), MODEL)
        next(answers)
        echo = pool.submit(assoc.send_c_echo)
        assert statuses(answers) == [0xFF00, 0xFF00, 0]
        assert echo.result(WAIT).Status == 0


def test_responses_are_not_asked_for_twice_at_once() -> None:
    inside, go = threading.Event(), threading.Event()

    def handler(event: Any) -> Iterator[Any]:
        inside.set()
        assert go.wait(WAIT)
        yield 0xFF00, keys()

    with finding(handler) as (assoc, _), ThreadPoolExecutor(1) as pool:
        answers = assoc.send_c_find(keys(), MODEL)
        assert inside.wait(WAIT)
        waiting = pool.submit(next, answers)
        while not answers._busy.locked():
            pass
        with pytest.raises(ValueError, match="already"):
            next(answers)
        answers.close()
        go.set()
        assert waiting.result(WAIT)[0].Status == 0xFF00
        assert statuses(answers) == [0]


# -- cancel -------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_cancel(at_once: bool) -> None:
    matches = Matches(MANY)
    with finding(matches) as (assoc, _):
        answers = assoc.send_c_find(keys(), MODEL, msg_id=5)
        if not at_once:
            next(answers)
        assoc.send_c_cancel(5, query_model=MODEL)
        found = statuses(answers)
        assert found[-1] == 0xFE00
        assert len(found) < MANY
        # of another number, and one that is over
        assoc.send_c_cancel(5, query_model=MODEL)
        assoc.send_c_cancel(77, query_model=MODEL)
        matches.count = 3
        assert statuses(assoc.send_c_find(keys(), MODEL, msg_id=5)) == [0xFF00] * 3 + [0]


# -- what the peer does wrong ----------------------------------------------------------------------


def peer_that(answer: Callable[[Peer, dict[str, Any]], object]) -> Any:
    """A peer that sends one match for CT's context and then does something."""

    def script(peer: Peer) -> None:
        peer.accept()
        asked = peer.command()
        peer.read()
        peer.send(pairs.message(3, response_for(asked, 0xFF00, {}), b"\x10\0\x20\0LO\2\0007 "))
        answer(peer, asked)
        peer.rest()

    return scripted(script)


WRONG: dict[str, Callable[[Peer, dict[str, Any]], object]] = {
    "aborts": lambda peer, asked: peer.send(Abort(0, 0)),
    "closes": lambda peer, asked: peer.socket.shutdown(2),
    "is silent": lambda peer, asked: None,
    "message id": lambda peer, asked: peer.send(
        pairs.message(3, response_for({**asked, "MessageID": 99}, 0xFF00, {}))
    ),
    "service": lambda peer, asked: peer.send(
        pairs.message(3, response_for({**asked, "CommandField": 0x0021}, 0, {}))
    ),
}


@pytest.mark.parametrize("how", WRONG)
def test_an_end_in_the_middle_is_told_once(how: str) -> None:
    with peer_that(WRONG[how]) as port:
        ae = entity()
        ae.dimse_timeout = 0.1 if how == "is silent" else WAIT
        assoc = ae.associate(LOCAL, port)
        answers = assoc.send_c_find(keys(), CT)
        assert next(answers)[0].Status == 0xFF00
        assert next(answers) == NOTHING
        assert list(answers) == []
        assert assoc.is_aborted
        assert assoc.ended is not None
        assert not assoc.is_established


def test_a_peer_that_is_gone_before_the_request_is_told_once_too() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(Abort(0, 0))

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.join(WAIT)
        with pytest.raises(RuntimeError):
            assoc.send_c_find(keys(), CT)


def test_a_match_that_cannot_be_decoded_has_no_identifier() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        asked = peer.command()
        peer.read()
        peer.send(pairs.message(3, response_for(asked, 0xFF00, {}), b"no data set"))
        peer.send(pairs.message(3, response_for(asked, 0xFF00, {})))
        peer.send(pairs.message(3, response_for(asked, 0, {})))
        peer.rest()

    with scripted(script) as port, entity().associate(LOCAL, port) as assoc:
        assert [(s.Status, i) for s, i in assoc.send_c_find(keys(), CT)] == [
            (0xFF00, None), (0xFF00, None), (0, None)
        ]  # fmt: skip
        assoc.abort()
