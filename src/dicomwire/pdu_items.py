"""The items of PDUs as programs import them."""

from dicomwire.compat.pdu_items import *  # noqa: F403 - a door: every public name goes through
