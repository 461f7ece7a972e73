"""The documentation: everything that its pages tell their readers to type is typed here."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomwire.apps.main import TOOLS
from dicomwire.standard.uids import SOP_CLASSES
from tests.docs.pages import DOCS, TOP, Page, Reader, pages, transcript

PAGES = pages()
SOURCE = TOP / "src" / "dicomwire"


def _cases() -> list[object]:
    """Each page that has something to run; those that use programs of others are peer tests."""
    return [
        pytest.param(page, id=page.name, marks=[pytest.mark.peer] if page.peers else [])
        for page in PAGES
        if any(each.language in ("python", "console") for each in page.blocks)
    ]


@pytest.mark.box("17.1")
@pytest.mark.parametrize("page", _cases())
def test_a_page_does_what_it_says(
    page: Page, tmp_path: Path, peer_program: Callable[[str], str]
) -> None:
    programs = [peer_program(name) for name in page.peers]
    with Reader(page, tmp_path, programs) as reader:
        reader.run()


@pytest.mark.box("17.4")
@pytest.mark.no_socket
def test_every_service_tool_and_module_is_on_a_page() -> None:
    texts = {page.name: page.path.read_text(encoding="utf-8") for page in PAGES}
    statement, tools = texts["docs/conformance-statement.md"], texts["docs/tools.md"]
    for row in SOP_CLASSES:
        assert f"| `{row.uid}` |" in statement, row.name
    for name in TOOLS:
        assert f"| `dicomwire {name}` |" in tools, name
    reference = "".join(text for name, text in texts.items() if name.startswith("docs/api/"))
    doors = [f"dicomwire.{path.stem}" for path in SOURCE.glob("[a-z]*.py")]
    assert [name for name in doors if name not in reference] == []


@pytest.mark.no_socket
def test_nothing_that_a_page_shows_is_left_out() -> None:
    assert [fault for page in PAGES for fault in page.faults()] == []
    left_out = {page.name: [each.not_run for each in page.blocks if each.not_run] for page in PAGES}
    assert {name: reasons for name, reasons in left_out.items() if reasons} == {}


@pytest.mark.no_socket
def test_a_block_that_is_left_out_says_why(tmp_path: Path) -> None:
    text = "<!-- not run: needs a printer -->\n\n```console\n$ print\n```\n\n```sh\nls\n```\n"
    page = made(text, "left-out.md")
    assert [each.not_run for each in page.blocks] == ["needs a printer", ""]
    assert page.faults() == ["docs/left-out.md:7: 'sh' is neither python, console nor text"]


@pytest.mark.no_socket
def test_a_program_that_nobody_runs_is_a_fault() -> None:
    page = made('```python title="a.py"\nprint()\n```\n', "unused.md")
    assert page.faults() == ["docs/unused.md:1: no line of the page runs a.py"]


@pytest.mark.no_socket
def test_a_transcript_is_what_is_typed_and_what_comes() -> None:
    found = transcript("$ one \\\n>  two\nthree\n\n$ four\n")
    assert found == [("one \\\n  two", "three\n\n"), ("four", "")]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "came:\n1"),
        ("```python\nraise ValueError\n```\n", "came:\nTraceback"),
        ("```console\n$ echo 1\n2\n```\n", "came:\n1"),
        ("```console\n$ echo 1\n```\n", "came:\n1"),
        ("```console\n$ exit 3\n```\n", "exit 3: 3"),
    ],
)
def test_a_page_that_is_not_true_fails(text: str, fault: str, tmp_path: Path) -> None:
    with Reader(made(text, "untrue.md"), tmp_path) as reader, pytest.raises(AssertionError) as said:
        reader.run()
    assert fault in str(said.value)


@pytest.mark.no_socket
def test_blocks_of_a_page_follow_each_other(tmp_path: Path) -> None:
    text = """```text title="a.txt"
    one
    ```

    ```python
    number = len(open("a.txt").read())
    ```

    Words.

    ```python
    print(number)
    ```

    ```text
    4
    ```

    ```console
    $ cat a.txt
    one
    $ seq 3
    1
    ...
    $ echo 11112
    11112
    ```
    """.replace("\n    ", "\n")
    with Reader(made(text, "good.md"), tmp_path) as reader:
        reader.run()


def made(text: str, name: str) -> Page:
    """Return a page that has no file."""
    page = Page.__new__(Page)
    page.path, page.name = DOCS / name, f"docs/{name}"
    page._lines = text.splitlines()
    return page


def test_what_the_readme_installs_can_be_installed() -> None:
    (line,) = re.findall(r"^pip (install .*)$", (TOP / "README.md").read_text(), re.MULTILINE)
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--dry-run"]
    command = [sys.executable, "-m", "pip", *shlex.split(line), *offline]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=TOP, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "does not provide" not in ran.stderr  # an extra of another name
