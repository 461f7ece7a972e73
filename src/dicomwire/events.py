"""The events that handlers are bound to, as users import them: `from dicomwire import evt`."""

from dicomwire.network.events import *  # noqa: F403 - a door: every public name goes through
