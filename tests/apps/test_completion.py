"""Scripts for shells: what a real bash completes with ours, and that the others are made."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from dicomwire.apps.completion import SHELLS, all_tools
from dicomwire.apps.main import TOOLS, main
from tests.apps.conftest import Tool

pytestmark = pytest.mark.no_socket

# What bash does when somebody presses the tabulator after the words that it is given.
PRESS = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(( $# - 1 ))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
function=$(complete -p dicomwire | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$function dicomwire "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
Complete = Callable[..., set[str]]


@cache
def script_for(shell: str) -> str:
    """What `completion` prints; it reads the options of all tools for that."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(["completion", shell]) == 0
    return printed.getvalue()


@pytest.fixture
def complete(tmp_path: Path) -> Complete:
    """`complete("dicomwire", "ec")`: what bash offers."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    script = tmp_path / "script"
    script.write_text(script_for("bash"))

    def press(*words: str) -> set[str]:
        command = [bash, "--norc", "-c", PRESS, "bash", str(script), *words]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert ran.stderr == ""
        return set(ran.stdout.split())

    return press


def test_bash_completes_tools(complete: Complete) -> None:
    assert complete("dicomwire", "") >= set(TOOLS)
    assert complete("dicomwire", "echo") == {"echoscu", "echoscp"}


@pytest.mark.parametrize("name", [name for name in TOOLS if name != "completion"])
def test_bash_completes_the_options_of_every_tool(complete: Complete, name: str) -> None:
    assert "--verbose" in complete("dicomwire", name, "--ver")


def test_bash_completes_options_of_one_tool(complete: Complete) -> None:
    assert complete("dicomwire", "storescu", "--rec") == {"--recurse"}
    assert complete("dicomwire", "echoscu", "--rec") == set()
    assert complete("dicomwire", "findscu", "-ae") == {"-aec", "-aet"}
    assert complete("dicomwire", "echoscu", "--enable") >= {"--enable-tls"}  # +tls


def test_bash_does_not_complete_what_cannot_be_honoured(complete: Complete) -> None:
    assert complete("dicomwire", "storescu", "--invent") == set()


def test_bash_completes_files_and_folders(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "one.dcm").touch()
    (tmp_path / "only").mkdir()
    assert complete("dicomwire", "findscu", "-f", "on") >= {"one.dcm"}
    assert complete("dicomwire", "storescp", "-od", "on") == {"only"}
    assert complete("dicomwire", "storescu", "host", "104", "on") >= {"one.dcm"}


def test_bash_completes_shells(complete: Complete) -> None:
    assert complete("dicomwire", "completion", "") >= set(SHELLS)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_knows_every_tool(tool: Tool, shell: str) -> None:
    run = tool("completion", shell)
    assert (run.code, run.lines) == (0, [])
    for name in TOOLS:
        assert name in run.out
    assert "calling-aet" in run.out


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_can_be_read_by_its_shell(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    script = tmp_path / "script"
    script.write_text(script_for(shell))
    ran = subprocess.run([program, "-n", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_word_of_the_script_stands_for_one_option() -> None:
    commands = next(each for each in all_tools({}, {})._actions if each.choices)
    assert commands.choices is not None
    movescu = commands.choices["movescu"]  # type: ignore[call-overload]
    spelled = [each for action in movescu._actions for each in action.option_strings]
    assert "-P" in spelled
    assert "+P" not in spelled  # its long name completes
    assert "--port" in spelled


@pytest.mark.parametrize("argv", [[], ["tcsh"]])
def test_wrong_use(tool: Tool, argv: list[str]) -> None:
    run = tool("completion", *argv)
    assert (run.code, len(run.lines), run.out) == (2, 1, "")


def test_without_shtab_it_says_what_to_install(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    run = tool("completion", "bash")
    assert run.code == 2
    assert run.lines == ["E: scripts are made with shtab: type pip install 'dicomwire[cli]'"]
