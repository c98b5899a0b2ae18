"""The meter as one part: energy from a source to the tables, whatever clock and power do."""

import struct

import ticks
from fakes import retained
from meter.clock import DAY, day_number
from meter_rig import FED, FIRST, NOON, TODAY, USED, Chip, Rig, running, until
from meter_support import PowerCut
from support import allocated
from tables.model import MASTER


def past(second):
    """(day, quarter) of all intervals from the source's beginning to a second of today."""
    quarters = 2 * 96 + second // 900
    return [(FIRST + k // 96, k % 96) for k in range(quarters)]


def expected(day, quarter):
    """A good interval: both registers at its end."""
    end = (quarter + 1) * 900
    return 0, 0, until(USED, day, end) // 1000, until(FED, day, end) // 1000


def clock_error(rig):
    return rig.read(3)[1] >> 6 & 1


def test_without_a_clock():
    rig = Rig()
    rig.pass_seconds(7200, 60)
    assert clock_error(rig)
    assert rig.read(63)[0] == 0x04  # nothing is collected
    assert rig.read(64) == bytes(9770)
    assert rig.read(52) == bytes(6) + b"\x10"
    assert rig.read(55) == bytes(6) + b"\x60\x00\x0f"
    assert rig.registers() == (0, 0)
    assert rig.snapshots.operations == 0


def test_the_past_is_filled_in():
    rig = Rig()
    rig.set_clock()
    assert not clock_error(rig)
    takes = 0

    def take(day, second, take=rig.meter._element.take):
        nonlocal takes
        takes += 1
        take(day, second)

    rig.meter._element.take = take
    while rig.meter.behind:
        before = takes
        rig.meter.poll(rig.now)
        assert takes - before <= 4  # a slice is short
    rig.check_registers()
    assert rig.profile() == {moment: expected(*moment) for moment in past(NOON)}
    status = struct.unpack_from("<BHHIHH", rig.read(63), 0)
    assert status == (0x24, 3, 2, 2, 3, NOON // 900)


def test_real_time():
    rig = running()
    for _ in range(4):
        rig.pass_seconds(599)
        rig.check_registers()
    quarter = rig.second // 900 - 1
    for k in range(3):
        assert rig.interval(TODAY, quarter - k) == expected(TODAY, quarter - k)


def test_midnight_and_a_change_of_tier():
    rig = running(second=20 * 3600 + 3000)
    rig.pass_seconds(4 * 3600, 7)
    assert rig.day == TODAY + 1
    rig.check_registers()
    for day, quarter in ((TODAY, 83), (TODAY, 84), (TODAY, 95), (TODAY + 1, 0)):
        assert rig.interval(day, quarter) == expected(day, quarter)
    assert struct.unpack_from("<BHHIHH", rig.read(63), 0)[3] == 3


def test_clock_set_forward():
    rig = running()  # 12:07:30, in interval 48
    rig.sleep(45 * 60)
    rig.now = ticks.add(rig.now, -45 * 60 * 1000)  # the clock was slow: it is 12:52:30
    rig.set_clock()
    rig.catch_up()
    rig.check_registers()
    rig.pass_seconds(1800)
    for quarter, status in ((47, 0), (48, 0x42), (49, 0x44), (50, 0x44), (51, 0x42), (52, 0)):
        found = rig.interval(TODAY, quarter)
        good = expected(TODAY, quarter)
        assert found[:2] == (status, status << 4 & 0xF0), quarter
        assert found[2:] == ((0, 0) if status == 0x44 else good[2:]), quarter
    rig.check_registers()


def test_clock_set_forward_to_an_interval_s_end():
    rig = running()
    rig.second = 13 * 3600
    rig.set_clock()
    rig.catch_up()
    rig.pass_seconds(900)
    found = [rig.interval(TODAY, quarter)[0] for quarter in range(48, 53)]
    assert found == [0x42, 0x44, 0x44, 0x44, 0]


def test_clock_set_again_while_the_past_is_filled_in():
    rig = Rig()
    rig.set_clock()
    rig.meter.poll(rig.now)
    for later in (0, 5, -3):
        rig.second += later
        rig.set_clock()
        rig.meter.poll(rig.now)
    rig.catch_up()
    rig.check_registers()
    assert rig.profile() == {moment: expected(*moment) for moment in past(NOON)}


def test_daylight_saving_is_told_with_each_interval():
    rig = Rig(element=Chip())
    rig.set_clock(day_number(26, 3, 29), 3000)  # summer time begins at 1:00
    rig.day, rig.second = day_number(26, 3, 29), 3000
    rig.pass_seconds(1200)
    rig.sleep(1800)
    rig.start()
    rig.set_clock()
    rig.catch_up()
    rig.pass_seconds(2000)
    found = [rig.interval(rig.day, quarter)[0] for quarter in range(3, 8)]
    assert found == [0x42, 0x32, 0x34, 0x32, 0x10]


def test_clock_set_forward_within_an_interval_or_not_at_all():
    rig = running()
    rig.set_clock()
    rig.pass_seconds(600)
    assert rig.interval(TODAY, 48) == expected(TODAY, 48)
    rig.set_clock(TODAY, rig.second + 5)
    rig.second += 5
    rig.pass_seconds(900)
    assert rig.interval(TODAY, 49) == (0x42, 0x20) + expected(TODAY, 49)[2:]
    rig.pass_seconds(900)
    assert rig.interval(TODAY, 50) == expected(TODAY, 50)


def test_clock_set_back_within_an_interval():
    rig = running()
    rig.set_clock(TODAY, NOON - 60)
    rig.second -= 60
    rig.pass_seconds(1800)
    assert rig.interval(TODAY, 48) == (0x83, 0x30) + expected(TODAY, 48)[2:]
    assert rig.interval(TODAY, 49) == expected(TODAY, 49)
    rig.check_registers()


def test_clock_set_back_by_a_second_at_an_interval_s_end():
    """The interval is not recorded again; what happened is told with the next one."""
    rig = running()
    rig.pass_seconds(450)
    assert rig.second % 900 == 0
    rig.set_clock(TODAY, rig.second - 1)
    rig.second -= 1
    rig.pass_seconds(1000)
    assert rig.interval(TODAY, 48) == expected(TODAY, 48)
    assert rig.interval(TODAY, 49) == (0x83, 0x30) + expected(TODAY, 49)[2:]
    assert struct.unpack_from("<BHHIHH", rig.read(63), 0)[3] == 2  # no block began


def test_clock_set_back_by_hours():
    rig = running()
    before = rig.read(64)
    rig.set_clock(TODAY, 9 * 3600)
    rig.second = 9 * 3600
    rig.pass_seconds(1800)
    after = rig.read(64)
    assert after[: 3 * 977] == before[: 3 * 977]
    shown = registers_at(TODAY, NOON)
    assert rig.registers() == shown  # energy is not given twice
    assert rig.interval(TODAY, 36) == (0x83, 0x30) + shown
    assert rig.interval(TODAY, 37) == (0, 0) + shown
    assert struct.unpack_from("<BHHIHH", rig.read(63), 0) == (0x24, 4, 3, 3, 4, 2)
    rig.pass_seconds(4 * 3600, 10)
    rig.check_registers()


def registers_at(day, second):
    return until(USED, day, second) // 1000, until(FED, day, second) // 1000


def test_power_fails():
    rig = running()
    rig.pass_seconds(120)
    rig.sleep(40 * 60)
    rig.start()
    rig.pass_seconds(30)
    assert clock_error(rig)
    rig.set_clock()
    rig.catch_up()
    rig.check_registers()
    rig.pass_seconds(1800)
    for quarter, status in ((47, 0), (48, 0x22), (49, 0x24), (50, 0x24), (51, 0x22), (52, 0)):
        found = rig.interval(TODAY, quarter)
        assert found[:2] == (status, status << 4 & 0xF0), quarter
        good = expected(TODAY, quarter)
        assert found[2:] == ((0, 0) if status == 0x24 else good[2:]), quarter
    rig.check_registers()


def test_power_fails_for_long():
    """Nine days are made up for; the profile has no room for more. Energy is not lost."""
    rig = running()
    rig.sleep(30 * DAY)
    rig.start()
    rig.set_clock()
    assert 9 * 96 <= rig.catch_up() < 10 * 96  # one interval or change of tier a poll
    status = struct.unpack_from("<BHHIHH", rig.read(63), 0)
    assert status[1] == 10
    assert rig.interval(rig.day - 9, 0)[0] == 0x24
    assert rig.interval(rig.day, 3) == (0x24, 0x40, 0, 0)
    assert rig.registers() == (sum(USED) // 1000, sum(FED) // 1000)


def test_power_cut_at_each_operation():
    """Registers are as if nothing had happened; no interval is wrong, none missing."""
    operations = count_operations()
    for cut in range(0, operations, 11):
        rig = Rig(second=5 * 3600)
        for flash in (rig.snapshots, rig.intervals):
            flash.left = cut // 2
        cuts = 0
        while True:
            try:
                rig.start()
                rig.set_clock()
                rig.catch_up()
                rig.pass_seconds((TODAY * DAY + 6 * 3600 - rig.day * DAY - rig.second), 30)
                break
            except PowerCut:
                cuts += 1
                rig.sleep(30)
                for flash in (rig.snapshots, rig.intervals):
                    flash.left = -1
        rig.check_registers()
        found = rig.profile()
        assert sorted(found) == past(6 * 3600), cut
        for moment in found:
            good = expected(*moment)
            if moment[0] < TODAY:
                assert found[moment] == good, (cut, moment)
            else:  # a power failure is told in its interval
                assert found[moment][2:] == good[2:], (cut, moment)
        assert cuts <= 1


def count_operations():
    rig = running(second=5 * 3600)
    rig.pass_seconds(3600, 30)
    return max(rig.snapshots.operations, rig.intervals.operations)


def test_an_element_without_a_past():
    rig = Rig(element=Chip())
    rig.clock_error_tier = 2
    rig.start()
    for _ in range(1000):
        rig.meter.poll(rig.now)
    assert rig.registers() == (7, 0)
    rig.set_clock()
    rig.catch_up()
    rig.pass_seconds(1800)
    assert rig.interval(TODAY, 47) is None
    assert rig.interval(TODAY, 48)[:2] == (0x42, 0x20)
    assert rig.interval(TODAY, 49)[0] == 0
    total = rig.registers()[0]
    assert rig.registers(3) == (7, 0)
    assert rig.registers(1)[0] == total - 7
    rig.sleep(3600)
    rig.start()
    rig.set_clock()
    rig.catch_up()
    assert [rig.interval(TODAY, k)[0] for k in (50, 51, 52)] == [0x22, 0x24, 0x24]
    assert rig.registers()[0] >= total


def test_snapshots_each_minute_and_interval():
    rig = running()
    before = rig.snapshots.operations
    rig.pass_seconds(900)
    assert 14 <= rig.snapshots.operations - before <= 17


def test_clocks_in_the_model():
    rig = running()
    assert rig.read(52) == bytes((26, 11, 21, 12, 7, 30, 0x16))
    assert rig.read(55) == bytes((26, 11, 21, 13, 7, 30, 0x66, 0, 0x0F))
    rig.pass_seconds(1)
    assert rig.read(52)[5] == 31
    rig = running(day=day_number(26, 7, 1), second=21 * 3600)
    assert rig.read(52) == bytes((26, 7, 1, 21, 0, 0, 0x1B))
    assert rig.read(55) == bytes((26, 7, 1, 23, 0, 0, 0x6B, 1, 0x0F))


def test_present_values_and_internal_configuration_in_the_model():
    rig = running()
    values = struct.unpack_from("<26i", rig.read(28), 32)
    quarter = 2 * 96 + NOON // 900
    assert values[0] == USED[quarter] // 250
    assert 220000 < values[7] < 240000
    internal = rig.read(2069)
    block_size, header = struct.unpack_from("<IH", internal, 8)
    last_block, last_interval = struct.unpack_from("<HH", internal, 18)
    assert (block_size, header, internal[25]) == (977, 17, 10)
    at = last_block * block_size + header + last_interval * internal[25]
    assert rig.read(64)[at : at + 10] == struct.pack("<BBii", *expected(TODAY, 47))
    assert bytes(internal[94:100]) == bytes((26, 11, 21, 12, 0, 0))
    assert bytes(internal[101:107]) == bytes((26, 11, 21, 13, 0, 0))


def test_writing_the_zone_and_the_calendar():
    rig = running()
    zone = bytearray(struct.pack("<BBBBh", 2, 0, 0, 60, 120))
    assert rig.model.write(53, 0, zone, 0, 6, MASTER, rig.now) == 0
    assert rig.read(55)[3] == 14
    for bad in ((24, 0, 0, 60, 60), (2, 60, 0, 60, 60), (2, 0, 0, 60, 841), (2, 0, 0, 60, -721)):
        octets = bytearray(struct.pack("<BBBBh", *bad))
        assert rig.model.write(53, 0, octets, 0, 6, MASTER, rig.now) != 0
    assert rig.read(53) == zone
    before = rig.registers(4)
    tier_3 = bytearray(struct.pack("<HB", 3, 0))
    for switch in range(3):  # schedule 0: tier 3 at midnight, and nothing after it
        assert rig.model.write(54, 144 + 3 * switch, tier_3, 0, 3, MASTER, rig.now) == 0
    rest = bytearray(21)
    assert rig.model.write(54, 153, rest, 0, 21, MASTER, rig.now) == 0
    assert rig.read(55)[7] == 3
    rig.pass_seconds(1800)
    assert before == (0, 0)
    used = until(USED, rig.day, rig.second) - until(USED, TODAY, NOON)
    assert rig.registers(4)[0] == used // 1000


def test_allocation():
    rig = running(element=Chip())
    meter = rig.meter
    now = rig.now

    def second():
        nonlocal now
        now = ticks.add(now, 1000)
        meter.poll(now)

    assert allocated(second, 50) in (None, 0)  # within a minute: no snapshot
    model = rig.model
    buf = bytearray(84)

    def reads():
        for number in (23, 28, 52, 55, 63, 64, 2069):
            model.read(number, 0, min(84, model.size(number)), buf, 0, MASTER)

    assert retained(reads) in (None, 0)
