"""Titles, texts and UIDs of a peer into the safe pieces that the debug log is made of."""

from __future__ import annotations

from dicomwire.standard.uids import name_of

_WIDTH = 76  # characters of the lines that open and close a block


def visible(text: str) -> str:
    r"""Escape what does not print, so that a peer can neither begin a log line nor colour one.

    Parameters
    ----------
    text : str
        A title, name or UID as received.

    Returns
    -------
    str
        The same with each control or other unprintable character as an escape, e.g. ``\n``.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


def named(uid: str) -> str:
    """Return the name of a UID (PS3.6 Table A-1), or the UID itself when it has none."""
    return visible(name_of(uid) or uid)


def block(title: str, outgoing: bool, lines: list[str]) -> list[str]:
    """Frame lines between a headline that names the direction and a line that ends the block.

    Parameters
    ----------
    title : str
        What the block shows, e.g. ``A-ABORT PDU``.
    outgoing : bool
        Whether we sent it.
    lines : list of str
        What stands between.
    """
    direction = "OUTGOING" if outgoing else "INCOMING"
    return [_rule(f"{direction} {title}"), *lines, _rule(f"END {title}")]


def _rule(text: str) -> str:
    return f"{f' {text} ':=^{_WIDTH}}"
