"""The load profile's sets together: tables, time, configuration, what is unread."""

import struct

import rare
from meter.profile_set import (
    CLOCK_BACK,
    CLOCK_FORWARD,
    DST,
    LONG,
    PARTIAL,
    POWER_FAIL,
    SKIPPED,
)
from meter.profiles import OVERFLOW, QUARTER, UNREAD
from meter_support import PowerCut
from profile_support import DAY, World, block, interval

HOUR = 3600


def times(world, k, shape):
    """(block, interval) -> (status of channel 0 with the flags, value of channel 0)."""
    found = {}
    for place in range(world.profiles.sets[k].blocks):
        _, there, intervals = block(world.table(k), place, shape)
        for one in there:
            marks, values = intervals[one]
            found[place, one] = marks[0], values[0]
    return found


def test_the_tables_of_a_new_meter():
    world = World()
    shape = struct.unpack_from("<IHBHHBB", world.model.bodies[61], 0)
    assert shape == (9770, 0xC00, 0x20, 10, 96, 2, 15)
    assert world.model.bodies[61][13:] == bytes(18)
    assert world.model.sizes == {62: 10, 64: 9770, 65: 0, 66: 0, 67: 0}
    assert world.model.read(62, 10) == b"\0\0\0\0\1\0\x20\x20\x20\x20"
    assert [world.status(k)[0] for k in range(4)] == [4, 0, 0, 0]
    assert [struct.unpack_from("<I", world.internal(k), 107)[0] for k in range(4)] == [
        49152,
        40960,
        40960,
        40960,
    ]
    assert world.internal(2)[:107] == bytes(107)
    assert world.model.read(2114, 128) == bytes(128)
    assert len(world.rings) == 1


def test_configure():
    world = World()
    world.go(HOUR)
    before = world.table(0)
    assert world.configure(2, 4, 24, 60, (8, 112, 15), 90)
    for _ in range(2):
        assert struct.unpack_from("<HHBB", world.model.bodies[61], 19) == (4, 24, 3, 60)
        assert struct.unpack_from("<I", world.model.bodies[61], 0)[0] == 9770 + 4 * (8 + 24 * 14)
        assert world.model.sizes[62] == 19
        control = b"\0\0\0\0\1\0\x20" + b"\x20" + b"\0\x08\0\0\x70\0\0\x0f\0\x20" + b"\x20"
        assert world.model.read(62, 19) == control
        for offset in range(19):
            assert world.model.read(62, 19 - offset, offset) == control[offset:]
        assert world.model.sizes[66] == len(world.table(2)) == 4 * (8 + 24 * 14)
        internal = world.internal(2)
        assert struct.unpack_from("<I", internal, 78)[0] == 1
        assert tuple(internal[89:91]) == (1, 30)
        whole = world.model.read(2069, 524)
        assert whole[262:393] == internal
        for offset in (0, 100, 130, 131, 200, 440):
            assert world.model.read(2069, 84, offset) == whole[offset : offset + 84]
        assert world.table(0) == before
        assert len(world.rings) == 2
        world.start()
    assert world.configure(2, 0, 0, 0, ())
    assert world.model.sizes[62] == 10
    assert world.model.sizes[66] == 0
    assert len(world.rings) == 1
    assert world.profiles.sets[2] is None


def test_there_is_no_room():
    world = World()
    before = bytes(world.model.bodies[61])
    for shape in ((11, 96, 15, (0,) * 4), (1026, 1, 1, (0,)), (1, 1440, 1, (0,))):
        blocks, intervals, time, sources = shape
        assert not world.configure(1, blocks, intervals, time, sources)
    assert bytes(world.model.bodies[61]) == before
    assert world.settings.replaced == 0
    assert len(world.rings) == 1
    assert world.configure(1, 1025, 1, 1, (0,))
    assert world.configure(1, 1, 337, 1, (0,) * 16)


def test_each_set_has_its_own_intervals():
    world = World()
    world.registers.second = 10 * HOUR + 17 * 60 + 3
    start = world.registers.second
    world.configure(1, 20, 30, 1, (0,))
    world.configure(2, 4, 24, 60, (0,))
    world.configure(3, 5, 10, 84, (0,), 600)
    world.go(86400 + 2 * HOUR)

    def value(end):
        return end - start

    quarters = times(world, 0, (96, 2))
    assert len(quarters) == 104
    assert quarters[0, 41] == (0, value(10 * HOUR + 1800))
    assert quarters[1, 48] == (0, value(86400 + 12 * HOUR + 900))
    hours = times(world, 2, (24, 1))
    assert hours == {(k // 24, k % 24): (0, value((k + 1) * HOUR)) for k in range(10, 36)}
    assert list(times(world, 3, (10, 1)).values()) == [(0, value(86400 + 10 * HOUR))]
    minutes = times(world, 1, (30, 1))
    assert len(minutes) == 19 * 30 + 17  # the newest block is begun
    newest = max(minutes.values())
    assert newest == (0, value((start + 86400 + 2 * HOUR) // 60 * 60))


def test_nothing_of_an_older_configuration_comes_back():
    """Shapes of one record size and of others in turn, over one ring."""
    world = World()
    shapes = ((3, 24, (0, 1)), (3, 24, (2, 3)), (3, 24, (4,) * 9), (5, 10, (5, 6)), (2, 20, (0,)))
    for k in range(15):
        blocks, intervals, sources = shapes[k % 5]
        assert world.configure(1, blocks, intervals, 15, sources)
        begun = world.more
        count = 0
        assert world.status(1)[1:] == (0, 0, 0, 0, 0)
        for part in range(4):
            hours = k * 7 % 11 + 1
            world.go(hours * HOUR)
            count += 4 * hours
            found = times(world, 1, (intervals, len(sources)))
            assert len(found) <= count
            assert len(found) > min(count, (blocks - 1) * intervals) - intervals
            for status, value in found.values():
                assert status == 0
                assert begun <= value - 1000 * sources[0] <= world.more
            if part % 2:
                world.start()
                assert times(world, 1, (intervals, len(sources))) == found
    assert struct.unpack_from("<I", world.internal(1), 78)[0] == 15


def test_power_cut_while_it_is_configured():
    """Old or new, and each goes on recording."""
    for fails in range(3):
        world = World()
        world.configure(1, 3, 24, 60, (0, 1))
        world.go(5 * HOUR)
        old = world.table(1)

        def cut(name, fails=fails, world=world):
            if fails == 1:
                raise PowerCut

        world.settings.on_replace = cut
        try:
            world.configure(1, 4, 12, 30, (2,))
            if fails == 2:
                raise PowerCut
        except PowerCut:
            world.settings.on_replace = None
            world.start()
        if fails == 1:
            assert world.table(1) == old
        else:
            assert len(world.table(1)) == 4 * (7 + 12 * 5)
            assert not times(world, 1, (12, 1))
        world.clock("until", world.registers.day, world.registers.second)
        world.go(HOUR)
        assert world.status(1)[5] == (6 if fails == 1 else 2)


def test_a_reset_empties_a_set():
    world = World()
    world.go(30 * HOUR)
    world.profiles.sets[0].reset_list()
    for _ in range(2):
        assert world.table(0) == bytes(9770)
        assert world.status(0) == (0x04, 0, 0, 0, 0, 0)
        world.start()
    world.go(HOUR)
    assert world.status(0) == (0x04, 1, 0, 0, 1, 4)
    assert struct.unpack_from("<I", world.internal(0), 78)[0] == 2
    assert world.internal(0)[83:89] == bytes((26, 11, 21, 6, 0, 0))


def test_unread_blocks():
    world = World()
    world.configure(1, 3, 2, 60, (0,))
    world.events.alarms.clear()
    world.go(900)
    assert world.events.posted == [(UNREAD, 1)]
    world.go(6 * HOUR)
    assert world.status(1) == (0x04, 3, 2, 2, 3, 2)
    assert world.events.posted == [(UNREAD, 1), (UNREAD, 2)]
    world.go(HOUR)  # the fourth block begins
    assert world.status(1) == (0x06, 3, 0, 3, 3, 1)
    assert world.events.posted[2:] == [(OVERFLOW, 2)]
    world.go(2 * HOUR)
    assert world.events.posted[3:] == []  # it is told once
    world.profiles.sets[1].read_entries(2)
    assert world.events.alarms == []
    for _ in range(2):
        assert world.status(1) == (0x04, 3, 1, 4, 1, 1)
        world.start()
    world.profiles.sets[1].read_entries(9)
    assert world.status(1)[4] == 0
    assert world.events.alarms == [(16, False)]  # BT03 octet 3 bit 0
    world.go(2 * HOUR)
    assert world.status(1)[4] == 1
    assert world.events.posted == [(UNREAD, 2)]
    world.profiles.sets[0].reset_list()
    assert world.events.alarms[1:] == [(54, False)]


def test_mapped_sources():
    world = World()
    world.configure(1, 3, 24, 60, (112, 113, 114))
    for source, extended in ((112, 28), (114, 0x4001)):
        setup = (source, extended)
        assert rare.run("meter.profile_setup", world.profiles, 0, "map", setup)
    mapping = struct.unpack("<64H", world.model.read(2114, 128))
    assert mapping[:4] == (28, 0, 0x4001, 0)
    world.go(HOUR)
    _, _, found = block(world.table(1), 0, (24, 3))
    assert found[0] == (b"\x00\x0a", (31600, 3600, 0))  # nobody has the third
    world.start()
    assert struct.unpack("<64H", world.model.read(2114, 128)) == mapping


def test_what_is_missing_is_told_in_each_set():
    """Power fails from 1:10 to 4:20; the quarter hour is told as a set is."""
    world = World()
    world.configure(1, 4, 60, 10, (0,))
    world.configure(2, 4, 24, 60, (0,))
    world.configure(3, 4, 24, 84, (0,))
    profiles = world.profiles
    world.go(4200)
    profiles.missing |= POWER_FAIL
    world.clock("until", DAY, 15600)
    assert world.registers.status[QUARTER] == POWER_FAIL | PARTIAL
    world.go(86400 - 4200)
    tens = {k[1] + 60 * k[0]: one[0] for k, one in times(world, 1, (60, 1)).items()}
    assert [k for k in range(144) if tens[k] == POWER_FAIL | SKIPPED] == list(range(7, 26))
    assert not any(tens[k] for k in range(144) if not 7 <= k < 26)
    hours = [times(world, 2, (24, 1))[0, k] for k in range(24)]
    assert [one[0] for one in hours] == [0, 0x22, 0x24, 0x24, 0x22] + [0] * 19
    assert hours[3][1] == 0
    assert hours[4][1] == 5 * HOUR
    assert list(times(world, 3, (24, 1)).values()) == [(0x22, 86400)]


def test_clock_set_back_is_told_in_each_set():
    world = World()
    world.configure(2, 4, 24, 60, (0,))
    world.go(3 * HOUR + 60)
    world.registers.second = 2 * HOUR + 600
    world.clock("back", DAY, 2 * HOUR + 600)
    world.clock("until", DAY, 2 * HOUR + 600)
    world.go(2 * HOUR)
    quarters = times(world, 0, (96, 2))
    assert quarters[0, 11] == (0, 3 * HOUR)
    assert quarters[1, 8] == (CLOCK_BACK | LONG, 3 * HOUR + 360)
    assert quarters[1, 9][0] == 0
    assert times(world, 2, (24, 1)) == {
        (0, 0): (0, HOUR),
        (0, 1): (0, 2 * HOUR),
        (0, 2): (0, 3 * HOUR),
        (0, 3): (CLOCK_BACK | LONG, 3 * HOUR + 60 + 6600),
    }


def test_flags_last_as_long_as_an_interval():
    world = World()
    world.configure(2, 4, 24, 60, (0,))
    world.clock("begin", DAY, 0)
    assert world.registers.status[0] == 0  # nothing began before
    world.go(100)
    world.clock("begin", DAY, 100)
    world.go(1000)
    world.profiles.dst = DST
    world.profiles.left = 0
    world.go(1900)
    world.profiles.dst = 0
    world.go(2 * HOUR)
    found = times(world, 0, (96, 2))
    assert [found[0, k][0] for k in range(6)] == [CLOCK_FORWARD | PARTIAL, DST, DST, DST, 0, 0]
    assert times(world, 2, (24, 1))[0, 0][0] == CLOCK_FORWARD | PARTIAL | DST
    assert times(world, 2, (24, 1))[0, 1][0] == 0


def test_the_past_is_not_recorded_where_it_would_be_gone_at_once():
    """Nine days are made up for; a set of twelve hours records the last day and a half."""
    for filling in (False, True):
        world = World()
        world.configure(1, 12, 60, 1, (0,))
        profiles = world.profiles
        world.registers.filling = filling
        profiles.missing = POWER_FAIL
        world.clock("until", DAY + 9, 43200)
        world.go(9 * 86400 + 43200)
        minutes = times(world, 1, (60, 1))
        assert len(minutes) == 720
        assert world.profiles.sets[1].sequence < 48 + 12
        statuses = {one[0] for one in minutes.values()}
        assert statuses == ({0} if filling else {POWER_FAIL | SKIPPED})
        quarters = times(world, 0, (96, 2))
        assert len(quarters) == 9 * 96 + 48
        world.go(60)
        assert (0, world.more) in times(world, 1, (60, 1)).values()


def test_a_start_after_the_clock_was_set_back():
    """What comes is recorded, although what was recorded lies ahead."""
    world = World()
    world.go(12 * HOUR)
    world.clock("back", DAY, 6 * HOUR + 60)
    world.registers.second = 6 * HOUR + 60
    world.clock("until", DAY, 6 * HOUR + 60)
    world.start()
    world.clock("again", DAY, 6 * HOUR + 60)
    world.clock("until", DAY, 6 * HOUR + 60)
    world.go(HOUR)
    assert world.status(0)[1:] == (2, 1, 1, 2, 4)
    found = times(world, 0, (96, 2))
    assert found[1, 24][0] == CLOCK_BACK | LONG
    assert found[0, 47] == (0, 12 * HOUR)


def test_all_was_read_and_then_the_newest_record_is_damaged():
    world = World()
    world.configure(1, 3, 1, 60, (0,))
    world.go(3 * HOUR)
    world.profiles.sets[1].read_entries(9)
    world.sets.flash[1].octets[2 * 32 + 16] ^= 1
    world.start()
    assert world.status(1) == (0x04, 2, 1, 1, 0, 1)


def test_a_start_makes_sure_of_the_record():
    """The snapshot at an interval's end precedes the record."""
    world = World()
    world.go(900)
    expected = world.table(0)
    world.profiles.sets[0].reset_list()
    world.registers.status[0] = 0
    world.clock("again", DAY, 900)
    assert times(world, 0, (96, 2)) == {(0, 0): (0, 900)}
    assert world.table(0) == expected
    world.clock("again", DAY, 900)
    assert world.table(0) == expected


def test_skipped_intervals_have_no_values():
    assert interval(SKIPPED | POWER_FAIL, (5, 6, 7)) == (b"\x24\x44", (0, 0, 0))
