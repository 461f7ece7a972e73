"""`python -m dicomwire <tool> ...` into a run of that tool."""

from __future__ import annotations

import sys

from dicomwire.apps.main import main

if __name__ == "__main__":
    sys.exit(main())
