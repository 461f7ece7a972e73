"""Rows of options into the parser and the help of a tool.

pynetdicom's spellings come first in a row, DCMTK's after them. Where both have a letter for
different things it is pynetdicom's, and the help says so.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn

from dicomwire._version import __version__
from dicomwire.apps.exits import MEANINGS, Exit
from dicomwire.network.access import networks_of
from dicomwire.network.options import MOST_ASSOCIATIONS
from dicomwire.protocol.limits import DEFAULT as LIMITS
from dicomwire.protocol.validate import is_valid_ae_title

NOTHING = logging.CRITICAL + 10  # the level that shows nothing


class WrongUse(Exception):
    """The tool was asked for something that cannot be; the message says what to type instead."""


class Option(NamedTuple):
    """An option of a tool.

    Parameters
    ----------
    names : tuple of str
        Its spellings.
    help : str
        What it does.
    common : bool
        Whether `--help` shows it; `--help-all` shows every one.
    settings : dict
        For `argparse.ArgumentParser.add_argument`.
    """

    names: tuple[str, ...]
    help: str
    common: bool
    settings: dict[str, Any]


def option(names: str, text: str, *, common: bool = False, **settings: Any) -> Option:
    """Make the row of an option that takes a value."""
    return Option(tuple(names.split()), text, common, settings)


def flag(names: str, text: str, *, common: bool = False, **settings: Any) -> Option:
    """Make the row of an option that stands for itself."""
    settings.setdefault("action", "store_const" if "const" in settings else "store_true")
    return Option(tuple(names.split()), text, common, settings)


def anyway(names: str, text: str) -> Option:
    """Make the row of an option that asks for what is done in any case."""
    settings = {"action": _Anyway, "nargs": 0, "default": argparse.SUPPRESS}
    return Option(tuple(names.split()), f"{text} (done anyway)", False, settings)


def refused(names: str, why: str, takes: int = 0) -> Option:
    """Make the row of an option of DCMTK's that cannot be honoured, with the reason."""
    settings = {"action": _Refused, "nargs": takes, "const": why, "default": argparse.SUPPRESS}
    return Option(tuple(names.split()), argparse.SUPPRESS, False, settings)


class _Anyway(argparse.Action):
    def __call__(self, *_: Any) -> None:
        """Do nothing: what is asked for is done anyway."""


class _Refused(argparse.Action):
    def __call__(
        self, parser: argparse.ArgumentParser, _: Any, __: Any, spelled: str | None = None
    ) -> NoReturn:
        parser.error(f"{spelled} cannot be honoured: {self.const}")


class OnlyOne(argparse.Action):
    """Stores a constant; a second one that differs is wrong use."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        _: Any,
        spelled: str | None = None,
    ) -> None:
        """See argparse."""
        if getattr(namespace, self.dest) not in (self.default, self.const):
            parser.error(f"{spelled} contradicts an option before it: give only one of them")
        setattr(namespace, self.dest, self.const)


# -- what a value may be ---------------------------------------------------------------------


def ae_title(text: str) -> str:
    """Check an AE title."""
    if not is_valid_ae_title(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no AE title: give 1 to 16 ASCII characters without backslash"
        )
    return text


def number(first: int, last: int | None = None, besides: int | None = None) -> Callable[[str], int]:
    """Return what checks a whole number from `first` to `last`, or one more value."""
    span = f"from {first} to {last}" if last is not None else f"of {first} or more"
    also = "" if besides is None else f", or {besides}"

    def check(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = first - 1 if besides is None else min(first, besides) - 1
        if value != besides and (value < first or (last is not None and value > last)):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {span}{also}")
        return value

    return check


def seconds(text: str) -> float | None:
    """Check a time-out; 0 is none."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return value or None


def networks(text: str) -> tuple[str, ...]:
    """Check networks and addresses, with commas between them."""
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    try:
        networks_of(found)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return found


def title_networks(text: str) -> tuple[str, tuple[str, ...]]:
    """Check an AE title and the networks and addresses that it may call from."""
    title, _, rest = text.partition("=")
    found = networks(rest)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}: give a title and networks, CT_1=192.0.2.7")
    return ae_title(title), found


_LEVELS = {
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}


def level(text: str) -> int:
    """Return the level of a name."""
    if text not in _LEVELS:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(_LEVELS)}")
    return _LEVELS[text]


# -- options that tools share ----------------------------------------------------------------

GENERAL = (
    flag("-v --verbose", "say what is done", common=True, dest="shows", const=logging.INFO),
    flag("-d --debug", "show PDUs and messages", common=True, dest="shows", const=logging.DEBUG),
    flag(
        "-q --quiet",
        "say nothing, no errors either",
        dest="shows",
        const=NOTHING,
    ),
    option("-ll --log-level", f"one of {', '.join(_LEVELS)}", type=level, metavar="LEVEL"),
    flag("+v --verbose-pc", "show the presentation contexts (with -v)", dest="verbose_pc"),
    refused("-lc --log-config", "the log has no configuration file; use -v, -d or -ll", 1),
    refused("--arguments", "your shell expands the command line; try echo before it"),
)

_PDU = option(
    "-pdu --max-pdu",
    "longest PDU to receive, in bytes; 0: no limit (default: 16382)",
    type=number(1024, 0xFFFFFFFF, besides=0),
    default=16382,
    dest="max_pdu",
    metavar="BYTES",
)
_TIMEOUTS = (
    option(
        "-ta --acse-timeout",
        "seconds for the association's beginning and end (default: 30, 0: no limit)",
        type=seconds,
        default=30.0,
        dest="acse_timeout",
        metavar="SECONDS",
    ),
    option(
        "-td --dimse-timeout",
        "seconds to wait for a response (default: 30, 0: no limit)",
        type=seconds,
        default=30.0,
        dest="dimse_timeout",
        metavar="SECONDS",
    ),
    option(
        "-tn --network-timeout -ts --socket-timeout",
        "seconds of silence before giving up (default: 30, 0: no limit)",
        type=seconds,
        default=30.0,
        dest="network_timeout",
        metavar="SECONDS",
    ),
)

CONNECTION_TIMEOUT = option(
    "-to --timeout",
    "seconds for the connection to a peer (default: no limit)",
    type=seconds,
    dest="connection_timeout",
    metavar="SECONDS",
)


def titles(title: str) -> tuple[Option, ...]:
    """Return the rows of the AE titles of both ends, with the one that a tool goes by."""
    return (
        option(
            "-aet --calling-aet --aetitle",
            f"our AE title (default: {title})",
            common=True,
            type=ae_title,
            default=title,
            dest="calling_aet",
            metavar="TITLE",
        ),
        option(
            "-aec --called-aet --call",
            "the peer's AE title (default: ANY-SCP)",
            common=True,
            type=ae_title,
            default="ANY-SCP",
            dest="called_aet",
            metavar="TITLE",
        ),
    )


def requestor_options(title: str) -> tuple[Option, ...]:
    """Return the rows of a tool that asks for associations, with the title it goes by."""
    return (
        *titles(title),
        CONNECTION_TIMEOUT,
        *_TIMEOUTS,
        _PDU,
        flag("--abort", "abort the association instead of releasing it"),
    )


def acceptor_options(title: str) -> tuple[Option, ...]:
    """Return the rows of a tool that serves associations, with the title it goes by."""
    return (
        option(
            "-aet --ae-title --aetitle",
            f"our AE title (default: {title})",
            common=True,
            type=ae_title,
            default=title,
            dest="ae_title",
            metavar="TITLE",
        ),
        option(
            "-ba --bind-address",
            "the interface's address to listen on (default: all IPv4)",
            common=True,
            default="",
            dest="bind_address",
            metavar="ADDRESS",
        ),
        option(
            "--allow",
            "where peers may connect from, as 192.0.2.0/24,2001:db8::/32 (default: anywhere)",
            type=networks,
            default=(),
            dest="networks",
            metavar="NETWORKS",
        ),
        option(
            "--peer",
            "where alone an AE title may call from, as CT_1=192.0.2.7; may be repeated",
            action="append",
            type=title_networks,
            default=[],
            metavar="TITLE=NETWORKS",
        ),
        flag(
            "--title-in-certificate",
            "refuse callers whose certificate does not name their AE title",
            dest="titles_in_certificates",
        ),
        option(
            "--max-associations",
            f"associations at once (default: {MOST_ASSOCIATIONS})",
            type=number(1),
            default=MOST_ASSOCIATIONS,
            dest="max_associations",
            metavar="N",
        ),
        option(
            "--max-per-address",
            "associations at once with one address (default: no limit)",
            type=number(1),
            dest="max_per_address",
            metavar="N",
        ),
        option(
            "--max-failures",
            "titles and users of one address that are refused in a minute before all that it "
            f"asks for is (default: {LIMITS.failures_per_minute}, 0: no limit)",
            type=number(0),
            default=LIMITS.failures_per_minute,
            dest="max_failures",
            metavar="N",
        ),
        option(
            "--stall-timeout",
            "seconds of silence within a message before giving up (default: 30, 0: no limit)",
            type=seconds,
            default=LIMITS.stall,
            dest="stall_timeout",
            metavar="SECONDS",
        ),
        option(
            "--min-rate",
            f"bytes a second that a peer has to send or take (default: {LIMITS.rate})",
            type=number(0),
            default=LIMITS.rate,
            dest="min_rate",
            metavar="BYTES",
        ),
        option(
            "--keepalive",
            "seconds until a peer whose line is cut is given up (default: 60, 0: the system's)",
            type=seconds,
            default=LIMITS.keepalive,
            dest="keepalive",
            metavar="SECONDS",
        ),
        *_TIMEOUTS,
        _PDU,
        anyway("--single-process", "serve in one process"),
        refused("--fork", "associations are served by threads; storescp --workers N has processes"),
        anyway("-dhl --disable-host-lookup", "look up no host names"),
        anyway("-ac --access-full", "take connections from any host"),
        refused("+ac --access-control", "there are no TCP wrappers; use --allow NETWORKS"),
        refused("-id --inetd", "it listens itself; let systemd start it as a service"),
        refused("-xf --config-file", "association profiles are not read; use +x and -pm", 2),
    )


PEER = (
    option("addr", "host name or address of the peer", common=True),
    option("port", "its TCP port", common=True, type=number(1, 65535)),
)
LISTEN = (
    option("port", "TCP port to listen on, 0: any free one", common=True, type=number(0, 65535)),
)


# -- the parser ------------------------------------------------------------------------------


class ToolParser(argparse.ArgumentParser):
    """A parser whose errors are one line that says what to type.

    Parameters
    ----------
    tool : str
        Its name.
    arguments : str
        How the arguments go, for the usage line.
    summary : str
        What the tool does, in a sentence.
    example : str
        A line to type.
    """

    def __init__(self, tool: str, arguments: str, summary: str, example: str) -> None:
        super().__init__(
            prog=f"dicomwire {tool}",
            usage=f"dicomwire {tool} {arguments}",
            description=summary,
            formatter_class=_Help,
            prefix_chars="-+",
            add_help=False,
            allow_abbrev=False,
        )
        self._example = f"Example: dicomwire {tool} {example}"
        self._rare: list[argparse.Action] = []
        general = self.add_options("General", GENERAL)
        general.add_argument("--help-all", action=_ShowHelp, full=True, help="show every option")
        version = f"{tool} (dicomwire) {__version__}"
        rare = (
            general.add_argument(
                "-h", "--help", action=_ShowHelp, full=False, help="the usual ones"
            ),
            general.add_argument(
                "--version", action="version", version=version, help="the version"
            ),
        )
        self._rare.extend(rare)
        self.set_defaults(shows=logging.WARNING)

    def add_options(self, title: str, rows: Iterable[Option]) -> Any:
        """Add rows under a heading; return the group."""
        group = self.add_argument_group(title)
        for row in rows:
            added = group.add_argument(*row.names, help=row.help, **row.settings)
            if not row.common:
                self._rare.append(added)
        return group

    def actions(self) -> list[argparse.Action]:
        """Return everything that may be typed, in the order of the help page."""
        return list(self._actions)

    def show(self, full: bool) -> None:
        """Print the help page: everything, or what fits a screen of 24 lines of 80 characters."""
        if full:
            codes = [f"  {code.value:<4}{text}" for code, text in MEANINGS.items()]
            self.epilog = "\n".join(["Exit codes:", *codes, "", self._example])
            self.print_help()
            return
        page = _Short(self.prog)
        page.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        page.add_text(self.description)
        page.start_section(None)
        page.add_arguments([each for each in self._actions if each not in self._rare])
        page.end_section()
        page.add_text(self._example)
        self._print_message(page.format_help(), sys.stdout)

    def error(self, message: str) -> NoReturn:
        """End with the message in one line."""
        text = " ".join(message.split()) + (self._meant(message) or ".")
        self.exit(Exit.WRONG_USE, f"E: {text} Usage: {self.usage}; see {self.prog} --help\n")

    def _meant(self, message: str) -> str:
        """Return which option was meant, when the message is about one that there is not."""
        from difflib import get_close_matches  # only for who mistypes

        unknown = message.partition("unrecognized arguments: ")[2].split()
        known = [name for each in self.actions() for name in each.option_strings]
        close = get_close_matches(unknown[0], known, 1) if unknown else ()
        return f"; is it {close[0]}?" if close else ""

    def read(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """Parse arguments; exits with a message when they are wrong."""
        args = self.parse_intermixed_args(argv)
        args.shows = args.shows if args.log_level is None else args.log_level
        return args


class _ShowHelp(argparse.Action):
    def __init__(
        self, option_strings: Sequence[str], dest: str, full: bool, help: str | None = None
    ) -> None:
        super().__init__(option_strings, dest, 0, default=argparse.SUPPRESS, help=help)
        self._full = full

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        assert isinstance(parser, ToolParser)
        parser.show(self._full)
        parser.exit()


class _Help(argparse.RawDescriptionHelpFormatter):
    """Spellings once, with the value after the last, and a line for each option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=100)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return action.dest
        value = self._format_args(action, action.dest.upper()) if action.nargs != 0 else ""
        return " ".join([*action.option_strings, *([value] if value else [])])


class _Short(argparse.RawDescriptionHelpFormatter):
    """The first spelling of each option only, so that a line has room for what it does."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=20, width=80)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return (action.option_strings or [action.dest])[0]
        return f"{action.option_strings[0]} {self._format_args(action, action.dest.upper())}"
