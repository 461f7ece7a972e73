"""What holds for every tool there is: help, wrong use, pipes, interruptions, colours."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import dicomwire
from dicomwire.apps.main import TOOLS
from dicomwire.apps.options import ToolParser
from tests.apps import odd
from tests.apps.conftest import Tool, dicom_file

SOURCE = str(Path(dicomwire.__file__).parents[1])
COMMAND = [sys.executable, "-m", "dicomwire"]
WITH_PARSERS = [
    name for name in TOOLS if hasattr(import_module(f"dicomwire.apps.{name}"), "make_parser")
]
REQUESTORS = ("echoscu", "storescu", "findscu", "getscu", "movescu", "doctor")
# What may stand in the place of an argument, by its name.
ARGUMENTS = {"addr": "127.0.0.1", "port": "104", "shell": "bash"}
NO_FILE = "/no/such/file"
DATA = ["-k", "QueryRetrieveLevel=STUDY"]


def parser_of(name: str) -> ToolParser:
    parser: ToolParser = import_module(f"dicomwire.apps.{name}").make_parser()
    return parser


def arguments(name: str) -> list[str]:
    """Arguments that a tool demands."""
    demanded = [each for each in parser_of(name).actions() if not each.option_strings]
    return [ARGUMENTS.get(each.dest, NO_FILE) for each in demanded if each.nargs not in ("*", "?")]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": SOURCE, **more}


# -- help -------------------------------------------------------------------------------------


@pytest.mark.no_socket
@pytest.mark.parametrize("name", WITH_PARSERS)
def test_help_fits_a_screen_and_ends_with_an_example(tool: Tool, name: str) -> None:
    run = tool(name, "--help")
    lines = run.out.splitlines()
    assert (run.code, run.lines) == (0, [])
    assert len(lines) < 24  # the last is the shell's prompt
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith(f"Example: dicomwire {name} ")


@pytest.mark.no_socket
@pytest.mark.parametrize("name", WITH_PARSERS)
def test_help_all_shows_every_option_and_the_exit_codes(tool: Tool, name: str) -> None:
    page = tool(name, "--help-all").out
    shown = [each for each in parser_of(name).actions() if each.help != argparse.SUPPRESS]
    known = {spelled for action in shown for spelled in action.option_strings}
    assert {each for each in known if each not in page.split()} == set()
    assert "  130 interrupted" in page
    assert page.splitlines()[-1].startswith(f"Example: dicomwire {name} ")


@pytest.mark.no_socket
@pytest.mark.parametrize("name", WITH_PARSERS)
def test_the_example_can_be_typed(tool: Tool, name: str) -> None:
    example = tool(name, "--help").out.splitlines()[-1].partition(name)[2].partition(" > ")[0]
    assert parser_of(name).read(shlex.split(example))


# -- wrong use --------------------------------------------------------------------------------


def wrong() -> Iterator[tuple[str, list[str]]]:
    """Every option of every tool with a value that it cannot have, and more."""
    for name in WITH_PARSERS:
        yield name, [*arguments(name), "--no-such-option"]
        if arguments(name):
            yield name, []
        for action in parser_of(name).actions():
            if action.option_strings and action.type is not None:
                yield name, [*arguments(name), action.option_strings[0], "\\"]
            if action.metavar == "FILE" and name in REQUESTORS:
                yield name, [*arguments(name), action.option_strings[0], NO_FILE]
        if "port" in [each.dest for each in parser_of(name).actions()]:
            for port in ("-1", "65536", "dicom"):
                given = arguments(name) if "104" in arguments(name) else ["104"]
                yield name, [port if each == "104" else each for each in given]


@pytest.mark.no_socket
@pytest.mark.parametrize(("name", "argv"), list(wrong()), ids=lambda each: str(each)[:60])
def test_wrong_use_is_one_line_that_says_what_to_type(
    tool: Tool, name: str, argv: list[str]
) -> None:
    run = tool(name, *argv)
    assert run.code == 2
    assert run.out == ""
    assert len(run.lines) == 1
    assert run.lines[0].startswith("E: ")


@pytest.mark.no_socket
@pytest.mark.parametrize("name", ["findscu", "getscu", "movescu"])
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("PatientNmae=X", "is it PatientName?"),
        ("0010=X", "is no tag and no keyword; give PatientID=X"),
        ("PatientID[0]=X", "is no sequence"),
        ("Rows=many", "is no value of it"),
        ("0002,0010=1.2", "does not belong into a query"),
    ],
)
def test_a_key_that_is_none(tool: Tool, name: str, key: str, said: str) -> None:
    run = tool(name, "127.0.0.1", 1, "-k", key)
    assert run.code == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]


# -- pipes and interruptions ------------------------------------------------------------------


@pytest.mark.no_socket
@pytest.mark.parametrize(
    "argv", [[], ["echoscu", "--help-all"], ["storescp", "--version"], ["completion", "bash"]]
)
def test_a_reader_that_leaves_is_no_traceback(argv: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            [*COMMAND, *argv],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", REQUESTORS)
def test_ctrl_c_ends_a_tool_that_waits_for_its_peer(name: str, tmp_path: Path) -> None:
    heard = threading.Event()

    def behave(sock: socket.socket) -> None:
        if sock.recv(65536):  # the doctor connects once without saying anything
            heard.set()
            odd.silent(sock)

    more = [str(dicom_file(tmp_path / "one"))] if name == "storescu" else []
    more += DATA if name in ("findscu", "getscu", "movescu") else []
    with odd.serving(behave) as port:
        process = subprocess.Popen(
            [*COMMAND, name, "127.0.0.1", str(port), *more],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
            cwd=tmp_path,
        )
        assert heard.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["echoscp", "storescp"])
def test_ctrl_c_is_how_a_receiver_ends(name: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, name, "-v", "-ba", "127.0.0.1", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
        cwd=tmp_path,
    )
    assert process.stderr is not None
    assert "Listening" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in said


# -- output -----------------------------------------------------------------------------------

TABLE = """
from dicomwire.apps.tables import Row, show_table
show_table([Row("a", "CT", "JPEG", "1", "2", "stored", True)])
"""
COLOUR = re.compile(r"\x1b\[(?:\d+;)*3\d")


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_on_a_terminal_that_wants_them(settings: dict[str, str], coloured: bool) -> None:
    ours, theirs = os.openpty()
    base = {
        k: v for k, v in environment(TERM="xterm").items() if k not in ("NO_COLOR", "COLORTERM")
    }
    command = [sys.executable, "-c", TABLE]
    subprocess.run(command, stdout=theirs, env={**base, **settings}, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "stored" in shown
    assert bool(COLOUR.search(shown)) is coloured


@pytest.mark.no_socket
def test_no_colours_elsewhere() -> None:
    command = [sys.executable, "-c", TABLE]
    ran = subprocess.run(command, capture_output=True, env=environment(TERM="xterm"), check=True)
    assert b"\x1b" not in ran.stdout


@pytest.mark.no_socket
@pytest.mark.parametrize("name", REQUESTORS[:-1])
def test_without_data_nothing_is_on_standard_output(tool: Tool, name: str, tmp_path: Path) -> None:
    more = [dicom_file(tmp_path / "one")] if name == "storescu" else []
    more += DATA if name in ("findscu", "getscu", "movescu") else []
    run = tool(name, "-d", "127.0.0.1", 1, *more, *(["-od", tmp_path] if name == "getscu" else []))
    assert (run.code, run.out) == (1, "")
    assert run.lines
