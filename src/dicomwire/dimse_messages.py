"""DIMSE messages as programs import them."""

from dicomwire.compat.dimse_messages import *  # noqa: F403 - a door: every public name
