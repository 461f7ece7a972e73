"""Rows of src/dicomwire into the tables of the documentation that repeat them.

`python -m tools.generate_docs` writes what stands between `<!-- rows: name -->` and
`<!-- /rows -->` of each page; with `--check` it exits 1 when a page is not what it would write.
What the rows do not say is said by `docs_events`, `docs_advice` and the other files of that kind.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tools import docs_advice, docs_events, docs_faults, docs_statement

DOCS = Path(__file__).parents[1] / "docs"
TABLES: dict[str, Callable[[], str]] = {
    **docs_events.TABLES,
    **docs_advice.TABLES,
    **docs_statement.TABLES,
    **docs_faults.TABLES,
}

_REGION = re.compile(r"(<!-- rows: ([\w-]+) -->\n).*?(<!-- /rows -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with its tables.

    Raises
    ------
    KeyError
        When it wants one that there is not.
    """
    return _REGION.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", page)


def main(arguments: list[str], folder: Path = DOCS) -> int:
    """Write the pages, or with ``--check`` compare them; return the exit code."""
    stale = []
    for path in sorted(folder.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        wanted = filled(page)
        if page == wanted:
            continue
        if "--check" in arguments:
            stale.append(path)
        else:
            path.write_text(wanted, encoding="utf-8", newline="\n")
    for path in stale:
        print(f"{path.name} is stale: run python -m tools.generate_docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
