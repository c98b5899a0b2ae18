"""What the calendar brings, as the registers come along: tier, season, daylight saving, dates.

Time is walked through piece by piece, the past as well as the present (`meter/application.py`). At
each edge the calendar is asked anew, and what has become different happens: once, in order, and
with the registers as they were then, whether that moment is now or is being made up for.

A date of BT54 marked for a self read or a demand reset has it at one time of that local day: the
self read's is ET04.65 and .66, the demand reset's ET40. If daylight saving leaves that time out it
happens right after; if there are two, at the first one.
"""

from micropython import const

from meter.calendar import NO_SPECIAL

# What happens at an edge
SELF_READ = const(0x40)  # as bits of an action in BT54
DEMAND_RESET = const(0x20)
DAY_END = const(1)
SEASON = const(2)

# Events (osgp.md 6)
_DST_ON = const(22)
_DST_OFF = const(23)
_SPECIAL_SCHEDULE = const(26)
_TIER_SWITCH = const(27)

_ET04_SELF_READ_HOUR = const(65)
_DAY = const(86400)


class Tariff:
    """Where in the calendar the registers are.

    tier, dst: of the piece of time entered last. left: seconds for which they stay, and in which
    no date has its time. reset_second: of the local day, at which it has its demand reset.
    """

    def __init__(self, calendar, system, events, act):
        """system: ET04. `act(what, argument)`: what is one of the above; the argument is the
        local day, of SEASON the season that ends."""
        self.tier = calendar.tier
        self.dst = False
        self.left = 0
        self.reset_second = 0
        self._calendar = calendar
        self._system = system
        self._events = events
        self._act = act
        self._day = -1  # the local day whose dates were looked at
        self._due = 0  # SELF_READ, DEMAND_RESET: today has them still before it
        self._season = 0
        self._special = NO_SPECIAL
        self._changed = False  # the calendar was written

    def begin(self, day: int, second: int):
        """The registers are at this moment (UTC), and what came before it is done."""
        calendar = self._calendar
        calendar.at(day, second - 1)
        self.tier = calendar.tier
        self.dst = calendar.dst
        self.left = 0
        self._day = calendar.local_day
        self._season = calendar.season
        self._special = calendar.special
        self._due = self._still_due(calendar.local_second + 1)

    def change(self):
        """The calendar was written, or a tier was put over it."""
        self.left = 0
        self._changed = True

    def enter(self, day: int, second: int):
        """Go on from this moment (UTC): it is where the last piece ended."""
        calendar = self._calendar
        calendar.at(day, second)
        if self._changed and calendar.local_day == self._day:
            self._due = self._still_due(calendar.local_second)
        self._changed = False
        if calendar.local_day > self._day:
            self._act(DAY_END, self._day)
            self._day = calendar.local_day
            self._due = calendar.due
        self.left = calendar.left
        if self._due:
            self._meet(SELF_READ, self._self_read_second())
            self._meet(DEMAND_RESET, self.reset_second)
        if calendar.season != self._season:
            self._act(SEASON, self._season)
            self._season = calendar.season
        self._tell()

    def _meet(self, date, second):
        """Today has this at a second of it: now, or a piece of time ends there."""
        if not self._due & date:
            return
        left = second - self._calendar.local_second
        if left > 0:
            self.left = min(self.left, left)
        else:
            self._due &= ~date
            self._act(date, self._day)

    def _tell(self):
        """Events of what is different now."""
        calendar = self._calendar
        if calendar.dst != self.dst:
            self.dst = calendar.dst
            self._events.post(_DST_ON if self.dst else _DST_OFF)
        if calendar.special != self._special:
            self._special = calendar.special
            if self._special != NO_SPECIAL:
                self._events.post(_SPECIAL_SCHEDULE, self._special)
        if calendar.tier != self.tier:
            self.tier = calendar.tier
            self._events.post(_TIER_SWITCH, self.tier)

    def _still_due(self, second) -> int:
        """Of what the calendar's local day has, that which is not before a second of it. What was
        done in this very second is not done again: who does it knows the day of the last one."""
        due = self._calendar.due
        if due & SELF_READ and self._self_read_second() < second:
            due &= ~SELF_READ
        if due & DEMAND_RESET and self.reset_second < second:
            due &= ~DEMAND_RESET
        return due

    def _self_read_second(self) -> int:
        hour = self._system[_ET04_SELF_READ_HOUR]
        return (3600 * hour + 60 * self._system[_ET04_SELF_READ_HOUR + 1]) % _DAY
