"""Negotiation items as programs import them, for `AE.associate(ext_neg=...)`."""

from dicomwire.compat.pdu_primitives import *  # noqa: F403 - a door: every public name goes through
