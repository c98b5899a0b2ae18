"""One data set of the load profile: BT64 as a reader finds it, whatever clock and power did."""

import struct

from meter.profile_set import (
    CLOCK_BACK,
    CLOCK_FORWARD,
    DST,
    LONG,
    PARTIAL,
    POWER_FAIL,
    SKIPPED,
)
from meter.profile_setup import record_size
from meter_support import PowerCut
from profile_support import DAY, World, block, interval
from support import allocated

SHAPE = (96, 2)
BLOCK = 977
TABLE = 10 * BLOCK


def blocks(world):
    body = world.table()
    return [block(body, place, SHAPE) for place in range(10)]


def good(more, status=0):
    return interval(status, (more, 1000 + more))


def test_nothing_recorded():
    world = World()
    assert world.table() == bytes(TABLE)
    assert world.status() == (0x04, 0, 0, 0, 0, 0)
    assert world.profiles.sets[0].newest == -1
    internal = world.internal()
    assert internal[:8] == bytes(8)
    assert struct.unpack_from("<IH", internal, 8) == (BLOCK, 17)
    assert internal[14:22] == bytes(8)
    assert internal[22:30] == bytes((5, 12, 17, 10, 2, 0, 2, 15))
    assert internal[83:111] == bytes(24) + struct.pack("<I", 12 * 4096)


def test_a_day():
    world = World()
    world.record(DAY, 0, 96)
    end, there, intervals = blocks(world)[0]
    assert end == (26, 11, 21, 0, 0)
    assert there == list(range(96))
    assert intervals == [good(10 * k + 10) for k in range(96)]
    assert world.status() == (0x04, 1, 0, 0, 1, 96)
    assert world.table()[BLOCK:] == bytes(TABLE - BLOCK)


def test_the_end_time_is_that_of_the_newest_interval():
    world = World()
    world.record(DAY, 38, 39)
    assert blocks(world)[0][:2] == ((26, 11, 20, 9, 45), [38])
    world.record(DAY, 39, 42)
    assert blocks(world)[0][:2] == ((26, 11, 20, 10, 30), [38, 39, 40, 41])
    assert world.status()[5] == 4


def test_the_eleventh_day_takes_the_place_of_the_first():
    world = World()
    for day in range(12):
        world.record(DAY + day, 0, 96 if day < 11 else 3)
    found = blocks(world)
    assert found[2][0] == (26, 11, 23, 0, 0)  # day 2
    assert found[0][0] == (26, 12, 1, 0, 0)  # day 10
    assert found[1][:2] == ((26, 12, 1, 0, 45), [0, 1, 2])  # day 11
    assert found[1][2][2] == good(10 * (11 * 96 + 3))
    assert world.status() == (0x06, 10, 1, 11, 10, 3)
    body = world.table()
    world.start()
    assert world.table() == body


def test_the_guide_s_way_to_the_newest_block_and_interval():
    """MEP p.31: offsets out of BT63 and ET21."""
    world = World()
    for day in range(3):
        world.record(DAY + day, 0, 96 if day < 2 else 37)
    world.registers.status[0] = DST | PARTIAL
    internal = world.internal()
    last = world.status()[2]
    size, header = struct.unpack_from("<IH", internal, 8)
    body = world.table()
    full = (last - 1) % 10 * size
    assert body[full : full + 5] == bytes((26, 11, 22, 0, 0))
    newest = last * size + header + struct.unpack_from("<H", internal, 20)[0] * internal[25]
    assert struct.unpack_from("<ii", body, newest + 2) == (world.more, 1000 + world.more)
    assert struct.unpack_from("<HHHH", internal, 14) == (3, 37, 2, 36)
    assert struct.unpack_from("<II", internal, 0) == (last * size, newest)
    assert internal[27] == DST
    assert internal[30:38] == bytes((0, 1)) + bytes(6)
    assert bytes(internal[83:89]) == bytes((26, 11, 22, 0, 0, 0))
    assert bytes(internal[94:100]) == bytes((26, 11, 22, 9, 15, 0))
    assert bytes(internal[101:107]) == bytes((26, 11, 22, 10, 15, 0))


def test_status_of_intervals():
    world = World()
    marked = (DST | POWER_FAIL | PARTIAL, CLOCK_FORWARD | SKIPPED, CLOCK_BACK | LONG, 0)
    for k, status in enumerate(marked):
        world.record(DAY, 10 + k, 11 + k, 0, status)
    intervals = blocks(world)[0][2]
    assert intervals[10] == (b"\x32\x20", (10, 1010))
    assert intervals[11] == (b"\x44\x40", (0, 0))
    assert intervals[12] == (b"\x83\x30", (30, 1030))
    assert intervals[13] == (b"\0\0", (40, 1040))


def test_a_value_that_nobody_has():
    """Of the codes that apply the guide's most important one stands (MEP p.240)."""
    world = World()
    world.missing = (1,)
    for k, status in enumerate((0, LONG, SKIPPED)):
        world.record(DAY, k, k + 1, 0, status)
    intervals = blocks(world)[0][2]
    assert intervals[0] == (b"\x00\xa0", (10, 0))
    assert intervals[1] == (b"\x03\xa0", (20, 0))
    assert intervals[2] == (b"\x04\x40", (0, 0))
    world.model.bodies[2052][71] = 0x08  # the host wants such a channel to be skipped
    world.record(DAY, 3, 4)
    assert blocks(world)[0][2][3] == (b"\x00\x40", (40, 0))


def test_an_interval_is_recorded_once():
    world = World()
    world.record(DAY, 5, 8)
    before = world.table()
    one = world.profiles.sets[0]
    for day, second in ((DAY, 7200), (DAY, 5400), (DAY, 900), (DAY - 1, 86400)):
        assert not one.end(day, second, 0)
    assert world.table() == before
    assert one.end(DAY, 8100, 0)


def test_a_hole_begins_a_block():
    world = World()
    world.record(DAY, 5, 8)
    world.record(DAY, 50, 52)
    assert blocks(world)[0][:2] == ((26, 11, 20, 2, 0), [5, 6, 7])
    assert blocks(world)[1][:2] == ((26, 11, 20, 13, 0), [50, 51])


def test_set_back_begins_a_block_and_loses_nothing():
    world = World()
    world.record(DAY, 40, 50)
    world.clock("back", DAY, 30 * 900 + 700)
    world.record(DAY, 30, 45)
    assert blocks(world)[0][1] == list(range(40, 50))
    assert blocks(world)[1][1] == list(range(30, 45))
    world.clock("back", DAY - 3, 95 * 900)
    world.record(DAY - 3, 95, 96)
    assert blocks(world)[2][:2] == ((26, 11, 18, 0, 0), [95])
    body = world.table()
    world.start()
    assert world.table() == body


def test_set_back_within_the_newest_interval_records_nothing_twice():
    world = World()
    world.record(DAY, 40, 41)
    world.clock("back", DAY, 40 * 900 + 899)
    assert not world.profiles.sets[0].end(DAY, 41 * 900, CLOCK_BACK | LONG)
    world.record(DAY, 41, 42)
    assert blocks(world)[0][1] == [40, 41]


def test_found_again_after_every_record():
    world = World()
    for k in range(1100):
        if k % 13 == 5:
            world.clock("back", DAY - 1, 0)  # many short blocks
            world.start()  # and a start that forgets about it
        world.record(DAY + k // 96, k % 96, k % 96 + 1)
        world.tend()
        if k % 61 == 0 or k > 1095:
            body, status = world.table(), world.status()
            newest = world.profiles.sets[0].newest
            world.start()
            assert world.table() == body, k
            assert world.status() == status, k
            assert world.profiles.sets[0].newest == newest


def test_power_cut_at_each_operation():
    """What was recorded stays, and the intervals keep their places around what was torn."""
    for cut in range(0, 75, 2):
        world = World()
        flash = world.sets.flash[0]
        flash.left = cut
        done = 0
        cuts = 0
        while done < 150:
            try:
                while done < 150:
                    world.more = 10 * done
                    world.profiles.sets[0].end(DAY + done // 96, (done % 96 + 1) * 900, 0)
                    done += 1
                    world.tend()
            except PowerCut:
                cuts += 1
                flash.left = (cut, -1)[cuts > 1]  # twice
                world.start()
        for _ in range(2):
            found = blocks(world)
            for place in (0, 1):
                _, there, intervals = found[place]
                assert there == list(range(96 if place == 0 else 54)), cut
                for k in there:
                    assert intervals[k] == good(10 * (96 * place + k)), (cut, k)
            world.start()
        assert cuts == 2


def test_a_damaged_record_reads_as_skipped():
    for damaged in (0, 5, 18):
        world = World()
        world.record(DAY, 0, 20)
        world.sets.flash[0].octets[32 * damaged + 16] ^= 0x55
        for _ in range(2):
            world.start()
            intervals = blocks(world)[0][2]
            for k in range(20):
                skipped = interval(SKIPPED, (0, 0))
                assert intervals[k] == (skipped if k == damaged else good(10 * k + 10))


def test_damage_at_the_edges_of_blocks():
    """A block without its first or last record, and one of whose only record nothing is left."""
    for damaged in (95, 96, 100):
        world = World()
        world.record(DAY, 0, 96)
        world.record(DAY + 1, 0, 4)
        world.record(DAY + 2, 50, 51)
        world.record(DAY + 3, 0, 96)
        world.sets.flash[0].octets[32 * damaged + 16] ^= 0x55
        world.start()
        found = blocks(world)
        assert found[0][2][94] == good(950)
        assert found[0][2][95] == (good(960) if damaged != 95 else interval(0, (0, 0)))
        skipped = interval(SKIPPED, (0, 0))
        assert found[1][2][0] == (skipped if damaged == 96 else good(970))
        assert found[1][2][1:4] == [good(980 + 10 * k) for k in range(3)]
        assert found[2][1] == ([] if damaged == 100 else [50])
        assert found[3][2] == [good(1020 + 10 * k) for k in range(96)]
        assert world.status()[1:4] == (4, 3, 3)


def test_records_of_another_time_are_not_blocks():
    """The ring holds more than ten blocks: those before are not found, nor taken for one."""
    world = World()
    for day in range(15):
        world.record(DAY + day, 7, 8)
    body = world.table()
    assert world.status() == (0x06, 10, 4, 14, 10, 1)
    world.start()
    assert world.table() == body
    assert world.status() == (0x06, 10, 4, 14, 10, 1)


def test_any_piece_is_a_piece_of_the_whole():
    world = World()
    for day in range(3):
        world.record(DAY + day, 7 * day, 90)
    whole = world.table()
    buf = bytearray(100)
    read = world.profiles.sets[0].read
    for offset in list(range(0, TABLE - 84, 61)) + [BLOCK - 1, BLOCK, BLOCK + 17, TABLE - 84]:
        for n in (84, 1, 10, 17):
            buf[:] = b"\xee" * 100
            read(offset, n, buf, 8)
            assert bytes(buf[8 : 8 + n]) == whole[offset : offset + n], (offset, n)
            assert bytes(buf[:8]) + bytes(buf[8 + n :]) == b"\xee" * (100 - n)


def test_every_number_of_channels():
    for channels in range(1, 17):
        world = World()
        sources = [3 * k % 29 for k in range(channels)]
        world.shape(1, 3, 24, 60, sources)
        world.record(DAY, 20, 24, 1)
        world.record(DAY + 1, 0, 3, 1, CLOCK_FORWARD | PARTIAL)
        world.record(DAY + 1, 3, 4, 1, POWER_FAIL | SKIPPED)
        body = world.table(1)
        step = channels // 2 + 1 + 4 * channels
        assert len(body) == 3 * (8 + 24 * step)
        assert record_size(channels) == 10 + step
        end, there, found = block(body, 0, (24, channels))
        assert (end, there) == ((26, 11, 21, 0, 0), [20, 21, 22, 23])
        assert found[20] == interval(0, [1000 * s + 10 for s in sources])
        end, there, found = block(body, 1, (24, channels))
        assert (end, there) == ((26, 11, 21, 4, 0), [0, 1, 2, 3])
        assert found[2] == interval(0x42, [1000 * s + 70 for s in sources])
        assert found[3] == interval(0x24, sources)
        internal = world.internal(1)
        assert tuple(internal[24:27]) == (8, step, channels // 2 + 1)
        assert list(internal[30:38] + internal[70:78])[:channels] == sources
        world.sets.flash[1].octets[16] ^= 1
        world.start()
        assert block(world.table(1), 0, (24, channels))[2][20] == interval(SKIPPED, sources)


def test_blocks_that_are_no_days():
    """18 hours from 6:00 on 2000-01-01: blocks begin at 6:00, 0:00, 18:00, 12:00 (MEP p.30)."""
    world = World()
    world.shape(2, 4, 36, 30, (0,), 360)
    day = DAY - DAY % 3  # a multiple of three days later the blocks are where they were
    world.record(day, 12, 48, 2)
    world.record(day + 1, 0, 37, 2)
    found = [block(world.table(2), k, (36, 1)) for k in range(3)]
    ends = [one[0] for one in found]
    assert [one[3:] for one in ends] == [(0, 0), (18, 0), (18, 30)]
    assert [len(one[1]) for one in found] == [36, 36, 1]
    internal = world.internal(2)
    assert internal[86:89] == bytes((18, 0, 0))
    assert internal[89:91] == bytes((6, 0))


def test_intervals_of_a_day():
    world = World()
    world.shape(3, 5, 7, 84, (0, 1, 2), 360)
    one = world.profiles.sets[3]
    assert one.minutes == 1440
    assert (world.profiles.lengths[3], world.profiles.starts[3]) == (86400, 21600)
    for day in range(3):
        assert one.end(DAY + day, 21600, 0)
    end = [block(world.table(3), k, (7, 3))[0] for k in range(5)]
    assert (26, 11, 22, 6, 0) in end
    assert world.internal(3)[29] == 84


def test_allocation():
    world = World()
    world.record(DAY, 0, 96)
    world.record(DAY + 1, 5, 9)
    buf = bytearray(200)
    read = world.profiles.sets[0].read
    assert allocated(lambda: read(5, 84, buf, 3)) in (None, 0)
    assert allocated(lambda: read(BLOCK - 30, 84, buf, 3)) in (None, 0)

    def far_apart():
        read(500, 84, buf, 3)
        read(BLOCK + 60, 84, buf, 3)

    assert allocated(far_apart) in (None, 0)
    read_internal = world.model.readers[2069]
    assert allocated(lambda: read_internal(100, 84, buf, 0)) in (None, 0)
    read_control = world.model.readers[62]
    assert allocated(lambda: read_control(0, 10, buf, 0)) in (None, 0)
