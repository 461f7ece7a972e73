"""dump and make beside DCMTK's dcmdump and dump2dcm, over the files that pydicom ships."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomwire.apps.main import main
from tests.apps.test_make import QUERY, WHOLE, contents
from tests.dataset.samples import TEST_FILES
from tests.peers import RUN, run_well

pytestmark = pytest.mark.filterwarnings("ignore")

Program = Callable[[str], str]
Ours = Callable[..., str]
# dcmdump shows, and dump2dcm reads, floating-point numbers with less digits than they have
ROUNDED_THERE = {"examples_palette.dcm"}
ROUNDED_HERE = {
    *("JPEG-lossy.dcm", "JPEG2000.dcm", "JPEG2000-embedded-sequence-delimiter.dcm"),
    *("JPGExtended.dcm", "examples_palette.dcm"),
}
# dump2dcm takes text as it is, and ours is UTF-8 on one line
NOT_ASCII = {"examples_overlay.dcm", "test-SR.dcm", "examples_ybr_color.dcm"}
REFUSED = {"SC_rgb_jpeg_gdcm.dcm"}  # its transfer syntax ends with a space
LINE = re.compile(r"\s*\((....),(....)\) (..) .* # *(\d+|u/l), ?(\d+) ")
# Counts of values: where there is none, in UN, and in text of which dcmdump shows several lines
COUNTED_DIFFERENTLY = {"rtdose_rle.dcm", "rtdose_rle_1frame.dcm"}
COUNTED_DIFFERENTLY |= {"examples_ybr_color.dcm", "test-SR.dcm"}
COUNTED_DIFFERENTLY |= {"priv_SQ.dcm", "reportsi_with_empty_number_tags.dcm"}


@pytest.fixture
def ours(capsys: pytest.CaptureFixture[str]) -> Ours:
    """`ours("dump", path)`: run a tool in this process; what it printed."""

    def go(*arguments: str | Path) -> str:
        assert main([str(each) for each in arguments]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        return said.out

    return go


def but(names: set[str]) -> list[str]:
    """The files of which neither side says that they are damaged, without some."""
    return [name for name in WHOLE if name not in names]


def dcmdump(peer_program: Program, *arguments: str | Path) -> bytes:
    """What dcmdump shows, byte for byte."""
    command = [peer_program("dcmdump"), "-q", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=RUN).stdout


@pytest.mark.parametrize("name", but(ROUNDED_THERE))
def test_what_dcmdump_shows_makes_the_same_data_set(
    peer_program: Program, ours: Ours, tmp_path: Path, name: str
) -> None:
    (tmp_path / "x.txt").write_bytes(dcmdump(peer_program, "+L", TEST_FILES / name))
    ours("make", tmp_path / "x.txt", tmp_path / "x.dcm")
    assert contents(tmp_path / "x.dcm") == contents(TEST_FILES / name)


@pytest.mark.parametrize("name", but(ROUNDED_HERE | NOT_ASCII | REFUSED))
def test_dump2dcm_makes_the_same_data_set_of_what_we_show(
    peer_program: Program, ours: Ours, tmp_path: Path, name: str
) -> None:
    (tmp_path / "x.txt").write_text(ours("dump", "+L", TEST_FILES / name))
    longest = str(1 << 24)
    made = tmp_path / "x.dcm"
    run_well([peer_program("dump2dcm"), "+l", longest, tmp_path / "x.txt", made])
    assert contents(made) == contents(TEST_FILES / name)


@pytest.mark.parametrize("name", but(COUNTED_DIFFERENTLY))
def test_lines_are_about_the_same_as_dcmdumps(peer_program: Program, ours: Ours, name: str) -> None:
    shown = ours("dump", TEST_FILES / name)
    theirs = dcmdump(peer_program, TEST_FILES / name).decode("latin-1")
    found = [[LINE.match(line) for line in text.split("\n")] for text in (shown, theirs)]
    mine, other = ([each.groups() for each in lines if each] for lines in found)
    assert len(mine) > 5
    assert mine == other


def test_dump2dcm_makes_the_same_query(peer_program: Program, ours: Ours, tmp_path: Path) -> None:
    text = QUERY.replace("Ä", "A").replace("CS CT", "CS [CT]").replace("(0010,0020)\n", "")
    (tmp_path / "q.txt").write_text(text)
    ours("make", tmp_path / "q.txt", tmp_path / "ours.dcm")
    run_well([peer_program("dump2dcm"), tmp_path / "q.txt", tmp_path / "theirs.dcm"])
    assert contents(tmp_path / "ours.dcm") == contents(tmp_path / "theirs.dcm")
