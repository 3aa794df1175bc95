"""Some tests have a long form, with more repetitions: `make chaos`."""

from __future__ import annotations

import os

LONG = os.environ.get("HOCBA_CHAOS") == "long"
