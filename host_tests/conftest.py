"""Where tests find what they test; `tools/shims` stands in for MicroPython's own modules."""

import signal
import sys
import traceback
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parent

for folder in ("firmware", "tools/shims", "tools"):
    sys.path.insert(0, str(REPOSITORY / folder))
for folder in (".", "unit", "faults"):  # helpers, which in importlib mode are not found otherwise
    sys.path.insert(0, str(HERE / folder))


# A job in the background ignores SIGINT, and its children inherit that: no Ctrl-C would arrive.
signal.signal(signal.SIGINT, signal.default_int_handler)


def print_exception(error, file=None):
    """MicroPython's sys.print_exception."""
    traceback.print_exception(error, file=file or sys.stdout)


sys.print_exception = print_exception


@pytest.fixture(autouse=True)
def rare_modules_are_let_go():
    """A simulated network keeps them, for all that comes after it in this process."""
    yield
    simulated = sys.modules.get("osgp_tools.simulation.device")
    if simulated:
        simulated.let_rare_modules_go()
