"""Time: UTC as two small ints, and the dates of the standard made from them.

A day is counted from 2000-01-01 (day 0, a Saturday), a second from its midnight. Seconds since an
epoch would pass 2**30 in 2034 and then be objects on a 32-bit MicroPython. Two-digit years are
2000 to 2099, in which every fourth is a leap year.
"""

from micropython import const

import ticks

DAY = const(86400)  # s

# Years are counted from March, so that the leap day is the last day of its year. Day 0 lies this
# far after 1996-03-01.
_MARCH_1996 = const(1401)
_FOUR_YEARS = const(1461)  # days


def weekday(day: int) -> int:
    """0 Sunday to 6 Saturday, as the standard counts."""
    return (day + 6) % 7


def day_number(year: int, month: int, dom: int) -> int:
    """The day of a date; -1: there is no such date. year: 0..99, dom: day of the month."""
    if not (0 <= year <= 99 and 1 <= month <= 12 and 1 <= dom <= month_length(year, month)):
        return -1
    march = (month + 9) % 12  # months since March
    years = year + 4 - (month < 3)
    return _FOUR_YEARS * years // 4 + (153 * march + 2) // 5 + dom - 1 - _MARCH_1996


def month_length(year: int, month: int) -> int:
    """Days in a month (1..12)."""
    if month == 2:
        return 28 + (year % 4 == 0)
    return 30 + ((month + (month >> 3)) & 1)


def ansi_date(day: int) -> int:
    """A day as an ANSI_DATE: year in bits 0-6, month 7-10, day of the month 11-15 (MEP p.42)."""
    since = day + _MARCH_1996
    years = (4 * since + 3) // _FOUR_YEARS
    since -= _FOUR_YEARS * years // 4
    march = (5 * since + 2) // 153
    dom = since - (153 * march + 2) // 5 + 1
    month = march + 3 if march < 10 else march - 9
    return (years - 4 + (month < 3)) | month << 7 | dom << 11


def to_stime(day: int, second: int, buf, o: int):
    """Write an STIME_DATE to buf[o:o+5]: year, month, day, hour, minute."""
    date = ansi_date(day)
    buf[o] = date & 0x7F
    buf[o + 1] = date >> 7 & 0x0F
    buf[o + 2] = date >> 11
    buf[o + 3] = second // 3600
    buf[o + 4] = second // 60 % 60


def to_ltime(day: int, second: int, buf, o: int):
    """Write an LTIME_DATE to buf[o:o+6]: an STIME_DATE and the second."""
    to_stime(day, second, buf, o)
    buf[o + 5] = second % 60


def from_ltime(buf, o: int):
    """(day, second) of the LTIME_DATE in buf[o:o+6]; None: there is no such date or time."""
    day = day_number(buf[o], buf[o + 1], buf[o + 2])
    if day < 0 or buf[o + 3] > 23 or buf[o + 4] > 59 or buf[o + 5] > 59:
        return None
    return day, buf[o + 3] * 3600 + buf[o + 4] * 60 + buf[o + 5]


class Clock:
    """UTC, carried on by the board's ticks. Not valid until it is set, after each start anew."""

    def __init__(self):
        self.valid = False
        self.day = 0
        self.second = 0
        self.tick = 0  # at which the present second began
        self.slide = 0  # seconds still to be made up for, and how many of them each minute
        self.rate = 0
        self.passed = 0  # seconds of that minute

    def set(self, day: int, second: int, now_ms: int):
        """From now on it is this moment."""
        self.day = day
        self.second = second
        self.tick = now_ms
        self.valid = True
        self.slide = 0

    def update(self, now_ms: int):
        """Bring the clock up to now: at least once in six days, or the ticks have wrapped."""
        passed = ticks.diff(now_ms, self.tick) // 1000
        if not self.valid or passed <= 0:
            return
        self.tick = ticks.add(self.tick, 1000 * passed)
        if self.slide:
            self.passed += passed
            most = self.passed // 60 * self.rate
            self.passed %= 60
            most = min(max(self.slide, -most), most)
            self.slide -= most
            passed += most
        self.second += passed
        self.day += self.second // DAY
        self.second %= DAY
