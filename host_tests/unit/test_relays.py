"""The control relays: all switches of ET61 against an independent computation, by local time."""

import struct

from control_support import Rig, ltime, rested, settings_body
from meter import schedule
from meter.calendar import NO_SPECIAL
from meter.clock import DAY, day_number, weekday
from meter_support import calendar_body, dates, offset_body, rdate
from meter_support import schedule as day_schedule
from support import noise

# Days around both changes of the clock, and a holiday
SPRING = day_number(26, 3, 29)
AUTUMN = day_number(26, 10, 25)
HOLIDAY = day_number(26, 12, 25)
MODES = (1, 2, 3)


def random_calendar(seed):
    """An ET61 of 2 x 80 switches, in each block of ten in rising order or not."""
    octets = noise(640, seed)
    body = bytearray(320)
    for n in range(160):
        minute = n % 10 * 144 + octets[4 * n] % 140 if octets[4 * n + 1] % 5 else 30
        packed = octets[4 * n + 2] & 1 | minute % 60 << 5 | minute // 60 << 11
        struct.pack_into("<H", body, 2 * n, packed)
    return body


def expected(body, k, block, minute):
    """Is relay k closed at this minute of a day that has the block? Straight from the rule."""
    switches = struct.unpack_from("<10H", body, 160 * k + 20 * block)
    closed = bool(switches[0] & 1)
    last = 0
    for switch in switches[1:]:
        at = (switch >> 11) * 60 + (switch >> 5 & 63)
        if last < at <= minute:
            closed = bool(switch & 1)
        if at > minute and at > last:
            break
        last = max(last, at)
    return closed


def local(day, second):
    """(day, minute) on a Central European wall of 2026, from UTC."""
    hours = 2 if (SPRING, 3600) <= (day, second) < (AUTUMN, 3600) else 1
    second += 3600 * hours
    return day + second // DAY, second % DAY // 60


def block_of(mode, day):
    special = day in (HOLIDAY, HOLIDAY + 1)
    if mode == 1:
        return 0
    if mode == 2:
        return 7 if special else weekday(day)
    season = 1 if day >= AUTUMN else 0
    return 2 * season + (special or weekday(day) in (0, 6))


def calendar_of_2026():
    """Summer time as in the EU, a second season from the end of October, Christmas."""
    some = dates(
        (25, rdate(3, 6, 0, 1), 1),
        (26, rdate(10, 6, 0, 1), 2),
        (27, rdate(1, 0, 7, 1), 3),
        (28, rdate(10, 0, 7, 25), 4),
        (29, rdate(12, 7, 7, 25), 19),
    )
    return calendar_body(some, [day_schedule((0, 0, 0))], [(0,) * 5, (0,) * 5])


def configured(mode, body):
    rig = rested(day=SPRING, second=0)
    rig.write(54, 0, calendar_of_2026())
    rig.write(53, 0, offset_body(2, 60, 60))
    rig.write(2052, 63, struct.pack("<h", 60))
    rig.application.calendar.forget()  # as the application does
    rig.write(2109, 0, body)
    rig.write(2053, 0, settings_body(relays=(mode, 0, mode, 0)))
    return rig


def test_every_minute_of_the_odd_days():
    """All switches of both relays, in all modes, with each switch at its second."""
    for mode in MODES:
        body = random_calendar(mode)
        rig = configured(mode, body)
        for first in (SPRING - 1, AUTUMN - 1, HOLIDAY - 1):
            rig.set_clock(first - 1, DAY - 60)
            for _ in range(4 * 1440):
                rig.pass_time(60)
                rig.poll()
                day, at = local(rig.day, rig.second)
                for k in range(2):
                    want = expected(body, k, block_of(mode, day), at)
                    assert rig.switch.relays[k] == want, (mode, k, rig.day, rig.second)


def test_a_switch_is_at_its_second():
    body = bytearray(320)
    struct.pack_into("<2H", body, 0, 0, 1 | 30 << 5 | 13 << 11)
    rig = configured(1, body)
    rig.set_clock(HOLIDAY, 12 * 3600 + 29 * 60 + 50)
    rig.run(9)
    assert rig.switch.relays == [False, False]
    rig.run(1)
    assert rig.switch.relays == [True, False]


def test_every_block_is_reached():
    """One switch at noon in each of 2 x 8 blocks: only its own day sees it."""
    days = [SPRING + k for k in range(7)] + [HOLIDAY]
    for block in range(8):
        body = bytearray(320)
        struct.pack_into("<H", body, 20 * block, 1)
        struct.pack_into("<H", body, 160 + 20 * ((block + 1) % 8), 1)
        rig = configured(2, body)
        for n, day in enumerate(days):
            rig.set_clock(day, 12 * 3600)
            rig.run(1)
            assert rig.switch.relays == [n == block, n == (block + 1) % 8], (block, n)


def test_by_season_beyond_the_fourth():
    """Seasons 4 to 11 have the fourth one's blocks."""

    class Moment:
        local_day = SPRING + 1
        local_second = 100
        special = NO_SPECIAL
        season = 9

    body = bytearray(320)
    struct.pack_into("<H", body, 20 * 6, 1)
    assert schedule.switched(body, 0, 3, Moment) == (True, DAY - 100)


def test_by_tier():
    rig = configured(0, bytes(320))
    rig.write(54, 0, calendar_of_2026()[:144] + day_schedule((0, 0, 1), (6, 0, 2), (22, 0, 1)))
    rig.application.calendar.forget()
    rig.write(2053, 0, settings_body(relays=(4, 0b010, 4, 0b101)))
    rig.set_clock(HOLIDAY + 3, 5 * 3600 - 5)
    rig.run(4)
    assert rig.switch.relays == [True, False]
    rig.run(1)
    assert rig.switch.relays == [False, True]


def test_command_goes_over_the_calendar():
    body = bytearray(320)
    struct.pack_into("<H", body, 0, 1)
    rig = configured(1, body)
    rig.run()
    assert rig.switch.relays == [True, False]
    rig.events.take()
    assert rig.call(2, b"\x01\x00")[0] == 0
    assert rig.switch.relays == [False, False] and rig.events.take() == [(67, 0)]
    rig.start()
    rig.run()
    assert rig.switch.relays == [False, False], "after a restart, too"
    assert rig.call(2, b"\x01\x01")[0] == 0
    assert rig.switch.relays == [True, False], "its calendar again"
    rig.call(2, b"\x02\x01")
    assert rig.switch.relays == [True, False]
    assert rig.read(2078, 28, 1) == b"\x10"


def test_without_a_clock():
    body = bytearray(320)
    struct.pack_into("<H", body, 0, 1)
    rig = configured(1, body)
    rig.run()
    assert rig.switch.relays[0] is True
    rig.start(clock=False)
    rig.run(5)
    assert rig.switch.relays[0] is False, "which day it is cannot be told"
    rig.set_clock()
    rig.run()
    assert rig.switch.relays[0] is True
    other = Rig(clock=False)
    other.run()
    assert other.switch.relays == [True, True], "by command: closed until told otherwise"
    assert ltime(0, 0) == b"\0\x01\x01\0\0\0"
