"""Files of settings and peers: what they say, and the line for each way to write one wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwire.apps.options import WrongUse, flag, number, option, seconds
from dicomwire.apps.settings import Peer, read_settings

pytestmark = pytest.mark.no_socket

ROWS = (
    option("--title", "", dest="title"),
    option("--number", "", type=number(1, 9), dest="number"),
    option("--wait", "", type=seconds, dest="wait"),
    flag("--strict", "", dest="strict"),
)
ONE = '[[peer]]\ntitle = "A"\nhost = "h"\nport = 104\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.toml"


def test_settings_and_peers(path: Path) -> None:
    path.write_text(
        'title = "X"\nnumber = 7\nwait = 0\nstrict = true\n'
        + ONE
        + '[[peer]]\ntitle = " B 2 "\nhost = "::1"\nport = "11112"\ntls = true\n'
    )
    found = read_settings(path, ROWS)
    assert found.values == {"title": "X", "number": 7, "wait": None, "strict": True}
    assert found.peers == (Peer("A", "h", 104), Peer("B 2", "::1", 11112, True))


def test_an_empty_file_says_nothing(path: Path) -> None:
    path.touch()
    assert read_settings(path, ROWS) == ({}, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[DEFAULT\n", "is no TOML: "),
        ("title: X\n", 'write key = "text" or key = number, and [[peer]] before each peer'),
        ("colour = 1\n", "colour: there is no such setting; give title, number, wait, strict or"),
        ("number = 10\n", "number: '10' is not a whole number from 1 to 9"),
        ("number = true\n", "number: True is neither a text nor a number"),
        ("number = [1]\n", "number: [1] is neither a text nor a number"),
        ('strict = "yes"\n', "strict: 'yes' is neither true nor false"),
        ("[peer]\n", "peer: write [[peer]], with double brackets, before each peer"),
        ("peer = [1]\n", "peer: write [[peer]], with double brackets, before each peer"),
        ("[[peer]]\n", 'peer 1: title is missing: add title = "WORKSTATION"'),
        ('[[peer]]\ntitle = "A"\nport = 1', 'peer 1: host is missing: add host = "192.0.2.20"'),
        ('[[peer]]\ntitle = "A"\nhost = "h"', "peer 1: port is missing: add port = 11112"),
        (
            ONE + "aet = 1",
            "aet: there is no such key; give title, host, port, tls, networks",
        ),
        (ONE + ONE.replace("104", "0"), "peer 2: port: '0' is not a whole number from 1 to 65535"),
        (ONE.replace('"A"', '"seventeen letters"'), "peer 1: title: 'seventeen letters' is no AE"),
        (ONE.replace('"h"', '""'), "peer 1: host: '' is no host name or address"),
        (ONE + "tls = 1", "peer 1: tls: 1 is neither true nor false"),
        (ONE + ONE.replace('"A"', '"A "'), "peer 2: title: A is there already"),
    ],
)
def test_what_is_wrong_is_a_line_with_the_file_and_the_key(
    path: Path, text: str, said: str
) -> None:
    path.write_text(text)
    with pytest.raises(WrongUse) as raised:
        read_settings(path, ROWS)
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(WrongUse, match="is no TOML"):
        read_settings(path, ROWS)


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(WrongUse, match="cannot be read: No such file"):
        read_settings(path, ROWS)
