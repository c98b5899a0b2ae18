"""The simulated element: its energy is a function of UTC, to the mWh and the mvarh."""

from meter.clock import DAY
from meter.element import SimulatedElement
from meter_support import source
from osgp.kernels import copy
from support import allocated, noise

FIRST = 9821
DAYS = 3
QUARTERS = DAYS * 96


def energies(seed):
    octets = noise(2 * QUARTERS, seed)
    return [octets[2 * k] * 3000 + octets[2 * k + 1] for k in range(QUARTERS)]


USED = energies(1)
FED = energies(2)


def sum_until(quarters, second):
    """Energy up to a second since the beginning, computed in one go."""
    quarter = second // 900
    if quarter >= len(quarters):
        return sum(quarters)
    return sum(quarters[:quarter]) + quarters[quarter] * (second % 900) // 900


def make(both=True):
    return SimulatedElement(source(FIRST, USED, FED if both else None))


def test_energy_up_to_every_moment():
    element = make()
    assert element.since == FIRST
    forward = reverse = 0
    second = 0
    for step in noise(600, 7):
        second += step * 2 + 1
        element.take(FIRST + second // DAY, second % DAY)
        forward += element.forward
        reverse += element.reverse
        assert forward == sum_until(USED, second)
        assert reverse == sum_until(FED, second)
    assert second > DAYS * DAY / 2


def test_a_day_in_one_go_and_its_last_second():
    element = make()
    element.take(FIRST, DAY)
    assert element.forward == sum(USED[:96])
    element.take(FIRST + 1, 0)
    assert (element.forward, element.reverse) == (0, 0)
    element.take(FIRST + 3, 0)
    assert element.forward == sum(USED[96:])


def test_one_direction():
    element = make(both=False)
    element.take(FIRST, 4500)
    assert (element.forward, element.reverse) == (sum(USED[:5]), 0)


def test_a_restart_goes_on_where_energy_was_counted():
    element = make()
    element.start(FIRST, 1234)
    element.take(FIRST, 5678)
    assert element.forward == sum_until(USED, 5678) - sum_until(USED, 1234)


def test_a_clock_set_back_gives_nothing_twice():
    element = make()
    element.take(FIRST + 1, 100)
    element.take(FIRST, 5000)
    assert (element.forward, element.reverse) == (0, 0)
    element.take(FIRST + 1, 100)
    assert element.forward == 0
    element.take(FIRST + 1, 101)
    assert element.forward == sum_until(USED, DAY + 101) - sum_until(USED, DAY + 100)


def test_outside_of_its_span():
    element = make()
    element.take(-1, 0)  # no clock
    assert element.forward == 0
    element.take(FIRST - 5, 100)
    assert element.forward == 0
    element.start(FIRST - 5, 100)
    element.take(FIRST, 900)
    assert element.forward == USED[0]
    element.take(FIRST + 100, 5)
    assert element.forward == sum(USED[1:])
    element.take(FIRST + 101, 5)
    assert (element.forward, element.present(0)) == (0, 0)


def test_the_most_that_a_source_can_hold():
    most = 0xFFFFFF  # mWh in a quarter hour: 67 kW
    element = SimulatedElement(source(FIRST, [most] * 96))
    total = 0
    for second in range(1, 2701):
        element.take(FIRST, second)
        total += element.forward
    assert total == 3 * most
    assert element.present(0) == most // 250
    assert abs(element.present(4) - most * 4 / 230) < most / 40


def test_present_values():
    element = make()
    element.take(FIRST, 450)
    assert element.present(0) == element.present(18) == USED[0] // 250  # W
    assert element.present(1) == element.present(19) == FED[0] // 250
    volts = element.present(7) / 1000
    assert 220 < volts < 240
    assert abs(element.present(4) / 1000 * volts - element.present(12)) < 0.01 * element.present(
        12
    )
    assert 49900 < element.present(11) < 50100
    assert element.present(10) == 970
    for k in (3, 5, 6, 8, 9, 13, 14, 16, 17, 21, 24, 25):
        assert element.present(k) == 0


def test_present_values_agree_with_each_other():
    element = make()
    for quarter in range(96):
        element.take(FIRST, 900 * quarter + 77)
        watts = element.present(0) + element.present(1)
        var = element.present(2) - element.present(3)
        assert var == element.present(22) + element.present(23)
        assert abs(4 * element.present(22) - element.present(0)) < 5
        assert abs(4 * element.present(23) - element.present(1)) < 5
        apparent = element.present(12)
        assert abs(apparent * apparent - watts * watts - var * var) <= 4 * apparent
        assert abs(element.present(10) * apparent - 1000 * watts) < 3 * apparent + 1000
        assert abs(element.present(15) * apparent - 1000 * var) < 3 * apparent + 1000
        for k in range(4):
            assert element.present(18 + k) == element.present(k)


def test_reactive_energy_up_to_every_moment():
    element = make()
    found = [0, 0, 0, 0]
    second = 0
    for step in noise(300, 3):
        second += step * 4 + 1
        element.take(FIRST + second // DAY, second % DAY)
        for k in range(4):
            found[k] += element.quadrants[k]
        assert found[0] == sum_until([energy // 4 for energy in USED], second)
        assert found[1] == sum_until([energy // 4 for energy in FED], second)
        assert found[2] == found[3] == 0


def test_a_source_of_no_days():
    def nothing(_, buf):
        buf[:] = b"OSGPMEAS\x01\x01\0\0\0\0"

    element = SimulatedElement(nothing)
    assert element.since == -1
    element.take(FIRST, 100)
    assert (element.forward, element.reverse) == (0, 0)


def test_what_is_not_a_source():
    for header in (b"OSGPMEAT\x01\x01\0\0\1\0", b"OSGPMEAS\x03\x01\0\0\1\0", bytes(14)):

        def read(_, buf, header=header):
            buf[:] = header

        try:
            SimulatedElement(read)
        except ValueError:
            continue
        raise AssertionError(header)


def test_allocation():
    header = b"OSGPMEAS\x01\x02\x5d\x26\x40\0"
    octets = bytearray(6)

    def read(_, buf):
        copy(buf, 0, header if len(buf) == 14 else octets, 0, len(buf))

    element = SimulatedElement(read)
    second = 0

    def turn():
        nonlocal second
        second += 300
        element.take(0x265D, second)
        element.present(4)

    assert allocated(turn) in (None, 0)
    assert element.since == 0x265D
