"""The load profile: BT64 as a reader finds it, whatever the clock and the power did."""

import struct

from meter.calendar import Calendar
from meter.clock import day_number
from meter.profile import (
    CLOCK_BACK,
    CLOCK_FORWARD,
    DST,
    LONG,
    PARTIAL,
    POWER_FAIL,
    SIZE,
    SKIPPED,
    Profile,
)
from meter_support import Flash, PowerCut, offset_body, ring, system_body
from support import allocated

DAY = day_number(26, 11, 20)
BLOCK = 977
TABLE = 10 * BLOCK


class Registers:
    """Two registers that somebody else counts."""

    def __init__(self):
        self.values = [1000, 7]

    def wh(self, direction):
        return self.values[direction]


def new(flash=None):
    return Profile(ring(flash or Flash(), SIZE))


def record(profile, day, a, b, registers=None, flags=0, code=0):
    """Intervals a..b-1 of a day; each uses 10 Wh more, and 1 Wh is fed in."""
    registers = registers or Registers()
    for interval in range(a, b):
        registers.values[0] += 10
        registers.values[1] += 1
        assert profile.end(day, interval, flags, code, registers)


def table(profile):
    body = bytearray(TABLE)
    profile.read(0, TABLE, body, 0)
    return bytes(body)


def block(body, place):
    """(end time, set of intervals there are, all 96 intervals as (status, status, fwd, rev))."""
    body = body[place * BLOCK : (place + 1) * BLOCK]
    there = [k for k in range(96) if body[5 + (k >> 3)] >> (k & 7) & 1]
    intervals = [struct.unpack_from("<BBii", body, 17 + 10 * k) for k in range(96)]
    return tuple(body[:5]), there, intervals


def status(profile):
    """BT63: flags, valid blocks, last block, sequence, unread, valid intervals."""
    body = bytearray(13)
    profile.show_status(body, True)
    return struct.unpack_from("<BHHIHH", body, 0)


def test_nothing_recorded():
    profile = new()
    assert table(profile) == bytes(TABLE)
    assert status(profile) == (0x24, 0, 0, 0, 0, 0)
    assert profile.day == -1
    internal = bytearray(131)
    profile.show_internal(internal, 0, calendar())
    assert internal == bytes(131)


def test_a_day():
    profile = new()
    record(profile, DAY, 0, 96)
    end, there, intervals = block(table(profile), 0)
    assert end == (26, 11, 21, 0, 0)
    assert there == list(range(96))
    assert intervals == [(0, 0, 1010 + 10 * k, 8 + k) for k in range(96)]
    assert status(profile) == (0x24, 1, 0, 0, 1, 96)
    assert table(profile)[BLOCK:] == bytes(TABLE - BLOCK)


def test_the_end_time_is_that_of_the_newest_interval():
    profile = new()
    record(profile, DAY, 38, 39)
    assert block(table(profile), 0)[:2] == ((26, 11, 20, 9, 45), [38])
    record(profile, DAY, 39, 42)
    assert block(table(profile), 0)[:2] == ((26, 11, 20, 10, 30), [38, 39, 40, 41])
    assert status(profile)[5] == 4


def test_the_eleventh_day_takes_the_place_of_the_first():
    flash = Flash()
    profile = new(flash)
    registers = Registers()
    for day in range(12):
        record(profile, DAY + day, 0, 96 if day < 11 else 3, registers)
    body = table(profile)
    assert block(body, 2)[0] == (26, 11, 23, 0, 0)  # day 2
    assert block(body, 0)[0] == (26, 12, 1, 0, 0)  # day 10
    assert block(body, 1)[:2] == ((26, 12, 1, 0, 45), [0, 1, 2])  # day 11
    assert block(body, 1)[2][2][2] == 1000 + 10 * (11 * 96 + 3)
    assert status(profile) == (0x26, 10, 1, 11, 10, 3)
    assert table(new(flash)) == body


def test_the_guide_s_way_to_the_newest_block_and_interval():
    """MEP p.31: offsets out of BT63 and ET21."""
    profile = new()
    registers = Registers()
    for day in range(3):
        record(profile, DAY + day, 0, 96 if day < 2 else 37, registers)
    internal = bytearray(131)
    internal[8:13] = struct.pack("<IB", BLOCK, 17)  # the two that never change
    internal[25] = 10
    profile.show_internal(internal, DST, calendar())
    last = status(profile)[2]
    size, header = struct.unpack_from("<IH", internal, 8)
    body = table(profile)
    full = (last - 1) % 10 * size
    assert body[full : full + 5] == bytes((26, 11, 22, 0, 0))
    newest = last * size + header + struct.unpack_from("<H", internal, 20)[0] * internal[25]
    assert struct.unpack_from("<ii", body, newest + 2) == (registers.wh(0), registers.wh(1))
    assert struct.unpack_from("<HHHH", internal, 14) == (3, 37, 2, 36)
    assert struct.unpack_from("<II", internal, 0) == (last * size, newest)
    assert internal[27] == DST
    assert bytes(internal[83:89]) == bytes((26, 11, 22, 0, 0, 0))
    assert bytes(internal[94:100]) == bytes((26, 11, 22, 9, 15, 0))
    assert bytes(internal[101:107]) == bytes((26, 11, 22, 10, 15, 0))


def calendar():
    return Calendar(offset_body(2, 60, 60), bytes(808), system_body())


def test_status_of_intervals():
    profile = new()
    registers = Registers()
    record(profile, DAY, 10, 11, registers, DST | POWER_FAIL, PARTIAL)
    record(profile, DAY, 11, 12, registers, CLOCK_FORWARD, SKIPPED)
    record(profile, DAY, 12, 13, registers, CLOCK_BACK, LONG)
    record(profile, DAY, 13, 14, registers)
    intervals = block(table(profile), 0)[2]
    assert intervals[10] == (0x32, 0x20, 1010, 8)
    assert intervals[11] == (0x44, 0x40, 0, 0)
    assert intervals[12] == (0x83, 0x30, 1030, 10)
    assert intervals[13] == (0, 0, 1040, 11)


def test_an_interval_is_recorded_once():
    profile = new()
    registers = Registers()
    record(profile, DAY, 5, 8, registers)
    before = table(profile)
    for day, interval in ((DAY, 7), (DAY, 5), (DAY, 0), (DAY - 1, 95)):
        assert not profile.end(day, interval, 0, 0, registers)
    assert table(profile) == before
    assert profile.end(DAY, 8, 0, 0, registers)


def test_a_hole_begins_a_block():
    profile = new()
    record(profile, DAY, 5, 8)
    record(profile, DAY, 50, 52)
    body = table(profile)
    assert block(body, 0)[:2] == ((26, 11, 20, 2, 0), [5, 6, 7])
    assert block(body, 1)[:2] == ((26, 11, 20, 13, 0), [50, 51])


def test_set_back_begins_a_block_and_loses_nothing():
    flash = Flash()
    profile = new(flash)
    record(profile, DAY, 40, 50)
    profile.set_back(DAY, 30 * 900 + 700)
    record(profile, DAY, 30, 45)
    body = table(profile)
    assert block(body, 0)[1] == list(range(40, 50))
    assert block(body, 1)[1] == list(range(30, 45))
    profile.set_back(DAY - 3, 95 * 900)
    record(profile, DAY - 3, 95, 96)
    body = table(profile)
    assert block(body, 2)[:2] == ((26, 11, 18, 0, 0), [95])
    assert table(new(flash)) == body


def test_set_back_within_the_newest_interval_records_nothing_twice():
    profile = new()
    record(profile, DAY, 40, 41)
    profile.set_back(DAY, 40 * 900 + 899)
    assert not profile.end(DAY, 40, CLOCK_BACK, LONG, Registers())
    record(profile, DAY, 41, 42)
    assert block(table(profile), 0)[1] == [40, 41]


def test_found_again_after_every_record():
    flash = Flash()
    registers = Registers()
    profile = new(flash)
    for k in range(1100):
        if k % 13 == 5:
            profile.set_back(DAY - 1, 0)  # many short blocks
            profile = new(flash)  # and a start that forgets about it
        record(profile, DAY + k // 96, k % 96, k % 96 + 1, registers)
        profile._ring.tend()
        if k % 61 == 0 or k > 1095:
            again = new(flash)
            assert table(again) == table(profile), k
            assert status(again) == status(profile), k
            assert (again.day, again.interval) == (profile.day, profile.interval)


def test_power_cut_at_each_operation():
    """What was recorded stays, and the intervals keep their places around what was torn."""
    for cut in range(0, 75, 2):
        flash = Flash()
        flash.left = cut
        registers = Registers()
        done = 0
        cuts = 0
        profile = None
        while done < 150:
            try:
                profile = profile or new(flash)
                while done < 150:
                    registers.values[0] = 1000 + 10 * done
                    profile.end(DAY + done // 96, done % 96, 0, 0, registers)
                    done += 1
                    profile._ring.tend()
            except PowerCut:
                cuts += 1
                flash.left = (cut, -1)[cuts > 1]  # twice
                profile = None
        for whole in (profile, new(flash)):
            body = table(whole)
            for place in (0, 1):
                _, there, intervals = block(body, place)
                assert there == list(range(96 if place == 0 else 54)), cut
                for k in there:
                    assert intervals[k] == (0, 0, 1000 + 10 * (96 * place + k), 7), (cut, k)
        assert cuts == 2


def test_a_damaged_record_reads_as_skipped():
    for damaged in (0, 5, 19):
        flash = Flash()
        profile = new(flash)
        record(profile, DAY, 0, 20)
        flash.octets[32 * damaged + 12] ^= 0x55
        intervals = block(table(profile), 0)[2]
        for k in range(20):
            expected = (4, 0x40, 0, 0) if k == damaged else (0, 0, 1010 + 10 * k, 8 + k)
            assert intervals[k] == expected, (damaged, k)
        intervals = block(table(new(flash)), 0)[2]
        for k in range(19):
            expected = (4, 0x40, 0, 0) if k == damaged else (0, 0, 1010 + 10 * k, 8 + k)
            assert intervals[k] == expected, (damaged, k)


def test_damage_at_the_edges_of_blocks():
    """A block without its first or last record, and one of whose only record nothing is left."""
    for damaged in (95, 96, 100):
        flash = Flash()
        profile = new(flash)
        registers = Registers()
        record(profile, DAY, 0, 96, registers)
        record(profile, DAY + 1, 0, 4, registers)
        record(profile, DAY + 2, 50, 51, registers)
        record(profile, DAY + 3, 0, 96, registers)
        flash.octets[32 * damaged + 12] ^= 0x55
        skipped = (4, 0x40, 0, 0)
        for found in (profile, new(flash)):
            body = table(found)
            blocks = [block(body, place)[2] for place in range(4)]
            assert blocks[0][94] == (0, 0, 1950, 102)
            if damaged == 95:  # a start does not know of what came last and is gone
                assert blocks[0][95] == (skipped if found is profile else (0, 0, 0, 0))
            else:
                assert blocks[0][95] == (0, 0, 1960, 103)
            assert blocks[1][0] == (skipped if damaged == 96 else (0, 0, 1970, 104))
            assert blocks[1][1:4] == [(0, 0, 1980 + 10 * k, 105 + k) for k in range(3)]
            assert blocks[3] == [(0, 0, 2020 + 10 * k, 109 + k) for k in range(96)]
            assert status(found)[1:4] == (4, 3, 3)
        assert block(table(new(flash)), 2)[1] == ([] if damaged == 100 else [50])


def test_records_of_another_time_are_not_blocks():
    """The ring holds more than ten blocks: those before are not found, nor taken for one."""
    flash = Flash()
    profile = new(flash)
    for day in range(15):
        record(profile, DAY + day, 7, 8)
    assert table(new(flash)) == table(profile)
    assert status(new(flash)) == status(profile) == (0x26, 10, 4, 14, 10, 1)


def test_any_piece_is_a_piece_of_the_whole():
    profile = new()
    registers = Registers()
    for day in range(3):
        record(profile, DAY + day, 7 * day, 90, registers)
    whole = table(profile)
    buf = bytearray(100)
    for offset in list(range(0, TABLE - 84, 61)) + [BLOCK - 1, BLOCK, BLOCK + 17, TABLE - 84]:
        for n in (84, 1, 10, 17):
            buf[:] = b"\xee" * 100
            profile.read(offset, n, buf, 8)
            assert bytes(buf[8 : 8 + n]) == whole[offset : offset + n], (offset, n)
            assert bytes(buf[:8]) + bytes(buf[8 + n :]) == b"\xee" * (100 - n)


def test_a_ring_that_is_too_small():
    try:
        new(Flash(4))
    except ValueError:
        return
    raise AssertionError("taken")


def test_allocation():
    profile = new()
    record(profile, DAY, 0, 96)
    buf = bytearray(100)
    assert allocated(lambda: profile.read(5, 84, buf, 3)) in (None, 0)
    assert allocated(lambda: profile.read(BLOCK - 30, 84, buf, 3)) in (None, 0)
    body = bytearray(13)
    assert allocated(lambda: profile.show_status(body, True)) in (None, 0)
    internal = bytearray(131)
    local = calendar()
    assert allocated(lambda: profile.show_internal(internal, 0, local)) in (None, 0)
