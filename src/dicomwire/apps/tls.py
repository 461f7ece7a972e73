"""`dicomwire tls`: a folder into keys and certificates of a test CA, and how to use them."""

from __future__ import annotations

import argparse
import os
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import ToolParser, WrongUse, flag, number, option
from dicomwire.apps.output import conclusion, log
from dicomwire.apps.receiving import writable
from dicomwire.apps.running import run

if TYPE_CHECKING:
    from dicomwire.apps.certificates import Pem

HERE = ("localhost", "127.0.0.1", "::1")
PORT = 11112

_WHAT = (
    option("folder", "folder to write to, made when missing", common=True),
    option(
        "--host",
        "a name or address besides this machine's; may be repeated",
        common=True,
        action="append",
        default=[],
        metavar="NAME",
        dest="hosts",
    ),
    option(
        "--days",
        "how long the certificates are valid (default: 90)",
        common=True,
        type=number(1, 3650),
        default=90,
        metavar="N",
    ),
    flag("--replace", "replace files that are there already", common=True),
)


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "tls",
        "[options] folder",
        "Makes a TEST certificate authority, and keys and certificates for two ends.",
        "certificates --host pacs.example --host 192.0.2.10",
    )
    parser.add_options("What", _WHAT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Make the files, and print two lines to be pasted."""
    made = _made([*args.hosts, *HERE, socket.gethostname()], args.days)
    folder = writable(Path(args.folder), "another folder")
    if folder is None:
        return Exit.NOT_HERE
    there = [pem.name for pem in made if (folder / pem.name).exists()]
    if there and not args.replace:
        raise WrongUse(f"{folder} has {', '.join(there)}: give another folder, or --replace")
    try:
        for pem in made:
            write(folder / pem.name, pem.content, 0o600 if pem.is_secret else 0o644)
    except OSError as error:
        log.error("%s cannot be written: %s", error.filename, error.strerror)
        return Exit.NOT_HERE
    conclusion.info("%d files in %s, valid for %d days", len(made), folder, args.days)
    conclusion.warning("FOR TESTS ONLY: never let these certificates protect patients' data")
    print("\n".join(commands(folder, args.hosts[0] if args.hosts else HERE[0])))
    return Exit.DONE


def _made(hosts: Sequence[str], days: int) -> list[Pem]:
    try:
        from dicomwire.apps.certificates import certificates
    except ImportError:
        raise WrongUse(
            "certificates are made with cryptography: type pip install 'dicomwire[tls]'"
        ) from None
    try:
        return certificates(hosts, days)
    except ValueError as error:
        raise WrongUse(
            f"--host {error} is no name and no address, as in --host 192.0.2.10"
        ) from None


def write(path: Path, content: bytes, mode: int) -> None:
    """Write a new file, which nobody could read before who may not afterwards.

    Parameters
    ----------
    path : Path
        Where; what is there goes.
    content : bytes
        All of it.
    mode : int
        Its permissions.

    Raises
    ------
    OSError
    """
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(content)


def commands(folder: Path, host: str) -> list[str]:
    """Return the lines of a first echo over TLS: for one terminal and for another."""

    def options(end: str) -> str:
        papers = folder / f"{end}.key", folder / f"{end}.pem", folder / "ca.pem"
        return "+tls {} {} +cf {}".format(*(shlex.quote(str(each)) for each in papers))

    return [
        f"dicomwire echoscp -v {options('scp')} {PORT}",
        f"dicomwire echoscu -v {options('scu')} --check-hostname {shlex.quote(host)} {PORT}",
    ]
