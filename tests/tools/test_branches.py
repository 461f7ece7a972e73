"""What coverage.py has measured into shares, and whether that is enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import Coverage

from tools import branches


def report(**files: tuple[int, int]) -> dict[str, object]:
    rows = {
        f"src/dicomwire/{name.replace('_', '/')}.py": {
            "summary": {"covered_branches": reached, "num_branches": there}
        }
        for name, (reached, there) in files.items()
    }
    return {"files": rows}


def test_a_room_is_all_its_files() -> None:
    found = branches.shares(
        report(protocol_pdus=(3, 4), protocol_items=(5, 6), services_scp=(1, 2)),
        ("protocol", "archive"),
    )
    assert found == {"protocol": (8, 10), "archive": (0, 0)}


@pytest.mark.parametrize(("bar", "code"), [(50, 0), (51, 1)])
def test_less_than_the_bar_is_a_failure(
    bar: float, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "protocol" / "half.py"
    source.parent.mkdir()
    source.write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    coverage = Coverage(data_file=str(tmp_path / "data"), branch=True, config_file=False)
    data = coverage.get_data()
    data.add_arcs({str(source): [(-1, 1), (1, -1), (-1, 2), (2, 3), (3, -1)]})
    assert branches.show(coverage, ("protocol",), bar) == code
    assert f"1 of 2 branches, 50.0 %; at least {bar} %" in capsys.readouterr().out
