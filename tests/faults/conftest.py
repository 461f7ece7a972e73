"""Turns the names of servers into processes, one of each for all tests that a worker runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.faults.servers import HASTY, NAMES, PATIENT, Served

HERE = Path(__file__).parent
Start = Callable[..., Served]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """`served(name, options, host, tls)`: a server that runs until the last test is over."""
    running: list[Served] = []

    @cache
    def start(
        name: str,
        options: tuple[str, ...] = PATIENT,
        host: str = "127.0.0.1",
        tls: bool = False,
    ) -> Served:
        running.append(Served(name, tmp_path_factory.mktemp(name), options, host, tls))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture(params=NAMES)
def server(request: pytest.FixtureRequest, served: Start) -> Served:
    """Each of the servers, with time-outs that no test waits for."""
    return served(request.param)


@pytest.fixture(params=NAMES)
def hasty(request: pytest.FixtureRequest, served: Start) -> Served:
    """Each of the servers, with time-outs of a second."""
    return served(request.param, HASTY)
