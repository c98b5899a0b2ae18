"""Energy registers: exact to the mWh, whole after a power cut, laid out as BT23."""

import struct

from meter.registers import FORWARD, REVERSE, SIZE, Registers
from meter_support import Flash, PowerCut, ring
from support import allocated, noise

BLOCK = 44  # octets of BT23 in total and by tier


def shown(registers):
    """BT23 as numbers: shown[block][summation], block 0 the total."""
    body = bytearray(5 * BLOCK)
    registers.show(body)
    return [struct.unpack_from("<11i", body, BLOCK * k) for k in range(5)]


def new(flash=None):
    return Registers(ring(flash or Flash(), SIZE))


def test_exact_over_three_months():
    registers = new()
    total = [0, 0]
    tiers = [[0, 0] for _ in range(4)]
    energies = noise(4096)
    for quarter in range(90 * 96):
        k = quarter * 4 % 4090
        forward = energies[k] * 3001 + energies[k + 1]
        reverse = energies[k + 2] % 7 * 100003 + energies[k + 3]
        tier = quarter // 40 % 4
        registers.add(tier, forward, reverse)
        for sums in (total, tiers[tier]):
            sums[0] += forward
            sums[1] += reverse
    blocks = shown(registers)
    for block, (forward, reverse) in zip(blocks, [total] + tiers):
        assert block[:2] == (forward // 1000, reverse // 1000)
        assert block[2:6] == (0, 0, 0, 0)
        assert block[6] == (forward + reverse) // 1000
        assert block[7] == max((forward - reverse) // 1000, 0)
        assert block[8:] == (0, 0, 0)
    assert registers.wh(FORWARD) == total[0] // 1000
    assert registers.wh(REVERSE) == total[1] // 1000


def test_remainders_of_sum_and_net():
    registers = new()
    registers.add(0, 5999, 3001)
    assert shown(registers)[0][:8] == (5, 3, 0, 0, 0, 0, 9, 2)
    registers = new()
    registers.add(0, 5001, 3999)
    assert shown(registers)[0][:8] == (5, 3, 0, 0, 0, 0, 9, 1)
    registers = new()
    registers.add(0, 5500, 3500)
    assert shown(registers)[0][6:8] == (9, 2)
    registers = new()
    registers.add(0, 1000, 2000)
    assert shown(registers)[0][6:8] == (3, 0)


def test_a_tier_that_has_no_registers_counts_in_the_total():
    registers = new()
    for tier in range(8):
        registers.add(tier, 1000 << tier, 0)
    blocks = shown(registers)
    assert [block[0] for block in blocks] == [255, 1, 2, 4, 8]


def test_a_register_is_full_at_nine_digits():
    registers = new()
    for _ in range(2000):
        registers.add(1, 500000000, 499999999)  # 500 kWh at a time
    assert registers.wh(FORWARD) == 0
    assert registers.wh(REVERSE) == 999999998
    assert shown(registers)[2][6] == 999999998
    registers.add(1, 999, 2)
    assert registers.wh(REVERSE) == 999999998
    assert shown(registers)[0][:2] == (0, 999999998)


def test_kept():
    flash = Flash()
    registers = new(flash)
    assert registers.day == -1
    assert not registers.changed
    registers.add(3, 1234567, 89)
    assert registers.changed
    registers.day = 9821
    registers.second = 86400
    registers.flags = 0xA0
    registers.code = 3
    registers.filling = True
    registers.save()
    assert not registers.changed
    again = new(flash)
    assert (again.day, again.second, again.flags, again.code) == (9821, 86400, 0xA0, 3)
    assert again.filling
    assert shown(again) == shown(registers)
    again.add(3, 433, 911)  # the remainders were kept too
    assert again.wh(FORWARD) == 1235
    assert again.wh(REVERSE) == 1


def test_kept_before_there_was_a_clock():
    flash = Flash()
    registers = new(flash)
    registers.add(0, 5000, 0)
    registers.save()
    again = new(flash)
    assert again.day == -1
    assert again.wh(FORWARD) == 5


def test_power_cut_at_each_operation():
    """What was saved is there; a snapshot that was torn never is."""
    for cut in range(70):  # the first erase ahead lies on the way
        flash = Flash(2)
        flash.left = cut
        saved = 0
        try:
            registers = new(flash)
            while True:
                registers.add(0, 1000, 0)
                registers.save()
                saved += 1
                registers._ring.tend()
        except PowerCut:
            pass
        flash.left = -1
        registers = new(flash)
        assert registers.wh(FORWARD) == saved, cut
        registers.add(0, 1000, 0)
        registers.save()
        assert new(flash).wh(FORWARD) == saved + 1, cut


class Nowhere:
    """A ring that keeps nothing, and leaves nothing on the heap either."""

    last = -1

    def read(self, number, buf):
        return False

    def append(self, payload):
        return 0


def test_allocation():
    registers = Registers(Nowhere())
    body = bytearray(5 * BLOCK)

    def turn():
        registers.add(1, 123456, 654321)
        registers.save()
        registers.show(body)

    assert allocated(turn) in (None, 0)
