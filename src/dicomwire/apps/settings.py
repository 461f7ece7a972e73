"""A TOML file into the settings in it, under the names of options, and the peers that it names."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dicomwire.apps.options import Option, WrongUse, ae_title, flag, networks, number, option


class Peer(NamedTuple):
    """A peer that a file names.

    Parameters
    ----------
    title : str
        Its AE title.
    host : str
        Its host name or address.
    port : int
        Its TCP port.
    tls : bool
        Whether it is spoken to with TLS.
    networks : tuple of str
        Where alone it may call from; empty is anywhere.
    """

    title: str
    host: str
    port: int
    tls: bool = False
    networks: tuple[str, ...] = ()


class Settings(NamedTuple):
    """What a file says.

    Parameters
    ----------
    values : dict
        Settings by name, checked as those of the command line are.
    peers : tuple of Peer
        The peers, in their order.
    """

    values: dict[str, Any]
    peers: tuple[Peer, ...]


def host(text: str) -> str:
    """Check a host name or address, which cannot be empty."""
    if not text or text.strip() != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no host name or address")
    return text


_PEER = {
    "title": option("title", 'add title = "WORKSTATION"', type=ae_title),
    "host": option("host", 'add host = "192.0.2.20"', type=host),
    "port": option("port", "add port = 11112", type=number(1, 65535)),
    "tls": flag("tls", ""),
    "networks": option("networks", "", type=networks),
}
"""The keys of a peer; what to type when one is missing."""


def read_settings(path: Path, rows: Iterable[Option]) -> Settings:
    """Read a file.

    Parameters
    ----------
    path : Path
        The file. What is not a table is a setting, each `[[peer]]` a peer.
    rows : iterable of Option
        The options that may be set in it, by their `dest`.

    Raises
    ------
    WrongUse
        In a line that names the file, the key, and what to type.
    """
    data = _load(path)
    peers = data.pop("peer", [])
    if not isinstance(peers, list) or not all(isinstance(each, dict) for each in peers):
        raise WrongUse(f"{path}: peer: write [[peer]], with double brackets, before each peer")
    known = {row.settings["dest"]: row for row in rows}
    for key in data:
        if key not in known:
            raise WrongUse(
                f"{path}: {key}: there is no such setting; give {_list(known)} or [[peer]]"
            )
    values = {key: _checked(f"{path}: {key}", known[key], value) for key, value in data.items()}
    return Settings(values, tuple(_peers(path, peers)))


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # of TOML, or of UTF-8
        advice = 'write key = "text" or key = number, and [[peer]] before each peer'
        raise WrongUse(f"{path} is no TOML: {error}; {advice}") from error


def _peers(path: Path, tables: Iterable[Mapping[str, Any]]) -> Iterable[Peer]:
    titles = set()
    for count, table in enumerate(tables, 1):
        where = f"{path}: peer {count}"
        for key in table:
            if key not in _PEER:
                raise WrongUse(f"{where}: {key}: there is no such key; give {_list(_PEER)}")
        for key in ("title", "host", "port"):
            if key not in table:
                raise WrongUse(f"{where}: {key} is missing: {_PEER[key].help}")
        peer = Peer(
            **{key: _checked(f"{where}: {key}", _PEER[key], value) for key, value in table.items()}
        )
        peer = peer._replace(title=peer.title.strip())  # PS3.5 6.2: spaces around do not count
        if peer.title in titles:
            raise WrongUse(f"{where}: title: {peer.title} is there already; give each title once")
        titles.add(peer.title)
        yield peer


def _checked(where: str, row: Option, value: Any) -> Any:
    if row.settings.get("action") == "store_true":
        if not isinstance(value, bool):
            raise WrongUse(f"{where}: {value!r} is neither true nor false")
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongUse(f"{where}: {value!r} is neither a text nor a number")
    try:
        return row.settings.get("type", str)(str(value))
    except argparse.ArgumentTypeError as error:
        raise WrongUse(f"{where}: {error}") from error


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
