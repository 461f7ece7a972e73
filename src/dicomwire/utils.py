"""Bytes into text, titles and UIDs into checked ones, as programs import it."""

from dicomwire.compat.utils import *  # noqa: F403 - a door: every public name goes through
