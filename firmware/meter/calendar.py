"""Local time and tariff: BT53 and BT54, read as they stand and evaluated for one moment.

    BT53     hour, minute, second at which the clock changes | by how much, min | zone INT16, min
    BT54     25 x {ANSI_DATE 2, action 1} | 23 x {RDATE 2, action 1}
             | 200 x {tier switch 2, schedule 1} | 12 x {5 schedules of a season} | id 4
    ET04.63  daylight saving ends so much later than BT53 says, INT16 min (MEP p.64)

Any octets can be in there: a date that does not exist never comes, a day schedule that does not
exist is schedule 0.

How the guide is read where it leaves room:
- The hour in BT53 is wall time, before daylight saving when it begins and in it when it ends, and
  stays within its day. So the EU has 02:00 and 60, the USA 02:00 and 0.
- RDATE with a period counts from 2000-01-01 on: no anchor date is supported (BT50.0.5). Offset 1
  is the weekday strictly before.
- Of two actions of a kind on one day the one further down in BT54 holds; of two special schedules
  the one further up.
"""

from micropython import const

from meter.clock import DAY, ansi_date, day_number, month_length, weekday

NO_SPECIAL = const(15)  # BT55: no special schedule holds (C12.19 table 55)

_RECURRING = const(25)  # dates before this one are ANSI_DATEs (BT51.3)
_DATES = const(48)
_SWITCHES = const(144)  # octet at which the tier switches begin
_SCHEDULES = const(20)
_SWITCHES_A_DAY = const(10)
_SCHEDULE_SIZE = const(30)  # octets of these
_SEASONS = const(744)
_SEASON_SIZE = const(5)  # Saturday, Sunday, weekday, special 0, special 1
_COLUMNS = b"\x01\x02\x02\x02\x02\x02\x00"  # of these, by day of the week from Sunday on
_ET04_DST_OFF_DELTA = const(63)
_ET04_CLOCK_ERROR_TIER = const(113)

# actions of a date (MEP p.227)
_DST_ON = const(1)
_DST_OFF = const(2)
_SEASON_0 = const(3)
_SEASON_11 = const(14)
_SPECIAL_0 = const(19)
_SPECIAL_1 = const(20)
_DUE = const(0x60)  # demand reset and self read on this date

# RDATE (MEP p.41-42)
_MONTHLY = const(13)
_WEEKLY = const(14)
_PERIOD = const(15)
_AND_NEXT_DAY = const(7)
_NO_WEEKDAY = const(7)
_FOR_A_TIME = const(3)  # tier drive of BT55
# offsets 8 to 15: how many days a Sunday is moved, and a Saturday, plus 2; 15 moves every day
_SUNDAY = b"\x03\x00\x02\x02\x03\x00\x03\x03"
_SATURDAY = b"\x02\x02\x04\x01\x04\x01\x01\x03"


def int16(buf, o: int) -> int:
    """The INT16 at buf[o]."""
    value = buf[o] | buf[o + 1] << 8
    return value - 0x10000 if value & 0x8000 else value


def until(day: int, second: int, to_day: int, to_second: int) -> int:
    """Seconds from one moment to another; of more than two days, about two days."""
    return min(max(to_day - day, -2), 2) * DAY + to_second - second


def moved(offset: int, target: int, day: int) -> int:
    """Where an RDATE is observed whose date as written is `day`; -1: nowhere.

    offset, target: its OFFSET (0..15) and WEEKDAY (MEP p.41).
    """
    there = weekday(day)
    if offset in (0, _AND_NEXT_DAY):
        return day
    if offset >= 8:
        if there == 0:
            return day + _SUNDAY[offset - 8] - 2
        if there == 6:
            return day + _SATURDAY[offset - 8] - 2
        return day + (offset == 15)
    if target == _NO_WEEKDAY:
        return -1
    if offset == 1:
        return day - 1 - (there - 1 - target) % 7
    if offset < 6:
        return day + (target - there) % 7 + 7 * (offset - 2)
    date = ansi_date(day)
    last = day - (date >> 11) + month_length(date & 0x7F, date >> 7 & 0x0F)
    last -= (weekday(last) - target) % 7
    return last if last >= day else -1


def latest(rdate: int, day: int) -> int:
    """The last day up to `day` on which an RDATE is observed; negative: none since 2000."""
    month = rdate & 0x0F
    target = rdate >> 8 & 7
    if month == _WEEKLY:
        return -1 if target == _NO_WEEKDAY else day - (weekday(day) - target) % 7
    if month == _PERIOD:
        period = rdate >> 4 & 0x3F
        delta = rdate >> 10
        return -1 if period == 0 or day < delta else day - (day - delta) % period
    if month == 0:
        return -1
    # Candidates backwards: from the next month or year, whose date may be moved to before its
    # first day, to four years back for the leap day.
    date = ansi_date(day)
    step = 1 if month == _MONTHLY else 12
    candidate = 12 * (date & 0x7F) + step + (date >> 7 & 0x0F if step == 1 else month) - 1
    for _ in range(6):
        seen = day_number(candidate // 12, candidate % 12 + 1, rdate >> 11)
        if seen >= 0:
            seen = moved(rdate >> 4 & 0x0F, target, seen)
        if rdate >> 4 & 0x0F == _AND_NEXT_DAY and 0 <= seen < day:
            return seen + 1
        if 0 <= seen <= day:
            return seen
        candidate -= step
    return -1


class Calendar:
    """What BT55 tells, for the moment that `at` was last called with.

    local_day, local_second: local time
    dst: daylight saving is in it
    tier, season, special: in force (special: 0, 1 or NO_SPECIAL)
    due: what dates of this local day ask for, as bits of an action: 0x20 demand reset, 0x40 self
    read
    left: seconds for which all but the local second stays as it is
    drive: what set the tier (BT55): 0 the calendar, else an override's

    override: of `meter/override.py`, or None; over_power: the tier of the consumption-based tariff
    while it is in effect, else -1. Who sets them makes `at` be called anew.

    Dates are looked up when the day is another one than before, which costs some 48 evaluations
    of a date at most; otherwise `at` walks the ten tier switches of the day.
    """

    def __init__(self, offset, calendar, system):
        """offset, calendar, system: bodies of BT53, BT54 and ET04. When one changes: `forget`."""
        self._offset = offset
        self._calendar = calendar
        self._system = system
        self.local_day = 0
        self.local_second = 0
        self.dst = False
        self.tier = system[_ET04_CLOCK_ERROR_TIER] & 7  # until a moment is known
        self.season = 0
        self.special = NO_SPECIAL
        self.due = 0
        self.left = 0
        self.drive = 0
        self.override = None
        self.over_power = -1
        # of the standard day looked up last: daylight saving before and after the second at which
        # it changes
        self._standard_day = -1
        self._before = False
        self._after = False
        self._change = DAY
        # of the local day looked up last: where its schedule begins in BT54
        self._local_day = -1
        self._schedule = _SWITCHES

    def forget(self):
        """The tables have changed: nothing that was looked up holds."""
        self._standard_day = self._local_day = -1

    def at(self, day: int, second: int):
        """Evaluate this moment (UTC)."""
        self._evaluate(day, second)
        self.drive = 0
        if self.override:
            self._apply(self.override, day, second)
        if self.over_power >= 0 and not self.drive:
            self.tier = self.over_power
            self.drive = _FOR_A_TIME

    def _apply(self, override, day, second):
        """Put an override over what the calendar says of this moment."""
        left = until(day, second, override.day, override.second)
        if left > 0:
            self.left = min(self.left, left)
            return
        left = until(day, second, override.end_day, override.end_second)
        if left <= 0:
            return
        if 0 <= override.base != self.tier:  # the calendar has switched: it is over from here on
            override.end_day = day
            override.end_second = second
            return
        self.left = min(self.left, left)
        self.tier = override.tier
        self.drive = override.drive

    def _evaluate(self, day, second):
        second += 60 * int16(self._offset, 4)
        day += second // DAY
        second %= DAY
        if day != self._standard_day:
            self._look_up_dst(day)
        if second < self._change:
            self.dst = self._before
            self.left = self._change - second
        else:
            self.dst = self._after
            self.left = DAY - second
        if self.dst:
            second += 60 * self._offset[3]
            day += second // DAY
            second %= DAY
        self.local_day = day
        self.local_second = second
        if day != self._local_day:
            self._look_up_schedule(day)
        self._find_tier(second)

    def _look_up_dst(self, day):
        """Daylight saving on a day of standard time, and the second at which it changes."""
        self._standard_day = day
        last = -1
        today = 0
        self._before = False
        for k in range(_DATES):
            action = self._action(k)
            if action not in (_DST_ON, _DST_OFF):
                continue
            seen = self._latest(k, day)
            if seen == day:
                today = action
                seen = self._latest(k, day - 1)
            if 0 <= seen >= last:
                last = seen
                self._before = action == _DST_ON
        self._after = self._before
        self._change = DAY
        if today:
            self._after = today == _DST_ON
            minute = self._offset[0] * 60 + self._offset[1]
            if today == _DST_OFF:
                minute += int16(self._system, _ET04_DST_OFF_DELTA) - self._offset[3]
            self._change = min(max(60 * minute + self._offset[2], 0), DAY - 1)

    def _look_up_schedule(self, day):
        """Season and special schedule of a local day, and so its schedule of tier switches."""
        self._local_day = day
        self.season = 0
        self.special = NO_SPECIAL
        self.due = 0
        last = -1
        for k in range(_DATES):
            action = self._action(k)
            due = self._calendar[3 * k + 2] & _DUE
            if due and self._latest(k, day) == day:
                self.due |= due
            if _SEASON_0 <= action <= _SEASON_11:
                seen = self._latest(k, day)
                if 0 <= seen >= last:
                    last = seen
                    self.season = action - _SEASON_0
            elif (
                _SPECIAL_0 <= action <= _SPECIAL_1
                and self.special == NO_SPECIAL
                and self._latest(k, day) == day
            ):
                self.special = action - _SPECIAL_0
        if self.special != NO_SPECIAL:
            column = 3 + self.special
        else:
            column = _COLUMNS[weekday(day)]
        schedule = self._calendar[_SEASONS + _SEASON_SIZE * self.season + column]
        self._schedule = _SWITCHES + _SCHEDULE_SIZE * (schedule if schedule < _SCHEDULES else 0)

    def _find_tier(self, second):
        """The tier at a second of the day looked up, and how long it stays."""
        self.left = min(self.left, DAY - second)
        last = -1
        for k in range(_SWITCHES_A_DAY):
            switch = self._switch(k)
            start = (switch >> 11) * 3600 + (switch >> 5 & 0x3F) * 60
            if last < 0:
                start = 0  # the first one is midnight's
            if start > second:
                self.left = min(self.left, start - second)
                return
            if start > last:  # one that is not later than the one before it is unused
                last = start
                self.tier = switch & 7

    def _switch(self, k) -> int:
        """Tier switch k of the day's schedule."""
        k = self._schedule + 3 * k
        return self._calendar[k] | self._calendar[k + 1] << 8

    def _action(self, k) -> int:
        return self._calendar[3 * k + 2] & 0x1F

    def _latest(self, k, day) -> int:
        """The last day up to `day` of date k of BT54; negative: none."""
        date = self._calendar[3 * k] | self._calendar[3 * k + 1] << 8
        if k >= _RECURRING:
            return latest(date, day)
        seen = day_number(date & 0x7F, date >> 7 & 0x0F, date >> 11)
        return seen if seen <= day else -1
