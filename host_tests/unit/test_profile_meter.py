"""Several data sets on a whole meter: each has its own times, whatever clock and power did."""

import gc
import struct

import rare
from meter.clock import DAY
from meter_rig import NOON, TODAY, USED, Chip, Rig, until
from meter_support import PowerCut
from profile_support import block

HOUR = 3600


def configure(rig, k, blocks, intervals, time, sources):
    shape = blocks, intervals, 0, time, bytes(sources)
    assert rare.run("meter.profile_setup", rig.profiles, k, "configure", shape)


def found(rig, k):
    """(day, second of the interval's end) -> (extended status's first octet, first value)."""
    one = rig.profiles.sets[k]
    shape = one.intervals, len(one.sources)
    body = rig.read(64 + k)
    valid, _, newest = struct.unpack_from("<HHI", rig.read(63), 13 * k + 1)
    result = {}
    for sequence in range(newest - valid + 1, newest + 1):
        _, there, intervals = block(body, sequence % one.blocks, shape)
        assert there
        end = body[sequence % one.blocks * one.block_size :][:5]
        first = moment(end) - there[-1] * one.minutes * 60
        for n in there:
            marks, values = intervals[n]
            result[divmod(first + n * one.minutes * 60, DAY)] = marks[0], values[0]
    return result


def moment(stime):
    """Seconds from 2000 on."""
    from meter.clock import day_number

    return day_number(*stime[:3]) * DAY + stime[3] * 3600 + stime[4] * 60


def expected(moment):
    return until(USED, *moment) // 1000


def sets(rig):
    configure(rig, 1, 10, 60, 1, (0,))
    configure(rig, 2, 4, 24, 60, (0, 15, 8))
    configure(rig, 3, 9, 10, 84, (0,))


def test_the_past_and_the_present():
    rig = Rig()
    rig.sets.ring(1, 16)
    sets(rig)
    rig.set_clock()
    longest = 0
    while rig.meter.behind:
        before = rig.sets.flash[1].operations
        rig.meter.poll(rig.now)
        longest = max(longest, rig.sets.flash[1].operations - before)
        for one in rig.rings:
            one.tend()
    assert longest <= 3  # a slice is short, whatever there is to be made up for
    rig.pass_seconds(2 * HOUR, 20)
    hours, minutes, days = found(rig, 2), found(rig, 1), found(rig, 3)
    assert len(hours) == 62
    assert len(days) == 2
    assert len(minutes) > 9 * 60
    for values in (hours, minutes, days):
        for end, (status, value) in values.items():
            assert (status, value) == (0, expected(end)), end
    assert max(minutes) == (TODAY, NOON + 2 * HOUR - 30)
    assert rig.interval(TODAY, NOON // 900)[2] == expected((TODAY, (NOON // 900 + 1) * 900))


def test_clock_set_forward_and_back():
    rig = Rig()
    sets(rig)
    rig.set_clock()
    rig.catch_up()
    rig.set_clock(TODAY, NOON + 4000)
    rig.second += 4000
    rig.catch_up()
    rig.pass_seconds(HOUR, 10)
    minutes, hours = found(rig, 1), found(rig, 2)
    start = NOON - 30
    assert minutes[TODAY, start][0] == 0
    assert minutes[TODAY, start + 60][0] == 0x42
    assert {minutes[TODAY, start + 60 * k][0] for k in range(2, 68)} == {0x44}
    assert minutes[TODAY, start + 60 * 68][0] == 0x42
    assert minutes[TODAY, start + 60 * 69] == (0, expected((TODAY, start + 60 * 69)))
    assert hours[TODAY, 13 * HOUR][0] == 0x42  # a part of both is missing
    assert hours[TODAY, 14 * HOUR][0] == 0x42
    rig.set_clock(TODAY, 8 * HOUR)
    rig.second = 8 * HOUR
    rig.pass_seconds(HOUR, 10)
    assert found(rig, 2)[TODAY, 9 * HOUR][0] == 0x83
    assert found(rig, 1)[TODAY, 8 * HOUR + 60][0] == 0x83
    assert found(rig, 1)[TODAY, 8 * HOUR + 120][0] == 0


def test_what_marks_an_interval_outlives_a_power_cut():
    """The clock is set within an interval of a day, and the power goes before it ends."""
    rig = Rig(element=Chip())
    sets(rig)
    rig.set_clock()
    rig.catch_up()
    rig.pass_seconds(120)
    rig.set_clock(TODAY, rig.second + 10)
    rig.second += 10
    rig.pass_seconds(120)
    rig.sleep(600)
    rig.start()
    rig.set_clock()
    rig.catch_up()
    rig.pass_seconds(13 * HOUR, 60)
    assert [one[0] for one in found(rig, 3).values()] == [0x62]
    hours = found(rig, 2)
    assert hours[TODAY, 13 * HOUR][0] == 0x62
    assert hours[TODAY, 14 * HOUR][0] == 0


def test_power_cut_at_each_operation():
    """Nothing that was recorded is lost or wrong in any set."""
    for cut in range(0, 60, 4):
        power_cut(cut)
        gc.collect()  # 40 kB in one piece are wanted again


def power_cut(cut):
    rig = Rig(second=5 * HOUR)
    sets(rig)
    rig.set_clock()
    rig.catch_up()
    flashes = [flash for flash in rig.sets.flash if flash] + [rig.snapshots]
    for flash in flashes:
        flash.left = cut // (4, 1, 8, 20, 1)[flashes.index(flash)]
    cuts = 0
    while rig.second < 7 * HOUR:
        try:
            rig.pass_seconds(7 * HOUR - rig.second, 15)
        except PowerCut:
            cuts += 1
            for flash in flashes:
                flash.left = -1
            rig.sleep(15)
            rig.start()
            rig.set_clock()
            rig.catch_up()
    assert cuts == 1
    for k, step in ((0, 900), (1, 60), (2, HOUR), (3, DAY)):
        values = found(rig, k)
        ends = [a * DAY + b for a, b in sorted(values)]
        assert ends == list(range(ends[0], ends[-1] + 1, step)), (cut, k)
        skipped = 0
        for end, (status, value) in values.items():
            if status == 0x24 and k == 1:  # the snapshot at its end was torn
                skipped += 1
            else:
                assert value == expected(end), (cut, k, end)
                assert status in (0, 0x22), (cut, k, end)
        assert skipped <= 1
        assert max(values) == (TODAY, 7 * HOUR // step * step) or k == 3
