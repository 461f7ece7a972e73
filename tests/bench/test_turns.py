"""Who has a turn when, what is counted, and what becomes of who fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.turns import Turn, Unfit, in_turn, scaled


def working(name: str, done: list[str]) -> Callable[[], float]:
    def work() -> float:
        done.append(name)
        return float(len(done))

    return work


def test_they_take_turns_and_the_first_round_is_not_counted() -> None:
    done: list[str] = []
    found = in_turn(2, [Turn("a", working("a", done)), Turn("b", working("b", done))])
    assert done == ["a", "b"] * 3
    assert found.figures == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_a_slow_one_is_not_warmed_up_and_has_fewer_runs() -> None:
    done: list[str] = []
    slow = Turn("slow", working("slow", done), 2, "scaled")
    found = in_turn(5, [Turn("a", working("a", done)), slow])
    assert done == ["a", "a", "slow", "a", "slow", "a", "a", "a"]
    assert len(found.figures["slow"]) == 2
    assert found.notes == {"slow": "scaled"}


@pytest.mark.parametrize("error", [Unfit("gone\nmore"), OSError("gone")])
def test_who_fails_is_left_out_and_the_others_go_on(error: Exception) -> None:
    done: list[str] = []

    def failing() -> float:
        done.append("bad")
        if done.count("bad") == 2:
            raise error
        return 1.0

    found = in_turn(3, [Turn("bad", failing, note="scaled"), Turn("a", working("a", done))])
    assert done.count("bad") == 2
    assert len(found.figures["a"]) == 3
    assert found.figures["bad"] == []
    assert found.notes == {"bad": "failed: gone"}


def test_a_mistake_of_ours_is_not_taken_for_a_failing_program() -> None:
    def wrong() -> float:
        raise TypeError

    with pytest.raises(TypeError):
        in_turn(1, [Turn("a", wrong)])


def test_the_time_of_all_is_what_one_takes_and_the_cost_of_the_rest() -> None:
    start, each = 0.5, 0.25
    assert scaled(start + each, start + 10 * each, 10, 1000) == pytest.approx(start + 1000 * each)
