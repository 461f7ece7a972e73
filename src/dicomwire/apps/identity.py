"""Options about the user into the identity that an association is asked for with."""

from __future__ import annotations

import argparse
from pathlib import Path

from dicomwire.apps.options import OnlyOne, WrongUse, flag, option
from dicomwire.protocol.items import UserIdentity

USERNAME, USERNAME_AND_PASSCODE, KERBEROS, SAML, JWT = range(1, 6)  # PS3.7 D.3.3.7
LONGEST = 0xFFFF  # bytes of a field

USER = (
    option("-usr --user", "user name to authenticate with", dest="user", metavar="NAME"),
    option("-pwd --password", "the user's password (with -usr)", dest="password"),
    flag(
        "-epw --empty-password",
        "an empty password (with -usr)",
        action=OnlyOne,
        nargs=0,
        const="",
        dest="password",
    ),
    option("-kt --kerberos", "a file with a Kerberos ticket", metavar="FILE", dest="kerberos"),
    option("--saml", "a file with a SAML assertion", metavar="FILE"),
    option("--jwt", "a file with a JSON web token", metavar="FILE"),
    flag("-rsp --pos-response", "demand that the peer confirms the identity", dest="confirm"),
)


def user_identity(args: argparse.Namespace) -> UserIdentity | None:
    """Return the identity that options ask for (PS3.7 D.3.3.7), None when they ask for none.

    Raises
    ------
    WrongUse
        When they contradict each other or a file cannot be read.
    """
    files = [(kind, path) for kind, path in _files(args) if path is not None]
    if len(files) + (args.user is not None) > 1:
        raise WrongUse("give one identity: -usr, -kt, --saml or --jwt")
    if args.password is not None and args.user is None:
        raise WrongUse("a password belongs to a user: add -usr NAME")
    if args.confirm and not files and args.user is None:
        raise WrongUse("-rsp asks to confirm an identity: add -usr NAME, -kt, --saml or --jwt")
    for kind, path in files:
        return UserIdentity(kind, args.confirm, _content(path))
    if args.user is None:
        return None
    if args.password is None:
        return UserIdentity(USERNAME, args.confirm, args.user.encode())
    fields = args.user.encode(), args.password.encode()
    return UserIdentity(USERNAME_AND_PASSCODE, args.confirm, *fields)


def _files(args: argparse.Namespace) -> tuple[tuple[int, str | None], ...]:
    return (KERBEROS, args.kerberos), (SAML, args.saml), (JWT, args.jwt)


def _content(path: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from error
    if not 0 < len(content) <= LONGEST:
        raise WrongUse(f"{path} has {len(content)} bytes: an identity has 1 to {LONGEST}")
    return content
