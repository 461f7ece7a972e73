"""pynetdicom's settings under this library's name; see `dicomwire.compat._config`."""

import sys

from dicomwire.compat import _config

sys.modules[__name__] = _config  # the module itself, so that what is assigned to counts
