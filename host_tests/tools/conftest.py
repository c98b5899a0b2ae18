"""Tests of the host tools may share modules that stand beside them (`fake_line`)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
