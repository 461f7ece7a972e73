"""The front door: which tools there are, and that a tool brings only what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from dicomwire._version import __version__
from dicomwire.apps.main import TOOLS
from tests.apps.conftest import Peer, Tool


@pytest.mark.no_socket
def test_alone_it_lists_the_tools(tool: Tool) -> None:
    run = tool()
    assert run.code == 0
    assert run.lines == []
    for name in TOOLS:
        assert f"  {name} " in run.out


@pytest.mark.no_socket
@pytest.mark.parametrize("argument", ["--help", "-h", "--help-all", "help"])
def test_help_is_the_same_list(tool: Tool, argument: str) -> None:
    assert tool(argument) == tool()


@pytest.mark.no_socket
def test_the_version(tool: Tool) -> None:
    assert tool("--version") == (0, f"dicomwire {__version__}\n", [])


@pytest.mark.no_socket
def test_an_unknown_tool_is_told_what_exists(tool: Tool) -> None:
    run = tool("storescy", "127.0.0.1", "104")
    assert run.code == 2
    assert run.lines == [f"E: there is no tool 'storescy', but {', '.join(TOOLS)}"]


@pytest.mark.no_socket
def test_python_m_is_the_same() -> None:
    command = [sys.executable, "-m", "dicomwire", "echoscu", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == f"echoscu (dicomwire) {__version__}\n"


KEPT = "import gc, sys; from dicomwire.apps.main import main; main({}); "
KEPT += "print(gc.isenabled(), gc.get_freeze_count() > 10_000)"


@pytest.mark.no_socket
@pytest.mark.parametrize(("argv", "kept"), [("None", "True"), ("sys.argv[1:]", "False")])
def test_no_garbage_is_looked_for_in_what_a_process_of_ours_imports(argv: str, kept: str) -> None:
    command = [sys.executable, "-c", KEPT.format(argv), "echoscu", "--version"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == f"True {kept}"


SHOW_IMPORTS = """
import sys
from dicomwire.apps.main import main
code = main(sys.argv[1:])
print(code, *sys.modules)
"""


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("argv", "code", "others"),
    [
        (["echoscu", "-q", "127.0.0.1", "1"], "1", ["storescu", "storescp", "echoscp", "demo"]),
        (["storescu", "-q", "127.0.0.1", "1", __file__], "3", ["storescp", "echoscp", "demo"]),
        (["storescp", "--version"], "0", ["storescu", "echoscu", "demo"]),
        (
            ["storescp", "-q", "--ignore", "-ba", "192.0.2.1", "1"],
            "5",
            ["storescu", "echoscu", "demo"],
        ),
    ],
)
def test_a_tool_imports_neither_other_tools_nor_rich_nor_pydicom(
    argv: list[str], code: str, others: list[str]
) -> None:
    command = [sys.executable, "-c", SHOW_IMPORTS, *argv]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    ended, *modules = ran.stdout.splitlines()[-1].split()
    assert ended == code
    assert not {f"dicomwire.apps.{name}" for name in others} & set(modules)
    assert not [name for name in modules if name.split(".")[0] in ("rich", "pydicom")]


def test_an_echo_loads_only_what_it_needs(peer: Callable[..., Peer]) -> None:
    # half of the time that the tool takes is imports: what is asserted here is how long it takes
    argv = ["echoscu", "-q", *peer().address]
    command = [sys.executable, "-c", SHOW_IMPORTS, *argv]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    ended, *modules = ran.stdout.split()
    assert ended == "0"
    others = {"pydicom", "numpy", "rich", "shtab", "cryptography", "asyncio", "tempfile", "json"}
    others |= {"ssl", "socketserver", "hashlib"}  # what was not asked for
    others |= {"dataclasses", "inspect"}  # see protocol/fields.py
    assert others & {name.partition(".")[0] for name in modules} == set()
    ours = {name.removeprefix("dicomwire.") for name in modules if name.startswith("dicomwire.")}
    assert ours & {"dataset.convert", "services.retrieve", "network.turns"} == set()
    assert not [name for name in ours if name.startswith(("archive.", "compat."))]
    assert "encodings.idna" not in modules
    assert len(ours) <= 100
