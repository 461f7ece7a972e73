"""Options about TLS into the context of a connection (PS3.15 B.12: TLS 1.2 or newer)."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from dicomwire.apps.options import Option, WrongUse, anyway, flag, option, refused

if TYPE_CHECKING:  # loaded by those tools that are told to use TLS
    import ssl

    from dicomwire.network import tls

_COMMON: tuple[Option, ...] = (
    option(
        "+tls --enable-tls",
        "use TLS, with this key and this certificate (PEM)",
        common=True,
        nargs=2,
        metavar=("KEY", "CERT"),
        dest="tls",
    ),
    option(
        "+cf --add-cert-file",
        "certificate of a CA to trust (PEM); may be repeated",
        common=True,
        action="append",
        metavar="FILE",
        dest="ca_files",
    ),
    option(
        "+cd --add-cert-dir",
        "folder of such, named by their hashes; may be repeated",
        action="append",
        metavar="FOLDER",
        dest="ca_folders",
    ),
    anyway("-tls --disable-tls", "use no TLS unless asked to"),
    flag("-ic --ignore-peer-cert", "do not verify the peer's certificate", dest="trust_anybody"),
    anyway("-rc --require-peer-cert", "demand a valid certificate of the peer"),
    anyway("+ps --std-passwd", "ask for the key's password"),
    option("+pw --use-passwd", "the password of the key", dest="key_password", metavar="PASSWORD"),
    flag("-pw --null-passwd", "the key's password is empty", dest="key_password", const=""),
    anyway("-pem --pem-keys", "read PEM files"),
    refused("-der --der-keys", "keys are read as PEM; openssl pkey -inform DER converts them"),
    option(
        "+crl --add-crl-file",
        "certificate revocation list (PEM); may be repeated",
        action="append",
        metavar="FILE",
        dest="crl_files",
    ),
    flag("+crv --enable-crl-vfy", "look the peer's certificate up in them", dest="crl_leaf"),
    flag("+cra --enable-crl-all", "look its whole chain up in them", dest="crl_chain"),
    anyway("+py --profile-bcp195-nd", "TLS 1.2 or newer"),
    anyway("+px --profile-bcp195", "TLS 1.2 or newer"),
    anyway("+pz --profile-bcp195-ex", "TLS 1.2 or newer, ciphers with forward secrecy"),
    refused("+pa --profile-aes", "the profile is retired and not safe"),
    refused("+pn --profile-null", "the profile is retired and encrypts nothing"),
    option(
        "+cs --cipher",
        "a TLS 1.2 cipher suite to allow (OpenSSL's name); may be repeated",
        action="append",
        metavar="NAME",
        dest="ciphers",
    ),
    refused("+cc --list-ciphers", "openssl ciphers -v lists them"),
    refused("+rs --seed", "the system's random numbers need no seed", 1),
    refused("+ws --write-seed", "the system's random numbers need no seed"),
    refused("+wf --write-seed-file", "the system's random numbers need no seed", 1),
)
CHECK_HOSTNAME = flag(
    "--check-hostname",
    "demand that the peer's certificate names the host (DCMTK never does)",
    dest="check_hostname",
)
CLIENT = (
    *_COMMON,
    flag("+tla --anonymous-tls", "use TLS without a certificate of our own", dest="anonymous"),
    CHECK_HOSTNAME,
)
CHECKS = (
    refused("+vc --verify-cert", "openssl verify checks certificates", 1),
    refused("+rc --is-root-cert", "openssl x509 -text shows who signed a certificate", 1),
)
SERVER = (
    *_COMMON,
    flag(
        "-vc --verify-peer-cert",
        "verify the peer's certificate if it has one",
        dest="certificate_optional",
    ),
    option("+dp --dhparam", "a file with DH parameters", metavar="FILE", dest="dh_file"),
)
_ONLY_WITH_TLS = (
    ("ca_files", "+cf"),
    ("ca_folders", "+cd"),
    ("crl_files", "+crl"),
    ("ciphers", "+cs"),
    ("trust_anybody", "-ic"),
    ("check_hostname", "--check-hostname"),
    ("certificate_optional", "-vc"),
)


def client_context(args: argparse.Namespace) -> ssl.SSLContext | None:
    """Return the context of connections that a tool opens, None for no TLS.

    The chain of the peer's certificate is verified, against the system's CAs when no other are
    named; its host name only on demand, as certificates of imaging devices seldom have one.

    Raises
    ------
    WrongUse
        When a file cannot be used, or options contradict each other.
    """
    if not _wanted(args, args.anonymous):
        return None
    from dicomwire.network import tls

    key, certificate = args.tls or (None, None)
    with _as_wrong_use():
        context = tls.client(
            _authorities(args),
            certificate,
            key,
            password=_Password(args),
            check_hostname=args.check_hostname,
            verify=not args.trust_anybody,
            revoked=args.crl_files or (),
            ciphers=args.ciphers or tls.CIPHERS,
        )
    _look_up(context, args)
    return context


def server_context(args: argparse.Namespace) -> tls.ServerContext | None:
    """Return the context of connections that a tool accepts, None for no TLS.

    Made again, it does not ask for the key's password again.

    Raises
    ------
    WrongUse
        When a file cannot be used, or nobody could be verified.
    """
    if not _wanted(args, False):
        return None
    authorities = _authorities(args)
    if not (args.trust_anybody or authorities):
        raise WrongUse("who is trusted? Name the CA of the peers with +cf FILE, or verify with -ic")
    password = _Password(args)
    with _as_wrong_use():
        context = _server_context(args, authorities, password)
    password.may_ask = False
    return context


def _server_context(
    args: argparse.Namespace, authorities: list[str], password: _Password
) -> tls.ServerContext:
    from dicomwire.network import tls

    key, certificate = args.tls
    clients = "optional" if args.certificate_optional else "required"
    context = tls.server(
        certificate,
        key,
        authorities,
        password=password,
        clients="any" if args.trust_anybody else clients,
        revoked=args.crl_files or (),
        ciphers=args.ciphers or tls.CIPHERS,
    )
    if args.dh_file:
        tls.load(args.dh_file, partial(context.load_dh_params, args.dh_file))
    _look_up(context, args)
    context.again = partial(_server_context, args, authorities, password)
    return context


def _wanted(args: argparse.Namespace, anonymous: bool) -> bool:
    if args.tls and anonymous:
        raise WrongUse("+tls and +tla contradict each other: give only one of them")
    if args.tls or anonymous:
        return True
    for name, spelled in _ONLY_WITH_TLS:
        if getattr(args, name, None):
            raise WrongUse(f"{spelled} says how to use TLS: add +tls KEY CERT")
    return False


def _authorities(args: argparse.Namespace) -> list[str]:
    return [*(args.ca_files or ()), *(args.ca_folders or ())]


def _look_up(context: ssl.SSLContext, args: argparse.Namespace) -> None:
    """Have certificates looked up in revocation lists, which may be in the folders too."""
    import ssl

    if args.crl_chain:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    elif args.crl_leaf:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


@contextmanager
def _as_wrong_use() -> Iterator[None]:
    from dicomwire.network import tls

    try:
        yield
    except tls.TLSError as error:
        raise WrongUse(f"{error.what}. Check: {error.check}") from error


class _Password:
    """The password of the key: as given, or else asked for when it is needed, once.

    Parameters
    ----------
    args : Namespace
        The options.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._said: str | None = args.key_password
        self._key = args.tls[0] if args.tls else ""
        self.may_ask = True

    def __call__(self) -> str:
        if self._said is None:
            self._said = self._ask()
        return self._said

    def _ask(self) -> str:
        if not self.may_ask:  # nobody sits before a server that runs
            from dicomwire.network import tls

            raise tls.TLSError(f"{self._key} has a password now", "whether +pw PASSWORD was given")
        try:
            return getpass.getpass(f"Password of {self._key}: ")
        except EOFError:
            raise WrongUse(f"{self._key} has a password: add +pw PASSWORD") from None
