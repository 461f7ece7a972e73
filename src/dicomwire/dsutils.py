"""Data sets into bytes, lines of text and file meta information, as programs import it."""

from dicomwire.compat.dsutils import *  # noqa: F403 - a door: every public name goes through
