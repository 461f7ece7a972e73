"""The conformance page: its rows, its cells, and what it does not take."""

from __future__ import annotations

import pytest

from tools.collected import are_all
from tools.generate_conformance import APIS, PEERS, ROLES, TARGET, Mark, marks_of, page

ECHO = Mark("C-ECHO", "SCU", "DCMTK", "tests/peers/test_a.py", "test_echo")
LINK = "(../tests/peers/test_a.py)"


def test_the_page_is_fresh(every_item: list[pytest.Item]) -> None:
    fresh = page(marks_of(every_item)) == TARGET.read_text(encoding="utf-8")
    assert fresh, "run python -m tools.generate_conformance"


def test_a_run_of_one_file_knows_that_it_has_not_all(request: pytest.FixtureRequest) -> None:
    assert not are_all([request.node])


def cells(text: str, service: str) -> dict[str, str]:
    """The cells of a service's row, by column."""
    (line,) = [each for each in text.splitlines() if each.startswith(f"| {service} |")]
    row = [cell.strip() for cell in line.split("|")[2:-1]]
    return dict(zip((*ROLES, *APIS, *PEERS), row, strict=True))


def test_a_test_is_named_in_its_cells_and_the_others_are_empty() -> None:
    text = page([ECHO, ECHO._replace(test="test_again"), ECHO._replace(role="SCP", test="test_x")])
    assert cells(text, "C-ECHO") == {
        "SCU": f"[again]{LINK}",
        "SCP": f"[x]{LINK}",
        "threaded": f"[x]{LINK}",
        "asyncio": "",
        "DCMTK": f"SCU: [again]{LINK}, [echo]{LINK}<br>SCP: [x]{LINK}",
        "Orthanc": "",
        "pynetdicom": "",
    }
    assert set(cells(text, "C-FIND").values()) == {""}


def test_the_asyncio_api_has_a_column_of_its_own() -> None:
    found = cells(page([ECHO._replace(api="asyncio")]), "C-ECHO")
    assert (found["threaded"], found["asyncio"]) == ("", f"[echo]{LINK}")


def test_a_service_over_tls_has_a_row_once_it_is_tested() -> None:
    assert "over TLS" not in page([ECHO])
    text = page([ECHO._replace(service="C-FIND over TLS", peer="Orthanc")])
    assert cells(text, "C-FIND over TLS")["Orthanc"].startswith("SCU: [echo]")


def test_what_a_peer_lacks_is_said_and_cannot_be_tested() -> None:
    assert cells(page([ECHO]), "C-GET")["Orthanc"] == "SCP: *does not ask for it*"
    with pytest.raises(ValueError, match="Orthanc is said to lack it"):
        page([ECHO._replace(service="C-GET", role="SCP", peer="Orthanc")])


@pytest.mark.parametrize(
    "other", [{"service": "C-EHCO"}, {"role": "scu"}, {"peer": "dcmtk"}, {"api": "trio"}]
)
def test_a_mark_without_a_cell_is_a_mistake(other: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="test_echo: no cell for"):
        page([ECHO._replace(**other)])
