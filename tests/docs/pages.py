"""A page of the documentation into its blocks, and the blocks into runs whose output is compared.

How a page is read: a block with a title is a file of that name. A `console` block is a transcript:
what follows `$ ` is typed, the lines after it are what has to come, `...` standing for anything;
a line that ends in `&` runs beside the others until the page ends. A cell of a table that begins
with `$ ` is typed too, and has to end well. A `python` block without a title is run in the one
interpreter of its page, and a `text` block right after it is what it prints.
The ports 11112 to 11119 stand for free ones, so that pages run beside each other.
"""

from __future__ import annotations

import doctest
import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tests.peers import LOOPBACK, Serving

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
LONGEST = 60.0  # seconds that a line may take
PORTS = range(20000, 32000)  # below those that systems give to who connects

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?.*$")
_ASIDE = re.compile(r"^ *<!-- (?P<kind>not run|peer): (?P<text>.*) -->$")
_PORT = re.compile(r"(?<![\w.])1111[2-9](?![\w.]\w)")
_SERVED = re.compile(
    r"(?:(?:start_server|aio\.serve)\([^)]*?|\"DicomPort\": )(1111[2-9])", re.DOTALL
)
_CELL = re.compile(r"`\$ ([^`]+)`")
_CHECK = doctest.OutputChecker().check_output

# Runs blocks of Python that come as lines of JSON; answers each with what it printed.
_INTERPRETER = """
import contextlib, io, json, sys, traceback
names, lines = {"__name__": "__main__"}, sys.stdin
for line in lines:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            exec(compile(json.loads(line), "<page>", "exec"), names)
        except BaseException:
            traceback.print_exc()
    print(json.dumps(said.getvalue()), flush=True)
"""


class Block(NamedTuple):
    """A fenced block of a page, with the number of its first line."""

    language: str
    title: str
    text: str
    line: int
    not_run: str
    """The reason that the page gives for leaving it out."""
    follows: bool
    """Whether only empty lines are between it and the block before."""


class Typed(NamedTuple):
    """A line of a transcript, and what has to come after it."""

    command: str
    output: str


class Page:
    """A page.

    Parameters
    ----------
    path : Path
        Its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(TOP).as_posix()
        self._lines = path.read_text(encoding="utf-8").splitlines()

    @cached_property
    def peers(self) -> list[str]:
        """The programs of others that the page uses."""
        found = [_ASIDE.match(line) for line in self._lines]
        return [name for each in found if each and each["kind"] == "peer"
                for name in each["text"].split()]  # fmt: skip

    @cached_property
    def blocks(self) -> list[Block]:
        """Its fenced blocks, in their order."""
        return list(self._read())

    def _read(self) -> Iterator[Block]:
        opened: re.Match[str] | None = None
        inside: list[str] = []
        start, not_run, empty = 0, "", False
        for number, line in enumerate(self._lines, 1):
            fence = _FENCE.match(line)
            if opened is not None:
                if line.strip() != "```":
                    inside.append(line.removeprefix(opened["indent"]))
                    continue
                text = "".join(f"{each}\n" for each in inside)
                yield Block(opened["language"], opened["title"] or "", text, start, not_run, empty)
                opened, inside, not_run, empty = None, [], "", True
            elif fence:
                opened, start = fence, number
            elif line.startswith("| ") and (cells := _CELL.findall(line)):
                text = "".join(f"$ {each}\n...\n" for each in cells)
                yield Block("console", "", text, number, "", False)
            elif line.strip():
                aside = _ASIDE.match(line)
                not_run = aside["text"] if aside and aside["kind"] == "not run" else ""
                empty = False
        assert opened is None, f"{self.name}:{start}: the block does not end"

    def faults(self) -> list[str]:
        """What of the page would never be run, a line each."""
        found, typed = [], ""
        for block in reversed(self.blocks):
            where = f"{self.name}:{block.line}"
            if block.not_run:
                continue
            if block.language == "console":
                typed += block.text
            elif block.title.endswith(".py") and block.title not in typed:
                found.append(f"{where}: no line of the page runs {block.title}")
            elif block.language not in ("python", "text", "toml") and not block.title:
                found.append(f"{where}: '{block.language}' is neither python, console nor text")
        return found[::-1]


def transcript(text: str) -> list[Typed]:
    """Return what is typed in a `console` block, with what has to come."""
    found: list[Typed] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Typed(line[2:], ""))
        elif found and found[-1].command.endswith("\\"):
            found[-1] = Typed(f"{found[-1].command}\n{line.removeprefix('>')}", "")
        else:
            assert found, f"a transcript begins with '$ ', not with {line!r}"
            found[-1] = found[-1]._replace(output=f"{found[-1].output}{line}\n")
    return found


class Reader:
    """Somebody who does what a page says, in a folder of their own.

    Parameters
    ----------
    page : Page
        What to do.
    folder : Path
        Where to do it; has to be empty.
    programs : sequence of Path
        Programs of others that are found first.
    """

    def __init__(self, page: Page, folder: Path, programs: Sequence[str] = ()) -> None:
        self._page, self._folder, self._desk = page, folder / "here", folder / "desk"
        self._folder.mkdir()
        self._desk.mkdir()
        self._ends = ExitStack()
        self._interpreter: subprocess.Popen[str] | None = None
        self._ports = {port: _free_port() for port in self._mentioned()}
        self._environment = self._equip(programs)

    def _mentioned(self) -> list[str]:
        return sorted({port for each in self._page.blocks for port in _PORT.findall(each.text)})

    def _equip(self, programs: Sequence[str]) -> dict[str, str]:
        """Put `python`, `dicomwire` and the peers' programs on the path."""
        own = {"python": shlex.quote(sys.executable)}
        own["dicomwire"] = f"{own['python']} -m dicomwire"
        own.update({Path(path).name: shlex.quote(path) for path in programs})
        for name, what in own.items():
            script = self._desk / name
            script.write_text(f'#!/bin/sh\nexec {what} "$@"\n')
            script.chmod(0o755)
        path = os.pathsep.join([str(self._desk), *os.get_exec_path()])
        search = os.pathsep.join([str(TOP / "src"), os.environ.get("PYTHONPATH", "")])
        return {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": search.rstrip(os.pathsep),
            "PYTHONUNBUFFERED": "1",
            "TCP_NODELAY": "1",
        }

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def run(self) -> None:
        """Do what the page says; fail where something else comes than it shows."""
        blocks = self._page.blocks
        for block, after in zip(blocks, [*blocks[1:], None], strict=True):
            where = f"{self._page.name}:{block.line}"
            if block.not_run:
                continue
            if block.title:
                self._folder.joinpath(block.title).write_text(self._here(block.text))
            elif block.language == "console":
                for typed in transcript(block.text):
                    self._type(typed, where)
            elif block.language == "python":
                shown = after.text if after and after.follows and after.language == "text" else ""
                _compare(shown, self._shown(self._interpret(self._here(block.text))), where)

    def _here(self, text: str) -> str:
        """Put the ports that are free in the place of those that the page names."""
        return _PORT.sub(lambda found: self._ports[found.group()], text)

    def _shown(self, text: str) -> str:
        """Put the page's ports back, for the comparison."""
        for shown, real in self._ports.items():
            text = re.sub(rf"(?<!\d){real}(?!\d)", shown, text)
        return text

    def _type(self, typed: Typed, where: str) -> None:
        if typed.command.endswith("&"):
            self._serve(typed.command[:-1].strip())
            return
        done = subprocess.run(
            ["bash", "-c", self._here(typed.command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LONGEST,
            cwd=self._folder,
            env=self._environment,
            check=False,
        )
        said = self._shown(done.stdout)
        assert done.returncode == 0, f"{where}: {typed.command}: {done.returncode}\n{said}"
        _compare(typed.output, said, f"{where}: {typed.command}")

    def _serve(self, command: str) -> None:
        """Start what runs beside the others, and wait until it listens."""
        ports = _PORT.findall(command)
        for word in shlex.split(command):
            path = self._folder / word
            if path.suffix in (".py", ".json") and path.exists():
                ports += _SERVED.findall(self._shown(path.read_text()))
        log = self._desk / f"{len(list(self._desk.iterdir()))}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {self._here(command)}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment,
            )
        server = Serving(process, 0, log)
        self._ends.callback(server.stop)
        assert ports, f"{command}: on which port?"
        for port in ports:
            assert server.listens(int(self._ports[port])), f"{command} ended:\n{server.output}"

    def _interpret(self, code: str) -> str:
        if self._interpreter is None:
            self._interpreter = self._ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _INTERPRETER],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=self._folder,
                    env=self._environment,
                )
            )
            self._ends.callback(self._interpreter.kill)
        assert self._interpreter.stdin is not None
        assert self._interpreter.stdout is not None
        self._interpreter.stdin.write(json.dumps(code) + "\n")
        self._interpreter.stdin.flush()
        return str(json.loads(self._interpreter.stdout.readline()))


def _free_port() -> str:
    """Return a port that nobody listens on, and that no connection takes meanwhile."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as sock:
            try:
                sock.bind((LOOPBACK, port))
            except OSError:
                continue
            return str(port)
    raise AssertionError("there is no free port")


def _compare(shown: str, said: str, where: str) -> None:
    """Fail when what a page shows is not what came."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert _CHECK(shown, said, flags), f"{where}\n-- the page shows:\n{shown}-- came:\n{said}"


def pages() -> list[Page]:
    """Return all pages."""
    return [Page(path) for path in [TOP / "README.md", *sorted(DOCS.rglob("*.md"))]]
