"""The conformance page: its rows, its cells, and what it does not take."""

from __future__ import annotations

import pytest

from tools.generate_conformance import PEERS, Mark, page

ECHO = Mark("C-ECHO", "SCU", "DCMTK", "tests/peers/test_a.py", "test_echo")


def cells(text: str, service: str, role: str) -> list[str]:
    (line,) = [each for each in text.splitlines() if each.startswith(f"| {service} | {role} |")]
    return [cell.strip() for cell in line.split("|")[3:-1]]


def test_a_test_is_named_in_its_cell_and_the_others_are_empty() -> None:
    text = page([ECHO, ECHO._replace(test="test_again")])
    link = "(../tests/peers/test_a.py)"
    assert cells(text, "C-ECHO", "SCU") == [f"[again]{link}<br>[echo]{link}", "", ""]
    assert cells(text, "C-ECHO", "SCP") == cells(text, "C-FIND", "SCU") == [""] * len(PEERS)


def test_a_service_over_tls_has_a_row_once_it_is_tested() -> None:
    assert "over TLS" not in page([ECHO])
    text = page([ECHO._replace(service="C-FIND over TLS", peer="Orthanc")])
    assert cells(text, "C-FIND over TLS", "SCU")[1].startswith("[echo]")


def test_what_a_peer_lacks_is_said_and_cannot_be_tested() -> None:
    assert cells(page([ECHO]), "C-GET", "SCP") == ["", "*does not ask for it*", ""]
    with pytest.raises(ValueError, match="Orthanc is said to lack it"):
        page([ECHO._replace(service="C-GET", role="SCP", peer="Orthanc")])


@pytest.mark.parametrize("other", [{"service": "C-EHCO"}, {"role": "scu"}, {"peer": "dcmtk"}])
def test_a_mark_without_a_cell_is_a_mistake(other: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="test_echo: no cell for"):
        page([ECHO._replace(**other)])
