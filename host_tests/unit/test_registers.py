"""The registers: exact to the thousandth, whole after a power cut, laid out as BT23."""

import struct

from meter.registers import BT23_SIZE, FORWARD, REVERSE, SIZE, Registers
from meter_support import Energy, Flash, PowerCut, ring
from support import allocated, noise

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

BLOCK = 196  # octets of BT23 in total and by tier


def shown(registers):
    """BT23's summations: shown[block][summation], block 0 the total."""
    registers.show()
    return [struct.unpack_from("<15i", registers.body, 1 + BLOCK * k) for k in range(5)]


def new(flash=None):
    return Registers(ring(flash or Flash(), SIZE), bytearray(BT23_SIZE))


def summations(energies):
    """A block's summations of six exact energies, in thousandths; what tiers do not count is 0."""
    forward, reverse, q1, q2, q3, q4 = energies
    net = max((forward - reverse) // 1000, 0)
    first = [forward, reverse, q1 + q2, q3 + q4, 0, 0, forward + reverse]
    return tuple(
        [each // 1000 for each in first]
        + [net, 0, 0, 0]
        + [each // 1000 for each in (q1, q2, q3, q4)]
    )


def count(amounts, energies):
    for k in range(6):
        amounts[k] += energies[k]


def check(steps):
    """Steps of (tier, six energies), held against plain sums; kept and restored on the way."""
    flash = Flash()
    registers = new(flash)
    blocks = [[0] * 6 for _ in range(5)]
    for n, (tier, energies) in enumerate(steps):
        registers.add(tier, Energy(*energies))
        count(blocks[0], energies)
        if tier < 4:
            count(blocks[tier + 1], energies)
        if n % 97 == 50:
            registers.save()
            registers = new(flash)
    assert shown(registers) == [summations(block) for block in blocks]
    for k in range(15):
        assert registers.value(0, k) == summations(blocks[0])[k]
    assert registers.value(0, FORWARD) == blocks[0][0] // 1000
    assert registers.value(0, REVERSE) == blocks[0][1] // 1000


def three_months():
    energies = noise(8192)
    for quarter in range(90 * 96):
        k = quarter * 7 % 8180
        active = (energies[k] * 3001 + energies[k + 1], energies[k + 2] % 7 * 100003)
        yield quarter // 40 % 5, active + tuple(energies[k + 3 : k + 7])


def test_exact_over_three_months():
    check(three_months())


if given:
    ENERGY = st.integers(0, 2**29 - 1) | st.integers(0, 2000)

    @given(st.lists(st.tuples(st.integers(0, 7), st.tuples(*[ENERGY] * 6)), max_size=150))
    def test_exact_whatever_comes(steps):
        check(steps)


def test_what_is_not_energy():
    registers = new()
    registers.outage(3600)
    registers.outage(5)
    registers.pulse(0, 12)
    registers.pulse(1, 1)
    registers.pulse(1, 2)
    registers.error()
    assert registers.changed
    total, *tiers = shown(registers)
    assert total == (0, 0, 0, 0, 3605, 2, 0, 0, 12, 3, 1, 0, 0, 0, 0)
    assert tiers == [(0,) * 15] * 4


def test_remainders_of_sum_and_net():
    registers = new()
    registers.add(0, Energy(5999, 3001))
    assert shown(registers)[0][:8] == (5, 3, 0, 0, 0, 0, 9, 2)
    registers = new()
    registers.add(0, Energy(5001, 3999))
    assert shown(registers)[0][:8] == (5, 3, 0, 0, 0, 0, 9, 1)
    registers = new()
    registers.add(0, Energy(5500, 3500))
    assert shown(registers)[0][6:8] == (9, 2)
    registers = new()
    registers.add(0, Energy(1000, 2000))
    assert shown(registers)[0][6:8] == (3, 0)


def test_a_tier_that_has_no_registers_counts_in_the_total():
    registers = new()
    for tier in range(8):
        registers.add(tier, Energy(1000 << tier, 0))
    blocks = shown(registers)
    assert [block[0] for block in blocks] == [255, 1, 2, 4, 8]


def test_a_register_is_full_at_nine_digits():
    registers = new()
    for _ in range(2000):
        registers.add(1, Energy(500000000, 499999999))  # 500 kWh at a time
    assert registers.value(0, FORWARD) == 0
    assert registers.value(0, REVERSE) == 999999998
    assert shown(registers)[2][6] == 999999998
    registers.add(1, Energy(999, 2))
    assert registers.value(0, REVERSE) == 999999998
    assert shown(registers)[0][:2] == (0, 999999998)


def test_kept():
    flash = Flash()
    registers = new(flash)
    assert registers.day == -1
    assert not registers.changed
    registers.add(3, Energy(1234567, 89))
    assert registers.changed
    registers.day = 9821
    registers.second = 86400
    registers.status[:] = b"\xa3\x00\x12\x00\x44"
    registers.filling = True
    registers.save()
    assert not registers.changed
    again = new(flash)
    assert (again.day, again.second) == (9821, 86400)
    assert again.status == b"\xa3\x00\x12\x00\x44"
    assert again.filling
    assert shown(again) == shown(registers)
    assert again.interval(0) == 1234567
    again.add(3, Energy(433, 911))  # the remainders were kept too
    assert again.value(0, FORWARD) == 1235
    assert again.value(0, REVERSE) == 1


def test_kept_before_there_was_a_clock():
    flash = Flash()
    registers = new(flash)
    registers.add(0, Energy(5000, 0))
    registers.save()
    again = new(flash)
    assert again.day == -1
    assert again.value(0, FORWARD) == 5


def test_power_cut_at_each_operation():
    """What was saved is there; a snapshot that was torn never is."""
    for cut in range(70):  # the first erase ahead lies on the way
        flash = Flash(2)
        flash.left = cut
        saved = 0
        try:
            registers = new(flash)
            while True:
                registers.add(0, Energy(1000, 0))
                registers.save()
                saved += 1
                registers._ring.tend()
        except PowerCut:
            pass
        flash.left = -1
        registers = new(flash)
        assert registers.value(0, FORWARD) == saved, cut
        registers.add(0, Energy(1000, 0))
        registers.save()
        assert new(flash).value(0, FORWARD) == saved + 1, cut


class Nowhere:
    """A ring that keeps nothing, and leaves nothing on the heap either."""

    last = -1

    def read(self, number, buf):
        return False

    def append(self, payload):
        return 0


def test_allocation():
    registers = Registers(Nowhere(), bytearray(BT23_SIZE))
    energy = Energy(123456, 654321, 5, 0, 777)

    def turn():
        registers.add(1, energy)
        registers.outage(1)
        registers.save()
        registers.end_interval()

    assert allocated(turn) in (None, 0)
