"""The seven PDUs as programs import them."""

from dicomwire.compat.pdu import *  # noqa: F403 - a door: every public name goes through
