"""A slice of the power cuts: some operations of each life, early ones and late ones.

The whole sweep, 60,000 cuts: `make test-faults`.
"""

import pytest
from powercut import DEVICE, KEYED, MIGRATED, STORE, TOLD, finish, sweep

import next_firmware
from test_on_micropython import RUNS, interpreter


@pytest.mark.parametrize("run", ["64-bit", "32-bit"])
@pytest.mark.parametrize("first", [0, 2000])
def test_power_cuts_cost_nothing_acknowledged(run, first):
    micropython = interpreter(RUNS[run][0])
    if micropython is None:
        pytest.skip(f"no {run} MicroPython")
    operations, cuts = finish(sweep(micropython, STORE, 2000, first, first + 100))
    assert cuts == 4 * 100
    print(operations, "operations,", cuts, "cuts")


@pytest.mark.parametrize("first", [250, 1100])
def test_power_cuts_cost_a_device_nothing(first):
    micropython = interpreter(RUNS["64-bit"][0])
    if micropython is None:
        pytest.skip("no 64-bit MicroPython")
    operations, cuts = finish(sweep(micropython, DEVICE, 60, first, first + 40))
    assert cuts == 4 * 40
    print(operations, "operations,", cuts, "cuts")


def test_power_cuts_make_no_broadcast_happen_twice():
    micropython = interpreter(RUNS["64-bit"][0])
    if micropython is None:
        pytest.skip("no 64-bit MicroPython")
    operations, cuts = finish(sweep(micropython, TOLD, 3, 8, 24))
    assert cuts == 4 * 16
    print(operations, "operations,", cuts, "cuts")


def test_power_cuts_lock_nobody_out_and_make_nothing_good_again():
    micropython = interpreter(RUNS["64-bit"][0])
    if micropython is None:
        pytest.skip("no 64-bit MicroPython")
    operations, cuts = finish(sweep(micropython, KEYED, 9, 4, 14))
    assert cuts == 4 * 10
    print(operations, "operations,", cuts, "cuts")


@pytest.fixture(scope="module")
def following(tmp_path_factory):
    """The folder of a firmware with other tables."""
    return next_firmware.make(tmp_path_factory.mktemp("firmware") / "next")


@pytest.mark.parametrize(
    ("first", "cuts"),
    [pytest.param(62, 9, id="carry over"), pytest.param(236, 9, id="forget")],
)
def test_power_cuts_cost_no_table_of_an_update(following, first, cuts):
    micropython = interpreter(RUNS["64-bit"][0])
    if micropython is None:
        pytest.skip("no 64-bit MicroPython")
    process = sweep(micropython, MIGRATED, 1, first, first + cuts, following)
    operations, done = finish(process)
    assert done == 4 * cuts
    print(operations, "operations,", done, "cuts")
