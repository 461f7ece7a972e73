"""The table of results, with and without rich."""

from __future__ import annotations

import pytest

from dicomwire.apps import tables
from dicomwire.apps.tables import HEADINGS, Row, plain, show_table

pytestmark = pytest.mark.no_socket

ROWS = [
    Row(
        "a.dcm", "CT Image Storage", "Explicit VR Little Endian", "39,020", "0.9", "identical", True
    ),
    Row("b" * 60, "MR Image Storage", "RLE Lossless", "1", "12.5", "bad\x1b[31m", False),
]


def test_plain() -> None:
    headings, one, two = plain(ROWS)
    assert headings.split() == [word for heading in HEADINGS for word in heading.split()]
    assert one.split("  ")[0] == "a.dcm"
    assert two.startswith("b" * 43 + "…  MR Image Storage")
    assert two.endswith("12.5  bad\\x1b[31m")
    assert one.index("identical") == two.index("bad")


@pytest.mark.parametrize("installed", [True, False])
def test_shown(
    installed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not installed:
        monkeypatch.setattr(tables, "find_spec", lambda name: None)
    show_table(ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "CT Image Storage" in lines[1]
    assert lines[1].rstrip().endswith("identical")
    assert "\x1b" not in "".join(lines)
