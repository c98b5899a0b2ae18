"""Local time and tariff: dates of laws and holidays; on CPython forty years of three zones."""

from fakes import Settings
from meter.calendar import NO_SPECIAL, Calendar, latest
from meter.clock import DAY, ansi_date, day_number
from meter_support import calendar_body, dates, offset_body, rdate, schedule, system_body
from support import allocated, noise, skip
from tables.compiled import ARENA, MODEL
from tables.model import Model

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:  # MicroPython
    given = None

SUNDAY, MONDAY, THURSDAY, FRIDAY = 0, 1, 4, 5

# RDATE, and days on which it is observed in a row, from a calendar on the wall
OBSERVED = (
    (rdate(12, 0, 7, 25), ((25, 12, 25), (26, 12, 25))),  # Christmas
    (rdate(2, 0, 7, 29), ((20, 2, 29), (24, 2, 29), (28, 2, 29))),  # leap day
    (rdate(11, 1, SUNDAY, 26), ((25, 11, 23), (26, 11, 22), (27, 11, 21))),  # before it: strictly
    (rdate(11, 2, THURSDAY, 1), ((25, 11, 6), (26, 11, 5), (27, 11, 4))),
    (rdate(3, 3, SUNDAY, 1), ((25, 3, 9), (26, 3, 8), (27, 3, 14))),  # DST begins in the USA
    (rdate(1, 4, MONDAY, 1), ((25, 1, 20), (26, 1, 19), (27, 1, 18))),  # M. L. King
    (rdate(11, 5, THURSDAY, 1), ((25, 11, 27), (26, 11, 26), (27, 11, 25))),  # Thanksgiving
    (rdate(3, 6, SUNDAY, 1), ((25, 3, 30), (26, 3, 29), (27, 3, 28))),  # DST begins in the EU
    (rdate(12, 7, 7, 25), ((25, 12, 25), (25, 12, 26), (26, 12, 25), (26, 12, 26))),
    (rdate(7, 8, 7, 4), ((26, 7, 4), (27, 7, 5), (28, 7, 4), (29, 7, 4))),
    (rdate(7, 9, 7, 4), ((25, 7, 4), (26, 7, 4), (27, 7, 2), (28, 7, 4))),
    (rdate(7, 10, 7, 4), ((25, 7, 4), (26, 7, 6), (27, 7, 4))),
    (rdate(7, 11, 7, 4), ((25, 7, 4), (26, 7, 3), (27, 7, 4))),
    (rdate(7, 12, 7, 4), ((25, 7, 4), (26, 7, 6), (27, 7, 5), (28, 7, 4))),
    (rdate(7, 13, 7, 4), ((25, 7, 4), (26, 7, 3), (27, 7, 2), (28, 7, 4))),
    (rdate(7, 14, 7, 4), ((25, 7, 4), (26, 7, 3), (27, 7, 5), (28, 7, 4))),  # federal holiday
    (rdate(12, 15, 7, 31), ((26, 1, 1), (27, 1, 1))),
    (rdate(1, 1, FRIDAY, 1), ((25, 12, 26), (26, 12, 25), (27, 12, 31))),
    (rdate(13, 0, 7, 31), ((26, 1, 31), (26, 3, 31), (26, 5, 31), (26, 7, 31))),
    (rdate(13, 6, FRIDAY, 1), ((26, 1, 30), (26, 2, 27), (26, 3, 27), (26, 4, 24))),
    (rdate(13, 1, FRIDAY, 1), ((26, 2, 27), (26, 3, 27), (26, 4, 24))),
    (rdate(14, 0, MONDAY), ((26, 11, 16), (26, 11, 23), (26, 11, 30))),
    (15 | 10 << 4 | 4 << 10, ((0, 1, 5), (0, 1, 15), (0, 1, 25), (0, 2, 4))),  # period 10, delta 4
)

NEVER = (
    rdate(0, 0, 0, 1),  # not assigned
    rdate(5, 0, 7, 0),  # no day
    rdate(6, 0, 7, 31),  # no such day
    rdate(5, 2, 7, 1),  # no weekday
    rdate(14, 0, 7),
    15 | 4 << 10,  # period 0
)


def day_of(date):
    return day_number(*date)


def test_recurring_dates():
    for date, days in OBSERVED:
        days = [day_of(one) for one in days]
        for k in range(len(days) - 1):
            for day in range(days[k], days[k + 1]):
                assert latest(date, day) == days[k], (date, ansi_date(day))
        assert latest(date, days[-1]) == days[-1], date


def test_dates_that_never_come():
    for date in NEVER:
        for day in (0, 9000, 9821, 36524):
            assert latest(date, day) < 0, date


def test_nothing_before_2000():
    assert latest(rdate(12, 0, 7, 25), 30) < 0
    assert latest(rdate(14, 0, SUNDAY), 0) < 0
    assert latest(15 | 10 << 4 | 4 << 10, 3) < 0


TWO_TARIFFS = (schedule((0, 0, 1), (6, 0, 0), (22, 0, 1)),)
EU = ((25, rdate(3, 6, SUNDAY, 1), 1), (26, rdate(10, 6, SUNDAY, 1), 2))


def berlin(some_dates=EU, schedules=TWO_TARIFFS, seasons=()):
    body = calendar_body(dates(*some_dates), schedules, seasons)
    return Calendar(offset_body(2, 60, 60), body, system_body(60))


def local(calendar, date, hour, minute=0, second=0):
    """(local date, hour, minute, second, dst) at this UTC moment."""
    calendar.at(day_of(date), hour * 3600 + minute * 60 + second)
    date = ansi_date(calendar.local_day)
    clock = calendar.local_second
    return (
        (date & 0x7F, date >> 7 & 0x0F, date >> 11),
        clock // 3600,
        clock // 60 % 60,
        clock % 60,
        calendar.dst,
    )


def test_daylight_saving_in_the_eu():
    calendar = berlin()
    spring = (26, 3, 29)
    autumn = (26, 10, 25)
    assert local(calendar, spring, 0, 59, 59) == (spring, 1, 59, 59, False)
    assert calendar.left == 1
    assert local(calendar, spring, 1) == (spring, 3, 0, 0, True)
    assert local(calendar, autumn, 0, 59, 59) == (autumn, 2, 59, 59, True)
    assert local(calendar, autumn, 1) == (autumn, 2, 0, 0, False)
    assert local(calendar, (26, 7, 31), 22, 30) == ((26, 8, 1), 0, 30, 0, True)
    assert local(calendar, (26, 12, 31), 23, 0) == ((27, 1, 1), 0, 0, 0, False)
    assert local(calendar, (27, 1, 1), 12) == ((27, 1, 1), 13, 0, 0, False)


def test_daylight_saving_by_dates_of_one_year():
    rows = ((3, 26 | 4 << 7 | 6 << 11, 1), (4, 26 | 9 << 7 | 1 << 11, 2))
    calendar = berlin(rows)
    assert not local(calendar, (26, 4, 6), 0, 59, 59)[4]
    assert local(calendar, (26, 4, 6), 1)[4]
    assert not local(calendar, (26, 9, 1), 1)[4]
    assert not local(calendar, (27, 6, 1), 1)[4]


def test_zones_west_and_east():
    for zone in (-720, -210, 0, 345, 840):
        calendar = Calendar(
            offset_body(2, 60, zone),
            calendar_body(dates(), TWO_TARIFFS, ()),
            system_body(),
        )
        for second in (0, 43200, DAY - 1):
            calendar.at(9821, second)
            there = calendar.local_day * DAY + calendar.local_second
            assert there == 9821 * DAY + second + 60 * zone
            assert 0 <= calendar.local_second < DAY


def test_tiers_of_a_day():
    calendar = berlin()
    day = day_of((26, 11, 21))  # UTC + 1 h
    for second, tier, left in (
        (0, 1, 5 * 3600),
        (5 * 3600 - 1, 1, 1),
        (5 * 3600, 0, 16 * 3600),
        (21 * 3600 - 1, 0, 1),
        (21 * 3600, 1, 2 * 3600),
        (23 * 3600, 1, 6 * 3600),  # local midnight
    ):
        calendar.at(day, second)
        assert (calendar.tier, calendar.left) == (tier, left), second


def test_a_day_of_the_change_has_23_hours_and_one_has_25():
    for date, hours in (((26, 3, 29), 23), ((26, 10, 25), 25), ((26, 6, 1), 24)):
        calendar = berlin()
        day = day_of(date)
        seconds = [0] * 8
        moment = (day - 1) * DAY + 20 * 3600
        while True:
            calendar.at(moment // DAY, moment % DAY)
            if calendar.local_day == day:
                seconds[calendar.tier] += calendar.left
            elif calendar.local_day > day:
                break
            moment += calendar.left
        assert seconds[0] == 16 * 3600
        assert sum(seconds) == hours * 3600, date


def test_seasons_and_special_days():
    rows = (
        (0, 26 | 8 << 7 | 12 << 11, 20),  # 2026-08-12: special 1, once
        (30, rdate(4, 0, 7, 1), 4),  # summer from April on: season 1
        (31, rdate(10, 0, 7, 1), 3),  # winter from October on: season 0
        (32, rdate(12, 7, 7, 25), 19),  # Christmas, two days: special 0
        (47, rdate(14, 0, MONDAY), 20),  # every Monday: special 1
    )
    schedules = [schedule((0, 0, k % 8)) for k in range(12)]
    seasons = ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9))
    calendar = Calendar(
        offset_body(0, 0, 0), calendar_body(dates(*rows), schedules, seasons), system_body()
    )
    for date, season, special, expected in (
        ((26, 1, 2), 0, NO_SPECIAL, 2),  # Friday in winter
        ((26, 1, 3), 0, NO_SPECIAL, 0),  # Saturday
        ((26, 1, 4), 0, NO_SPECIAL, 1),  # Sunday
        ((26, 1, 5), 0, 1, 4),  # Monday
        ((26, 3, 31), 0, NO_SPECIAL, 2),
        ((26, 4, 1), 1, NO_SPECIAL, 7),
        ((26, 8, 12), 1, 1, 9),
        ((27, 8, 12), 1, NO_SPECIAL, 7),
        ((26, 9, 26), 1, NO_SPECIAL, 5),
        ((26, 9, 27), 1, NO_SPECIAL, 6),
        ((26, 12, 25), 0, 0, 3),
        ((26, 12, 26), 0, 0, 3),
        ((26, 12, 27), 0, NO_SPECIAL, 1),
    ):
        calendar.at(day_of(date), 0)
        assert (calendar.season, calendar.special) == (season, special), date
        assert calendar.tier == expected % 8, date


def test_unused_and_unsorted_switches():
    schedules = (schedule((3, 0, 5), (6, 0, 1), (0, 0, 0), (5, 59, 2), (12, 30, 3), (25, 0, 4)),)
    calendar = Calendar(offset_body(0, 0, 0), calendar_body(dates(), schedules, ()), system_body())
    for hour, tier in ((0, 5), (5, 5), (6, 1), (12, 1), (13, 3), (23, 3)):
        calendar.at(9821, hour * 3600)
        assert calendar.tier == tier, hour
    assert calendar.left == 3600


def test_a_schedule_that_is_not_there_is_schedule_0():
    calendar = berlin(seasons=((20, 255, 20, 20, 20),))
    calendar.at(9821, 0)
    assert (calendar.tier, calendar.left) == (1, 5 * 3600)


def test_the_default_calendar_of_this_meter():
    model = Model(MODEL, ARENA, Settings())
    calendar = Calendar(model.body(53), model.body(54), model.body(2052))
    assert local(calendar, (26, 3, 29), 1) == ((26, 3, 29), 3, 0, 0, True)
    assert local(calendar, (26, 10, 25), 0, 59, 59) == ((26, 10, 25), 2, 59, 59, True)
    assert local(calendar, (26, 10, 25), 1) == ((26, 10, 25), 2, 0, 0, False)
    for hour, tier in ((5, 1), (6, 0), (21, 0), (22, 1)):
        calendar.at(day_of((26, 11, 21)), (hour - 1) * 3600)
        assert calendar.tier == tier, hour
    assert (calendar.season, calendar.special) == (0, NO_SPECIAL)


def test_before_any_moment_the_tier_is_that_of_a_clock_error():
    assert Calendar(bytes(6), bytes(808), system_body(0, 3)).tier == 3


def test_a_changed_table_holds_after_forget():
    offset = bytearray(offset_body(2, 60, 60))
    body = calendar_body(dates(), TWO_TARIFFS, ())
    calendar = Calendar(offset, body, system_body(60))
    day = day_of((26, 7, 1))
    calendar.at(day, 0)
    assert not calendar.dst
    body[:144] = dates(*EU)
    calendar.forget()
    calendar.at(day, 0)
    assert calendar.dst


def test_any_octets():
    for seed in range(6):
        calendar = Calendar(noise(6, seed), noise(808, seed + 50), noise(139, seed + 99))
        for day in range(0, 36525, 2111):
            for second in (0, 7200, DAY - 1, DAY):
                calendar.at(day, second)
                assert 0 <= calendar.tier <= 7
                assert 0 <= calendar.local_second < DAY
                assert 0 < calendar.left <= DAY


def test_allocation():
    calendar = berlin()
    calendar.at(9821, 3600)
    assert allocated(lambda: calendar.at(9821, 7200)) in (None, 0)


# ---- on CPython: against zoneinfo, and against a tariff computed apart

ZONES = (  # zone, BT53 hour, zone in minutes, ET04.63, DST on and off
    ("Europe/Berlin", 2, 60, 60, EU),
    (
        "America/New_York",
        2,
        -300,
        0,
        ((25, rdate(3, 3, SUNDAY, 1), 1), (26, rdate(11, 2, SUNDAY, 1), 2)),
    ),
    (
        "Australia/Sydney",
        2,
        600,
        60,
        ((25, rdate(10, 2, SUNDAY, 1), 1), (26, rdate(4, 2, SUNDAY, 1), 2)),
    ),
)


def in_zone(row):
    """The calendar of one of them."""
    _, hour, zone, delta, rows = row
    body = calendar_body(dates(*rows), TWO_TARIFFS, ())
    return Calendar(offset_body(hour, 60, zone), body, system_body(delta))


def test_forty_years_of_three_zones():
    if given is None:
        skip("no zoneinfo")
    for row in ZONES:
        calendar = in_zone(row)
        changes = 0
        for day in range(day_number(20, 1, 1), day_number(60, 12, 31)):
            if zone_offset(row[0], day * DAY) == zone_offset(row[0], day * DAY + DAY):
                continue
            changes += 1
            for hour in range(24):
                for second in (hour * 3600, hour * 3600 + 3599):
                    calendar.at(day, second)
                    there = calendar.local_day * DAY + calendar.local_second - day * DAY
                    assert there - second == zone_offset(row[0], day * DAY + second), (row, day)
        assert changes == 82, row[0]


if given:
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

    def in_local(zone, second):
        return (EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone))

    def zone_offset(zone, second):
        return int(in_local(zone, second).utcoffset().total_seconds())

    @given(
        st.sampled_from(ZONES),
        st.integers(day_number(20, 1, 1) * DAY, day_number(60, 12, 31) * DAY),
    )
    def test_local_time_against_zoneinfo(row, second):
        calendar = in_zone(row)
        calendar.at(second // DAY, second % DAY)
        there = in_local(row[0], second).replace(tzinfo=UTC)
        local_second = calendar.local_day * DAY + calendar.local_second
        assert EPOCH + timedelta(seconds=local_second) == there

    HOLIDAYS = {(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}

    def tier_computed_apart(there):
        """Summer (April to September) and winter; week, Saturday, Sunday and holidays."""
        summer = 4 <= there.month <= 9
        minute = there.hour * 60 + there.minute
        if there.weekday() == 6 or (there.month, there.day) in HOLIDAYS:
            return 3
        if there.weekday() == 5:
            return 2 if 480 <= minute < 13 * 60 + 15 else 3
        if summer:
            return 0 if 360 <= minute < 22 * 60 else 1
        return 0 if 390 <= minute < 21 * 60 + 45 else 1

    def rich_calendar():
        rows = EU + (
            (27, rdate(4, 0, 7, 1), 4),
            (28, rdate(10, 0, 7, 1), 3),
            (29, rdate(12, 7, 7, 25), 19),
            (30, rdate(5, 0, 7, 1), 19),
            (31, rdate(10, 0, 7, 3), 19),
            (0, 26 | 1 << 7 | 1 << 11, 19),
            (1, 27 | 1 << 7 | 1 << 11, 19),
        )
        schedules = (
            schedule((0, 0, 1), (6, 30, 0), (21, 45, 1)),
            schedule((0, 0, 1), (6, 0, 0), (22, 0, 1)),
            schedule((0, 0, 3), (8, 0, 2), (13, 15, 3)),
            schedule((0, 0, 3)),
        )
        return berlin(rows, schedules, ((2, 3, 0, 3, 3), (2, 3, 1, 3, 3)))

    def test_the_tier_of_a_year():
        calendar = rich_calendar()
        begin = day_number(26, 1, 1) * DAY
        for second in range(begin, begin + 366 * DAY, 900):
            calendar.at(second // DAY, second % DAY)
            assert calendar.tier == tier_computed_apart(in_local("Europe/Berlin", second))

    @given(st.integers(day_number(26, 1, 1) * DAY, day_number(27, 12, 30) * DAY))
    def test_what_is_left_is_left(second):
        """Nothing changes before `left` is over, and what was remembered of other days is gone."""
        calendar = rich_calendar()

        def now():
            calendar.at(second // DAY, second % DAY)
            return calendar.tier, calendar.dst, calendar.season, calendar.special

        before = now()
        second += calendar.left - 1
        assert now() == before
        assert calendar.left == 1
