"""The documentation site: it builds without a warning, and nothing in it comes from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import TOP

# What a browser fetches by itself, as opposed to what a reader follows.
_FETCHED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"(https?:[^\"]+)\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=TOP,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    found = {
        path.relative_to(site).as_posix(): _FETCHED.findall(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
    }
    assert found
    assert {name: urls for name, urls in found.items() if urls} == {}


def test_every_page_of_the_api_reference_has_members(site: Path) -> None:
    pages = [path for path in site.joinpath("api").glob("*.html") if path.name != "index.html"]
    assert pages
    assert [path.name for path in pages if "doc-heading" not in path.read_text()] == []
