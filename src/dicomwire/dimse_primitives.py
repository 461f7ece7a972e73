"""Parameters of the DIMSE services as programs import them."""

from dicomwire.compat.dimse_primitives import *  # noqa: F403 - a door: every public name
