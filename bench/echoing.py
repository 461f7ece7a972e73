"""C-ECHO on an open association, and on one for each, into rows of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.peers import (
    AS_IT_COMES,
    DCMTK,
    DCMTK_AS_IT_COMES,
    DICOMWIRE,
    FAST,
    OURS,
    PYNETDICOM,
    dcmtk,
    printed,
    python,
    run,
    scp_of,
)
from bench.report import OURS as NAME
from bench.report import Bar, Row
from bench.turns import Turn, in_turn, scaled

ECHOES = 20_000
SLOW_ECHOES = 100  # for tools that take 40 ms for each
PYNETDICOM_ECHOES = 300
ASSOCIATIONS = 3_000
PYNETDICOM_ASSOCIATIONS = 60
A_SECOND = 1_000  # associations with an echo


def echoing(scratch: Path, runs: int, quick: bool) -> list[Row]:
    """Compare signs of life; what a process takes to start counts, as for storescu."""
    count = ECHOES // 10 if quick else ECHOES
    return [
        _opened(scratch, runs, count),
        _as_it_comes(scratch, runs, count),
        _each(scratch, runs, quick),
    ]


def _opened(scratch: Path, runs: int, count: int) -> Row:
    few = min(count, PYNETDICOM_ECHOES)
    with (
        scp_of(DICOMWIRE, scratch / "ours") as server,
        scp_of(PYNETDICOM, scratch / "other") as other,
    ):

        def pynetdicom() -> float:
            command = python("bench.echo", "pynetdicom", "open", other.port, few)
            return float(printed(command)) * count / few

        found = in_turn(
            runs,
            [
                Turn(NAME, lambda: _ours(server.port, count)),
                Turn(DCMTK.name, lambda: _theirs(server.port, count, FAST)),
                Turn(PYNETDICOM.name, pynetdicom, 2, f"to its own SCP, scaled from {few:,}"),
            ],
        )
    name = f"{count:,} x C-ECHO on an association, to our SCP"
    return Row(name, "s", found.figures, (Bar(1.0, DCMTK.name),), found.notes)


def _as_it_comes(scratch: Path, runs: int, count: int) -> Row:
    name = DCMTK_AS_IT_COMES.name

    def scaled_time(port: int) -> float:
        one = _theirs(port, 1, AS_IT_COMES)
        return scaled(one, _theirs(port, SLOW_ECHOES, AS_IT_COMES), SLOW_ECHOES, count)

    def at_scp(work: Callable[[int], float]) -> float:
        with scp_of(DCMTK_AS_IT_COMES, scratch / "theirs") as server:
            return work(server.port)

    found = in_turn(
        runs,
        [
            Turn(NAME, lambda: at_scp(lambda port: _ours(port, count))),
            Turn(name, lambda: at_scp(scaled_time), 2, f"scaled from {SLOW_ECHOES}"),
        ],
    )
    what = f"{count:,} x C-ECHO on an association, to their SCP as it comes"
    return Row(what, "s", found.figures, (Bar(0.1, name),), found.notes)


def _each(scratch: Path, runs: int, quick: bool) -> Row:
    count = ASSOCIATIONS // 10 if quick else ASSOCIATIONS
    few = PYNETDICOM_ASSOCIATIONS

    def rate(library: str, port: int, times: int) -> float:
        return times / float(printed(python("bench.echo", library, "each", port, times)))

    with (
        scp_of(DICOMWIRE, scratch / "ours") as server,
        scp_of(PYNETDICOM, scratch / "other") as other,
    ):
        found = in_turn(
            runs,
            [
                Turn(NAME, lambda: rate(NAME, server.port, count)),
                Turn(PYNETDICOM.name, lambda: rate("pynetdicom", other.port, few), 2),
            ],
        )
    bars = (Bar(A_SECOND, least=True),)
    return Row("associate, C-ECHO and release", "1/s", found.figures, bars, found.notes)


def _ours(port: int, count: int) -> float:
    return run([*OURS, "echoscu", "--repeat", str(count), "127.0.0.1", str(port)]).seconds


def _theirs(port: int, count: int, environment: dict[str, str]) -> float:
    command = [dcmtk("echoscu"), "--repeat", str(count), "127.0.0.1", str(port)]
    return run(command, environment).seconds
