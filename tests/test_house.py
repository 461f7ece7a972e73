"""Turns the source tree into its import graph and proves the rooms' order on it."""

from __future__ import annotations

import ast
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
SOURCE = TOP / "src"
# From low to high. A file of src/dicomwire itself is a door: over all rooms but compat and apps.
ROOMS = """standard protocol dataset services network deid archive pipeline web
    DOOR compat apps""".split()
LEAVES = {"dicomwire._version"}  # import nothing, so anybody may import them
IMPURE = "socket threading time logging pydicom select selectors asyncio ssl"


def modules(source: Path) -> dict[str, Path]:
    """Every module below `source`: its dotted name and its file."""
    names = {path: path.relative_to(source).with_suffix("").parts for path in source.rglob("*.py")}
    return {".".join(p[:-1] if p[-1] == "__init__" else p): path for path, p in names.items()}


def room(name: str) -> str:
    """The room a module lives in; DOOR for the files at the top."""
    second = name.split(".")[1] if "." in name else ""
    return second if second in ROOMS else "DOOR"


def targets(name: str, path: Path) -> Iterator[str]:
    """Each dotted name the file mentions in an import, wherever in the file that import stands."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


@cache
def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_bytes(), str(path))


def graph(source: Path) -> dict[str, set[str]]:
    """Each module and what it imports: modules of ours by full name, others by their first name."""
    files = modules(source)

    def nearest(target: str) -> str:
        if target.split(".")[0] != "dicomwire":
            return target.split(".")[0]
        return target if target in files else target.rpartition(".")[0]  # a name inside a module

    return {name: {nearest(t) for t in targets(name, path)} for name, path in files.items()}


def faults(edges: dict[str, set[str]]) -> Iterator[str]:
    """What breaks the import rule, one line each."""
    for name, imported in sorted(edges.items()):
        here = ROOMS.index(room(name))
        ours = {t for t in imported if t.split(".")[0] == "dicomwire"}
        above = {t for t in ours - LEAVES if ROOMS.index(room(t)) > here}
        if room(name) == "DOOR" and name not in LEAVES:  # a door opens into every room but apps
            above = {t for t in above if room(t) == "apps" and name != "dicomwire.__main__"}
        yield from (f"{name} imports {t}, which is above it" for t in sorted(above))
        banned = {
            "standard": imported - ours - sys.stdlib_module_names,
            "protocol": imported & set(IMPURE.split()),
        }.get(room(name), imported if name in LEAVES else set())
        yield from (f"{name} imports {t}, which {room(name)} may not" for t in sorted(banned))
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        yield "circle: " + " <- ".join(error.args[1])


def test_every_file_imports_only_what_is_below_it() -> None:
    assert list(faults(graph(SOURCE))) == []


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("protocol/pdus.py", "import socket", "may not"),
        ("protocol/pdus.py", "from pydicom import uid", "may not"),
        ("protocol/pdus.py", "from ..network import ae", "above"),
        ("protocol/pdus.py", "def f():\n    import dicomwire.network.ae", "above"),
        ("protocol/pdus.py", "if TYPE_CHECKING:\n    from .state import S", "circle"),
        ("protocol/pdus.py", "from dicomwire import AE", "above"),
        ("standard/uids.py", "import numpy", "may not"),
        ("aio.py", "from .apps import main", "above"),
        ("_version.py", "import os", "may not"),
        ("aio.py", "from .compat import install", ""),
        ("compat/uid.py", "from ..aio import AE", ""),
        ("protocol/pdus.py", "from .._version import __version__", ""),
        ("__main__.py", "from .apps import main", ""),
    ],
)
def test_the_rule_sees_each_way_to_break_it(
    tmp_path: Path, file: str, line: str, fault: str
) -> None:
    empty = """__init__.py aio.py _version.py __main__.py network/ae.py compat/__init__.py
        compat/uid.py apps/main.py standard/uids.py protocol/pdus.py"""
    tree = {**dict.fromkeys(empty.split(), ""), "protocol/state.py": "from . import pdus"}
    for name, text in {**tree, file: line}.items():
        path = tmp_path / "dicomwire" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = list(faults(graph(tmp_path)))
    assert len(found) == bool(fault), found
    assert fault in "".join(found)


def test_every_file_begins_by_saying_what_it_is() -> None:
    files = [
        f
        for folder in ("src", "tests", "tools", "bench", "fuzz")
        for f in (TOP / folder).rglob("*.py")
    ]
    assert [str(f.relative_to(TOP)) for f in files if not begins_with_text(f)] == []


def begins_with_text(path: Path) -> bool:
    """Whether a text comes before any code. To parse all files takes a second."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in (tokenize.ENCODING, tokenize.COMMENT, tokenize.NL):
                return token.type == tokenize.STRING and bool(ast.literal_eval(token.string))
    return False
