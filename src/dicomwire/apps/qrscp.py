"""`dicomwire qrscp`: a folder and an index into an archive that stores, finds and sends."""

from __future__ import annotations

import argparse
import shlex
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dicomwire.apps.exits import Exit
from dicomwire.apps.options import (
    CONNECTION_TIMEOUT,
    Option,
    ToolParser,
    WrongUse,
    acceptor_options,
    anyway,
    flag,
    number,
    option,
    refused,
)
from dicomwire.apps.output import conclusion, log
from dicomwire.apps.receiving import FORMAT
from dicomwire.apps.requesting import entity
from dicomwire.apps.running import run
from dicomwire.apps.serving import serve
from dicomwire.apps.settings import Peer, Settings, read_settings
from dicomwire.apps.syntaxes import (
    PREFER_TO_RECEIVE,
    PROPOSE_AS_STORED,
    UNCOMPRESSED,
    supported,
)
from dicomwire.apps.tls_options import CHECK_HOSTNAME, SERVER, client_context
from dicomwire.archive.attributes import Level
from dicomwire.archive.files import InUse
from dicomwire.archive.node import GET, MODELS, Destination, Node, contexts
from dicomwire.archive.query import PATIENT_ROOT, PATIENT_STUDY_ONLY, STUDY_ROOT
from dicomwire.archive.schema import WrongDatabase
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.options import Options
from dicomwire.network.presentation import PresentationContext

TITLE, PORT = "QRSCP", 11112
USUAL_PEERS = (Peer("STORESCP", "127.0.0.1", 11113),)
"""Who is known when no file says so: `dicomwire movescu --store` on this machine."""
_OF_STORESCP = "an archive is none of that; try dicomwire storescp"
_ONLY_TO_PEERS = "objects are sent to the peers of the file that -c names, and to nobody else"


def _port(text: str) -> int | str:
    """Check a port; what stands for none stays, which argparse of 3.11 has checked like others."""
    return text if text is argparse.SUPPRESS else number(0, 65535)(text)


_WHERE: tuple[Option, ...] = (
    option(
        "port",
        f"TCP port to listen on, 0: any free one (default: {PORT})",
        common=True,
        type=_port,
        nargs="?",
        default=argparse.SUPPRESS,
    ),
    option("--port", "the same", type=number(0, 65535), default=PORT, dest="port", metavar="PORT"),
)
_ARCHIVE: tuple[Option, ...] = (
    option(
        "-od --instance-location",
        "folder of the archive, made when missing (default: instances)",
        common=True,
        default="instances",
        dest="instance_location",
        metavar="FOLDER",
    ),
    option(
        "--database-location",
        "its index (default: index.sqlite in the folder)",
        default="",
        dest="database_location",
        metavar="FILE",
    ),
    flag(
        "--replace",
        "let an object take the place of another of its SOP Instance UID",
        dest="replace",
    ),
    flag(
        "--fold-accents",
        "let names without accents match those with, also for who has not negotiated it",
        common=True,
        dest="fold_accents",
    ),
    flag("--clean", "remove all objects, after a question, and end"),
)
_PEERS: tuple[Option, ...] = (
    option(
        "-c --config",
        'settings and known peers (TOML): [[peer]] title = "X" host = "192.0.2.1" port = 104',
        common=True,
        type=Path,
        metavar="FILE",
    ),
    flag(
        "--only-known",
        "refuse callers with titles that the file does not name",
        common=True,
        dest="only_known",
    ),
)
_SERVICES: tuple[Option, ...] = (
    flag("--disable-get", "do not offer C-GET"),
    flag("-QP --no-patient-root", "do not offer the Patient Root information models"),
    flag("-QS --no-study-root", "do not offer the Study Root information models"),
    flag("-QO --no-patient-study", "do not offer the Patient/Study Only information models"),
    refused("--require-find", "C-GET and C-MOVE do not depend on C-FIND"),
    refused("--no-parallel-store", "several may store at once; each object is kept whole"),
    refused("--allow-shutdown", "Ctrl-C and SIGTERM end it, no peer does"),
    anyway("-XF --check-find", "check identifiers of C-FIND"),
    refused("--no-check-find", "identifiers are always checked"),
    anyway("-XM --check-move", "check identifiers of C-MOVE"),
    refused("--no-check-move", "identifiers are always checked"),
    refused("--move-unrestricted", _ONLY_TO_PEERS),
    refused("-ZA --move-aetitle", _ONLY_TO_PEERS),
    refused("-ZH --move-host", _ONLY_TO_PEERS),
    refused("-ZV --move-vendor", _ONLY_TO_PEERS),
    *(refused(f"--{name}", _OF_STORESCP) for name in ("refuse", "reject", "ignore")),
    anyway("-s", "serve in one process"),
    refused("--assoc-config-file", "association profiles are not read", 3),
    anyway("-up --uid-padding", "take UIDs without the spaces at their end"),
    anyway("+U8 --convert-to-utf8", "answer in UTF-8 where ASCII is not enough"),
    *(
        refused(names, "answers are in ASCII, or in UTF-8 where that is not enough", takes)
        for names, takes in (
            ("+Cr --use-request-charset", 0),
            ("-Cr --override-charset", 0),
            ("+A7 --convert-to-ascii", 0),
            ("+L1 --convert-to-latin1", 0),
            ("+C --convert-to-charset", 1),
            ("-Ct --transliterate", 0),
            ("-Cd --discard-illegal", 0),
        )
    ),
)
_NETWORK = (*acceptor_options(TITLE), CONNECTION_TIMEOUT)

SETTABLE = {
    row.settings["dest"]: row
    for row in (*_WHERE, *_NETWORK, *_ARCHIVE, *_PEERS)
    if "dest" in row.settings
}
"""What the file may set too, by the name that it has there."""


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "qrscp",
        "[options] [port]",
        "Keeps DICOM objects in a folder, finds them and sends them (C-STORE, C-FIND,\n"
        "C-GET and C-MOVE, PS3.4 Annexes B and C). What it acknowledges is on the disk.",
        "-v -od archive 11112",
    )
    parser.add_options("Where", _unset(_WHERE))
    parser.add_options("Archive", _unset(_ARCHIVE))
    parser.add_options("Peers", _unset(_PEERS))
    parser.add_options("Network", _unset(_NETWORK))
    parser.add_options("Services", _SERVICES)
    parser.add_options("Preferred transfer syntax", PREFER_TO_RECEIVE)
    parser.add_options("Proposed transfer syntax", PROPOSE_AS_STORED)
    parser.add_options("Output format", FORMAT)
    parser.add_options("TLS", (*SERVER, CHECK_HOSTNAME))
    parser.set_defaults(anonymous=False)
    return parser


def _unset(rows: Sequence[Option]) -> list[Option]:
    """Return rows that leave nothing behind when they are not given: then the file counts."""
    return [
        row._replace(settings={**row.settings, "default": argparse.SUPPRESS})
        if "dest" in row.settings
        else row
        for row in rows
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Serve until stopped, or remove everything."""
    args, peers = settled(args)
    to = destinations(args, peers)
    node = opened(args, to)
    if node is None:
        return Exit.NOT_HERE
    try:
        if args.clean:
            return clean(node)
        return serve(
            application(args, node, to),
            args,
            supported_by(args),
            node.handlers(),
            lambda port: introduce(args, node, to, port),
        )
    finally:
        node.close()


def settled(args: argparse.Namespace) -> tuple[argparse.Namespace, Sequence[Peer]]:
    """Return the options, each from the command line, else the file, else by default; the peers.

    Raises
    ------
    WrongUse
        When the file cannot be used, or nobody could call.
    """
    read = Settings({}, USUAL_PEERS)
    if args.config is not None:
        read = read_settings(args.config, SETTABLE.values())
        for name in ("instance_location", "database_location"):
            if read.values.get(name):
                read.values[name] = str(args.config.parent / read.values[name])
    defaults = {name: row.settings.get("default") for name, row in SETTABLE.items()}
    merged = argparse.Namespace(**{**defaults, **read.values, **vars(args)})
    if merged.only_known and (args.config is None or not read.peers):
        raise WrongUse("--only-known: nobody is known; name peers in a file with -c FILE")
    bound = [(peer.title, peer.networks) for peer in read.peers if peer.networks]
    merged.peer = [*bound, *merged.peer]
    return merged, read.peers


def destinations(args: argparse.Namespace, peers: Sequence[Peer]) -> dict[str, Destination]:
    """Return who may be sent to, by AE title.

    Raises
    ------
    WrongUse
        When one wants TLS, and the options do not say how.
    """
    context = client_context(args)
    for peer in peers:
        if peer.tls and context is None:
            raise WrongUse(f"{args.config}: {peer.title} wants TLS: add +tls KEY CERT and +cf FILE")
    return {
        peer.title: Destination(peer.title, peer.host, peer.port, context if peer.tls else None)
        for peer in peers
    }


def opened(args: argparse.Namespace, to: Mapping[str, Destination]) -> Node | None:
    """Open the archive; when that cannot be, say why and return None."""
    folder = Path(args.instance_location)
    database = Path(args.database_location or folder / "index.sqlite")
    try:
        return Node(folder, database, args.ae_title, to, args.replace, args.fold_accents)
    except InUse as error:
        log.error("%s. Check: whether another qrscp runs; give each an -od FOLDER", error)
    except OSError as error:
        log.error("%s cannot be used: %s. Check: -od FOLDER", folder, error.strerror)
    except (WrongDatabase, sqlite3.Error) as error:
        log.error("%s cannot be used: %s. Check: --database-location FILE", database, error)
    return None


def clean(node: Node) -> Exit:
    """Remove all objects, when the user says yes."""
    number_of_objects = node.index.counts()[Level.IMAGE]
    print(f"Remove all {number_of_objects} objects? Type yes:", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != "yes":
        log.warning("Nothing was removed")
        return Exit.DONE
    conclusion.info("%d objects removed", node.index.clear())
    return Exit.DONE


def application(
    args: argparse.Namespace, node: Node, to: Mapping[str, Destination]
) -> ApplicationEntity:
    """Return the AE that serves a node, as the options say."""
    ae = entity(args.ae_title, args, options=Options(store_directory=node.files.incoming))
    ae.connection_timeout = args.connection_timeout
    if args.only_known:
        ae.require_calling_aet = list(to)
    return ae


def supported_by(args: argparse.Namespace) -> list[PresentationContext]:
    """Return what is supported, as the options say."""
    return contexts(models(args), supported(args, first=UNCOMPRESSED[:1]))


_LEFT_OUT = (
    ("no_patient_root", PATIENT_ROOT),
    ("no_study_root", STUDY_ROOT),
    ("no_patient_study", PATIENT_STUDY_ONLY),
)


def models(args: argparse.Namespace) -> list[str]:
    """Return the information models that are offered."""
    without = [model for name, model in _LEFT_OUT if getattr(args, name)]
    return [
        uid
        for uid, model in MODELS.items()
        if model not in without and not (args.disable_get and uid in GET)
    ]


def introduce(
    args: argparse.Namespace, node: Node, to: Mapping[str, Destination], port: int
) -> None:
    """Say where it listens, what it has, who may call, and what to type next."""
    counts, titles = node.index.counts(), ", ".join(to)
    conclusion.info(
        "%s listens on port %d and has %d studies, %d objects, in %s",
        args.ae_title, port, counts[Level.STUDY], counts[Level.IMAGE], args.instance_location,
    )  # fmt: skip
    if args.only_known:
        conclusion.info("Who may call, and be sent to: %s", titles)
    else:
        conclusion.info("Anybody may call; who may be sent to: %s", titles or "nobody, see -c FILE")
    conclusion.info("Next: dicomwire %s", next_line(args, counts[Level.IMAGE], port))


def next_line(args: argparse.Namespace, objects: int, port: int) -> str:
    """Return what to type next, in another window."""
    to = ["-aec", args.ae_title, args.bind_address or "localhost", str(port)]
    if args.tls:
        to = ["+tls", "KEY", "CERT", "+cf", "CA", *to]
    if not objects:
        return shlex.join(["storescu", "-r", *to, "FOLDER"])
    return shlex.join(["findscu", "--table", "-S", "-k", "QueryRetrieveLevel=STUDY",
                       "-k", "PatientName", "-k", "StudyInstanceUID", *to])  # fmt: skip
