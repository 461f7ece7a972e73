"""Presentation contexts as users import them, with the ready-made lists."""

from __future__ import annotations

from dicomwire.network.presentation import (
    PresentationContext,
    PresentationContextTuple,
    build_context,
    build_role,
    context_list,
    negotiate_as_acceptor,
    negotiate_as_requestor,
    negotiate_unrestricted,
)
from dicomwire.standard.context_lists import CONTEXT_LISTS

__all__ = [
    "PresentationContext",
    "PresentationContextTuple",
    "build_context",
    "build_role",
    "negotiate_as_acceptor",
    "negotiate_as_requestor",
    "negotiate_unrestricted",
    *CONTEXT_LISTS,
]


def __getattr__(name: str) -> list[PresentationContext]:
    if name not in CONTEXT_LISTS:
        raise AttributeError(f"module 'dicomwire.presentation' has no attribute '{name}'")
    contexts = globals()[name] = context_list(name)
    return contexts


def __dir__() -> list[str]:
    return sorted({*globals(), *CONTEXT_LISTS})
