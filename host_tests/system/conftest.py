"""System tests may share what stands beside them, and leave no process behind."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import processes


@pytest.fixture(scope="module", autouse=True)
def nothing_left(request):
    """Every process that a module starts bears its mark; at its end there must be none."""
    os.environ[processes.MARK] = f"{os.getpid()}:{request.module.__name__}"
    yield
    try:
        processes.assert_none_left()
    finally:
        processes.end_those_left()
        del os.environ[processes.MARK]
