"""Links of pages to files of the checkout into plain names on the site, where the files are not.

On the forge such a link opens the file. A link to a file that is not there is an error.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[1]
DOCS = TOP / "docs"

log = logging.getLogger("mkdocs.hooks.links")
_LINK = re.compile(r"\[(?P<text>[^\]\n]+)\]\((?P<target>[^)#\s:]+)\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page; called by MkDocs for each."""
    here = (DOCS / page.file.src_uri).parent

    def plain(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(here / link["target"]))
        if target.is_relative_to(DOCS):
            return link.group()
        if not target.exists():
            log.warning("%s links to %s, which is not there", page.file.src_uri, link["target"])
        return f"`{link['text']}`"

    return _LINK.sub(plain, markdown)
