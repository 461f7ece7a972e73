"""Options about transfer syntaxes into what a tool proposes or prefers."""

from __future__ import annotations

import argparse

from dicomwire.apps.options import OnlyOne, Option, anyway, flag, refused
from dicomwire.standard.transfer_syntaxes import (
    ALL_TRANSFER_SYNTAXES,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from dicomwire.standard.uids import name_of

UNCOMPRESSED = (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
)
"""What is proposed for uncompressed data sets, the best first."""
_PLAIN = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
_BIG_FIRST = (EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)

# DCMTK's letter and name, the UID, whether uncompressed ones are proposed besides.
_COMPRESSED = (
    ("s", "lossless", "1.2.840.10008.1.2.4.70", True),
    ("y", "jpeg8", "1.2.840.10008.1.2.4.50", True),
    ("x", "jpeg12", "1.2.840.10008.1.2.4.51", True),
    ("v", "j2k-lossless", "1.2.840.10008.1.2.4.90", True),
    ("w", "j2k-lossy", "1.2.840.10008.1.2.4.91", True),
    ("t", "jls-lossless", "1.2.840.10008.1.2.4.80", True),
    ("u", "jls-lossy", "1.2.840.10008.1.2.4.81", True),
    ("m", "mpeg2", "1.2.840.10008.1.2.4.100", False),
    ("h", "mpeg2-high", "1.2.840.10008.1.2.4.101", False),
    ("n", "mpeg4", "1.2.840.10008.1.2.4.102", False),
    ("l", "mpeg4-bd", "1.2.840.10008.1.2.4.103", False),
    ("2", "mpeg4-2-2d", "1.2.840.10008.1.2.4.104", False),
    ("3", "mpeg4-2-3d", "1.2.840.10008.1.2.4.105", False),
    ("o", "mpeg4-2-st", "1.2.840.10008.1.2.4.106", False),
    ("4", "hevc", "1.2.840.10008.1.2.4.107", False),
    ("5", "hevc10", "1.2.840.10008.1.2.4.108", False),
    ("r", "rle", "1.2.840.10008.1.2.5", True),
    ("d", "deflated", DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, True),
)

_AS_STORED = "objects are proposed as they are stored, and uncompressed"

Groups = tuple[tuple[str, ...], ...]
"""Transfer syntaxes by presentation context."""


def _choice(names: str, text: str, groups: Groups) -> Option:
    return flag(names, text, action=OnlyOne, nargs=0, const=groups, dest="proposed")


REQUEST = (
    _choice(
        "-xe --request-little",
        "propose explicit VR little endian only (DCMTK's -xe: --propose-little)",
        ((EXPLICIT_VR_LITTLE_ENDIAN,),),
    ),
    _choice(
        "-xb --request-big",
        "propose explicit VR big endian only (DCMTK's -xb: --propose-big)",
        ((EXPLICIT_VR_BIG_ENDIAN,),),
    ),
    _choice(
        "-xi --request-implicit --propose-implicit",
        "propose implicit VR little endian only",
        ((IMPLICIT_VR_LITTLE_ENDIAN,),),
    ),
)
"""pynetdicom's choices, for every tool that asks for associations."""

PROPOSE_PLAIN = (
    _choice("-x= --propose-uncompr", "propose all uncompressed ones, explicit first", (_PLAIN,)),
    _choice("-xe --propose-little", "the same", (_PLAIN,)),
    _choice("-xb --propose-big", "the same, big endian first", (_BIG_FIRST,)),
    _choice(
        "-xi --propose-implicit",
        "propose implicit VR little endian only",
        ((IMPLICIT_VR_LITTLE_ENDIAN,),),
    ),
    _choice(
        "-xd --propose-deflated",
        "propose deflated first, and all uncompressed ones",
        ((DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, *_PLAIN),),
    ),
)
"""DCMTK's choices for queries, for which pynetdicom has none."""

PROPOSE = (
    *REQUEST,
    _choice("-x= --propose-uncompr", "propose all uncompressed ones, explicit first", (_PLAIN,)),
    _choice("--propose-little", "the same", (_PLAIN,)),
    _choice(
        "--propose-big",
        "propose all uncompressed ones, big endian first",
        (_BIG_FIRST,),
    ),
    *(
        _choice(
            f"-x{letter} --propose-{name}",
            f"propose {name_of(uid)}" + (" and uncompressed" if besides else ""),
            ((uid,), _PLAIN) if besides else ((uid,),),
        )
        for letter, name, uid, besides in _COMPRESSED
    ),
    flag("+C --combine", "propose a SOP class's transfer syntaxes in one context"),
)
"""DCMTK's choices besides, for storescu."""

PROPOSE_AS_STORED = (
    anyway("-x= --propose-uncompr", "propose all uncompressed ones"),
    *(
        refused(f"-x{letter} --propose-{name}", _AS_STORED)
        for letter, name in (
            *(("e", "little"), ("b", "big"), ("i", "implicit")),
            *((letter, name) for letter, name, _, _ in _COMPRESSED),
        )
    ),
)
"""DCMTK's choices for what an archive sends, which is proposed as it is stored."""


def _preference(names: str, text: str, syntaxes: tuple[str, ...], only: bool = False) -> Option:
    return flag(names, text, action=OnlyOne, nargs=0, const=(syntaxes, only), dest="preferred")


def _prefer_plain(minus: bool) -> tuple[Option, ...]:
    """The uncompressed ones; pynetdicom's spellings begin with a minus, DCMTK's with a plus."""

    def names(letter: str, name: str) -> str:
        return f"-x{letter} +x{letter} --{name}" if minus else f"+x{letter} --{name}"

    little, big = (EXPLICIT_VR_LITTLE_ENDIAN,), (EXPLICIT_VR_BIG_ENDIAN,)
    return (
        _preference(
            names("=", "prefer-uncompr"), "prefer explicit VR (default of storescp)", little
        ),
        _preference(names("e", "prefer-little"), "prefer explicit VR little endian", little),
        _preference(names("b", "prefer-big"), "prefer explicit VR big endian", big),
        _preference(
            names("i", "implicit"),
            "accept implicit VR little endian only",
            (IMPLICIT_VR_LITTLE_ENDIAN,),
            only=True,
        ),
    )


PREFER_UNCOMPRESSED = _prefer_plain(minus=True)
"""pynetdicom's choices, for echoscp."""
_PREFER_COMPRESSED = tuple(
    _preference(f"+x{letter} --prefer-{name}", f"prefer {name_of(uid)}", (uid,))
    for letter, name, uid, _ in _COMPRESSED
)
_ALL = anyway("+xa --accept-all", "accept all transfer syntaxes")
PREFER = (*PREFER_UNCOMPRESSED, *_PREFER_COMPRESSED, _ALL)
"""DCMTK's choices besides, for storescp."""
PREFER_TO_GET = (*_prefer_plain(minus=False), *_PREFER_COMPRESSED)
"""DCMTK's choices for what comes over the association of a C-GET."""
PREFER_TO_RECEIVE = (*PREFER_TO_GET, _ALL)
"""DCMTK's choices for what a C-MOVE sends to ourselves."""


def supported(args: argparse.Namespace, first: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the transfer syntaxes that a server supports, in the order of its preference.

    Parameters
    ----------
    args : Namespace
        Of a parser with the rows of `PREFER`.
    first : tuple of str
        What is preferred when no option says so.
    """
    chosen, only = args.preferred or (first, False)
    if only:
        return tuple(chosen)
    return (*chosen, *(uid for uid in ALL_TRANSFER_SYNTAXES if uid not in chosen))


def to_get(args: argparse.Namespace) -> Groups:
    """Return the transfer syntaxes to propose for objects that come over a C-GET, by context.

    One that is compressed has a context of its own: the peer has to be able to choose for each
    object, and sends it as it is or uncompressed.

    Parameters
    ----------
    args : Namespace
        Of a parser with the rows of `PREFER_TO_GET`.
    """
    chosen, only = args.preferred or (UNCOMPRESSED[:1], False)
    if only:
        return (chosen,)
    if chosen[0] in UNCOMPRESSED:
        return ((*chosen, *(uid for uid in UNCOMPRESSED if uid not in chosen)),)
    return chosen, UNCOMPRESSED
