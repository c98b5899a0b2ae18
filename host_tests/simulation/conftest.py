"""Networks in virtual time: fast, but never in an instant."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from update_support import made


@pytest.fixture(autouse=True)
def path():
    """Which bank it runs from, firmware tells from it. A test may undo its own patches."""
    kept = sys.path[:]
    yield
    sys.path[:] = kept


@pytest.fixture
def street(tmp_path):
    return made(tmp_path)
