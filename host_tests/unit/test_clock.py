"""Dates and the clock: against the calendar, and on CPython against datetime."""

from meter.clock import (
    DAY,
    Clock,
    ansi_date,
    day_number,
    from_ltime,
    month_length,
    to_ltime,
    to_stime,
    weekday,
)
from support import allocated

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:  # MicroPython
    given = None

KNOWN = (  # date, its day, its day of the week
    ((0, 1, 1), 0, 6),
    ((0, 2, 29), 59, 2),
    ((0, 3, 1), 60, 3),
    ((0, 12, 31), 365, 0),
    ((24, 2, 29), 8825, 4),
    ((26, 11, 21), 9821, 6),
    ((38, 1, 19), 13898, 2),
    ((99, 12, 31), 36524, 4),
)


def unpack(date):
    return date & 0x7F, date >> 7 & 0x0F, date >> 11


def test_known_days():
    for date, day, day_of_week in KNOWN:
        assert day_number(*date) == day, date
        assert unpack(ansi_date(day)) == date
        assert weekday(day) == day_of_week, date


def test_every_day_of_the_century():
    day = 0
    for year in range(100):
        for month in range(1, 13):
            for dom in range(1, month_length(year, month) + 1):
                assert day_number(year, month, dom) == day
                day += 1
            assert unpack(ansi_date(day - 1)) == (year, month, month_length(year, month))
            assert day_number(year, month, month_length(year, month) + 1) == -1
    assert day == 36525


def test_impossible_dates():
    for date in ((26, 2, 29), (26, 0, 1), (26, 13, 1), (26, 1, 0), (26, 4, 31), (100, 1, 1)):
        assert day_number(*date) == -1, date
    assert day_number(-1, 12, 31) == -1


def test_ltime():
    body = bytearray(8)
    to_ltime(9821, 86399, body, 1)
    assert bytes(body) == bytes((0, 26, 11, 21, 23, 59, 59, 0))
    assert from_ltime(body, 1) == (9821, 86399)
    to_stime(9821, 13 * 3600 + 7 * 60 + 59, body, 0)
    assert bytes(body[:5]) == bytes((26, 11, 21, 13, 7))


def test_impossible_ltimes():
    good = (26, 11, 21, 23, 59, 59)
    assert from_ltime(bytes(good), 0) is not None
    for k, value in ((0, 100), (1, 13), (2, 31), (3, 24), (4, 60), (5, 60), (1, 0), (2, 0)):
        bad = list(good)
        bad[k] = value
        assert from_ltime(bytes(bad), 0) is None, (k, value)
    assert from_ltime(bytes(6), 0) is None


def test_the_clock_is_not_valid_until_it_is_set():
    clock = Clock()
    clock.update(5000)
    assert not clock.valid
    assert (clock.day, clock.second) == (0, 0)
    clock.set(9821, 10, 5000)
    assert clock.valid
    assert (clock.day, clock.second) == (9821, 10)


def test_no_millisecond_is_lost():
    clock = Clock()
    start = (1 << 30) - 90000  # the ticks wrap on the way
    clock.set(9821, DAY - 100, start)
    for passed in range(0, 300000, 333):
        clock.update((start + passed) & 0x3FFFFFFF)
        second = DAY - 100 + passed // 1000
        assert (clock.day, clock.second) == (9821 + second // DAY, second % DAY), passed
        assert clock.tick == (start + passed // 1000 * 1000) & 0x3FFFFFFF


def test_a_tick_before_the_last_one_changes_nothing():
    clock = Clock()
    clock.set(1, 2, 1000)
    clock.update(10)
    assert (clock.day, clock.second, clock.tick) == (1, 2, 1000)


def test_five_days_asleep():
    clock = Clock()
    clock.set(1, 50, 0)
    clock.update(5 * 86400 * 1000 + 999)
    assert (clock.day, clock.second) == (6, 50)


def test_allocation():
    clock = Clock()
    clock.set(9821, 0, 0)
    body = bytearray(6)
    now = 0

    def turn():
        nonlocal now
        now += 1000
        clock.update(now)
        to_ltime(clock.day, clock.second, body, 0)

    assert allocated(turn) in (None, 0)


if given:
    from datetime import datetime, timedelta

    @given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)))
    def test_against_datetime(moment):
        moment = moment.replace(microsecond=0)
        since = moment - datetime(2000, 1, 1)
        body = bytearray(6)
        to_ltime(since.days, since.seconds, body, 0)
        assert tuple(body) == (moment.year - 2000,) + tuple(moment.timetuple())[1:6]
        assert from_ltime(body, 0) == (since.days, since.seconds)
        assert weekday(since.days) == moment.isoweekday() % 7

    @given(st.binary(min_size=6, max_size=6))
    def test_any_octets_as_ltime(octets):
        try:
            expected = datetime(2000 + octets[0], *octets[1:]) - datetime(2000, 1, 1)
        except ValueError:
            expected = None
        if octets[0] > 99:
            expected = None
        found = from_ltime(octets, 0)
        if expected is None:
            assert found is None
        else:
            assert timedelta(days=found[0], seconds=found[1]) == expected
