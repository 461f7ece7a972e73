"""The headers of files into the associations that can carry them, with what each proposes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dicomwire.apps.syntaxes import UNCOMPRESSED, Groups
from dicomwire.dataset.part10 import FileHeader
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.pdus import MAXIMUM_CONTEXTS
from dicomwire.standard.transfer_syntaxes import is_uncompressed

Context = tuple[str, tuple[str, ...]]
"""Abstract syntax and transfer syntaxes."""


class Load(NamedTuple):
    """What one association carries.

    Parameters
    ----------
    contexts : list of (str, tuple of str)
        The abstract syntax and the transfer syntaxes of each presentation context: at most 128.
    headers : list of FileHeader
        The objects.
    """

    contexts: list[Context]
    headers: list[FileHeader]

    def proposal(self) -> list[PresentationContext]:
        """Return the contexts as `AE.associate` takes them."""
        return [build_context(uid, syntaxes) for uid, syntaxes in self.contexts]


def plan(
    headers: Iterable[FileHeader], asked: Groups | None = None, combine: bool = False
) -> list[Load]:
    """Return the loads that carry all objects.

    Parameters
    ----------
    headers : iterable of FileHeader
        The objects.
    asked : tuple of tuple of str, optional
        The transfer syntaxes to propose for every SOP class, by presentation context. None proposes
        those that the objects have, each by itself so that nothing needs to be converted, and all
        uncompressed ones where an object can be converted to them.
    combine : bool
        Whether to put all transfer syntaxes of a SOP class into one context.
    """
    by_class: dict[str, list[FileHeader]] = {}
    for header in headers:
        by_class.setdefault(header.sop_class_uid, []).append(header)
    loads: list[Load] = []
    for uid, group in by_class.items():
        groups = asked or needed({header.transfer_syntax_uid: None for header in group})
        if combine:
            groups = (tuple(dict.fromkeys(each for part in groups for each in part)),)
        contexts = [(uid, syntaxes) for syntaxes in groups]
        if not loads or len(loads[-1].contexts) + len(contexts) > MAXIMUM_CONTEXTS:
            loads.append(Load([], []))
        loads[-1].contexts.extend(contexts)
        loads[-1].headers.extend(group)
    return loads


def needed(syntaxes: Iterable[str]) -> Groups:
    """Return what to propose for objects in these transfer syntaxes."""
    alone = list(syntaxes)
    others = tuple(uid for uid in UNCOMPRESSED if uid not in alone)
    groups = [(uid,) for uid in alone]
    if others and any(is_uncompressed(uid) for uid in alone):
        return (*groups, others)
    return tuple(groups)


def repeated(headers: Sequence[FileHeader], count: int) -> list[FileHeader]:
    """Return each object `count` times, one after another."""
    return [header for header in headers for _ in range(count)]
