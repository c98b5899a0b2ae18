"""A slice of the power cuts: the first operations of a life, and some after flash has gone round.

The whole sweep, 30,000 cuts: `make test-faults`.
"""

import pytest
from powercut import finish, sweep

from test_on_micropython import RUNS, interpreter


@pytest.mark.parametrize("run", ["64-bit", "32-bit"])
@pytest.mark.parametrize("first", [0, 2000])
def test_power_cuts_cost_nothing_acknowledged(run, first):
    micropython = interpreter(RUNS[run][0])
    if micropython is None:
        pytest.skip(f"no {run} MicroPython")
    operations, cuts = finish(sweep(micropython, 2000, first, first + 100))
    assert cuts == 4 * 100
    print(operations, "operations,", cuts, "cuts")
