"""What a user of a tool sees of what it and the library say."""

from __future__ import annotations

import logging

import pytest

from dicomwire.apps.output import conclusion, log, shown
from dicomwire.network.log_text import visible

pytestmark = pytest.mark.no_socket

LIBRARY = logging.getLogger("dicomwire.acse")
OWN_WORDS = logging.getLogger("dicomwire.association")


def say_everything() -> None:
    for logger, name in ((log, "tool"), (LIBRARY, "library"), (OWN_WORDS, "association")):
        logger.debug("%s debug", name)
        logger.info("%s info", name)
        logger.warning("%s warning", name)
        logger.error("%s error", name)
    conclusion.info("the end")


@pytest.mark.parametrize(
    ("level", "lines"),
    [
        (
            logging.DEBUG,
            "D: tool debug|I: tool info|W: tool warning|E: tool error|D: library debug|"
            "W: library warning|E: library error|D: association debug|I: the end",
        ),
        (logging.INFO, "I: tool info|W: tool warning|E: tool error|E: library error|I: the end"),
        (logging.WARNING, "W: tool warning|E: tool error|E: library error|I: the end"),
        (logging.ERROR, "E: tool error|E: library error"),
        (logging.CRITICAL + 10, ""),
    ],
)
def test_who_is_heard(level: int, lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    with shown(level):
        say_everything()
    assert capsys.readouterr().err.splitlines() == lines.split("|" if lines else None)


def test_nothing_stays_behind(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger("dicomwire")
    before = root.level, list(root.handlers)
    with shown(logging.DEBUG):
        pass
    assert (root.level, root.handlers) == before
    assert conclusion.level == logging.NOTSET


def test_a_peer_cannot_write_lines_or_colours(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "ok\nE: forged \x1b[31m"
    with shown(logging.INFO):
        log.info("%s", evil)
    assert capsys.readouterr().err == f"I: {visible(evil)}\n"
    assert "\x1b" not in visible(evil)
