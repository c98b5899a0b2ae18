"""The meter as one part: energy goes from the element into registers, profile and tables.

Energy is counted along UTC in steps that end where something changes: at a quarter hour or the end
of another interval of the load profile, at a change of tier, at the time of a self read, now. The
registers hold the moment up to which it was counted. When that moment lies behind the clock (the
past that the element can tell, a time without power, a clock set forward), the same steps are
made, a few a slice, until it has caught up.
Intervals that were missed are recorded as skipped.
"""

import struct

from micropython import const

import rare
import ticks
from meter import sources
from meter.calendar import Calendar
from meter.clock import DAY, Clock
from meter.clock_tables import ClockTables
from meter.copies import Copies
from meter.daily import Daily
from meter.demand import DEMANDS, Demand
from meter.profile_set import CLOCK_FORWARD, DST, PARTIAL, POWER_FAIL
from meter.profiles import QUARTER, QUARTER_HOUR
from meter.registers import Registers, put32
from meter.tariff import DAY_END, DEMAND_RESET, SELF_READ, Tariff

_PROFILE_CLOCK = "meter.profile_clock"

_ET04 = const(2052)
_ET12 = const(2060)
_ET40 = const(2088)
_ET41 = const(2089)

_SAVE_MS = const(60000)
_MOST_DAYS = const(9)  # of the past that is made up for: what the profile can hold
_CLOCK_ERROR = const(0x40)  # BT03 octet 1: bit 6 of the standard status (OPT p.45)
_PRESENT_VALUES = const(26)  # BT21.9
_SELF_READS = const(12)  # BT21.2
_SELF_READ_SIZE = const(989)
_RESETS = const(6)  # entries of ET41
_RESET_SIZE = const(992)
_RESET_COPY = const(5)  # octet of such an entry at which BT25 begins


class Application:
    """Poll it when it asks to be; set its clock; read and write the rest through the model."""

    def __init__(self, model, element, profiles, rings, settings, events):
        """element: as in `meter/element.py`. profiles: see `meter/profiles.py`. rings: for
        registers and days, of payloads of the SIZE of each module. settings: see
        `settings.Settings`. events: `post(event, argument=0)`."""
        register_ring, day_ring = rings
        self.model = model
        self.events = events
        self.clock = Clock()
        self.calendar = Calendar(model.body(53), model.body(54), model.body(_ET04))
        self.registers = Registers(register_ring, model.body(23))
        self.demand = Demand(self.registers, self.calendar, settings)
        self.profiles = profiles
        profiles.registers = self.registers
        profiles.source = self.source
        profiles.calendar = self.calendar
        self.days = Daily(day_ring)
        self.self_reads = Copies(settings, "SR", _SELF_READS, _SELF_READ_SIZE)
        self.resets = Copies(settings, "DR", _RESETS, _RESET_SIZE)
        self.tariff = Tariff(self.calendar, model.body(_ET04), events, self._act)
        self.behind = False  # the past is being made up for
        self.on_second = []  # f(now_ms): in each poll, after energy was counted up to now
        self.on_step = []  # f(seconds): after each piece of time that was counted
        self.on_interval = []  # f(): at the end of each quarter hour, before it is recorded
        self.on_clock = []  # f(old_day, old_second): after the clock was set; day -1: it had none
        self.after_clock = []  # the same for who may take his time: one of these a poll
        self._untold = []  # of these, who is yet to be told, and what
        self._old_day = self._old_second = -1
        self._element = element
        self._saved_ms = 0
        self._bt03 = model.body(3)
        self._bt28 = model.body(28)
        self._bt03[1] |= _CLOCK_ERROR
        if self.resets.count & 0xFFFF == (self.demand.resets + 1) & 0xFFFF:
            # Power went after a reset was recorded and before the maxima were cleared.
            rare.run("meter.demand_reset", self, 0, None, True)
        if self.registers.day >= 0:
            self._restart()
        self._serve(model)

    def _serve(self, model):
        ClockTables(model, self.clock, self.calendar)
        model.before_read(23, self.registers.show)
        model.before_read(28, self._show_present)
        model.reader(25, self._read_previous)
        model.reader(26, self.self_reads.read)
        model.reader(_ET12, self.days.read)
        model.reader(_ET41, self.resets.read)
        self._calendar_changed()
        for number in (53, 54, _ET04, _ET40):
            model.subscribe(number, self._calendar_changed)

    def _restart(self):
        """Go on from the kept snapshot. At an interval's end it precedes the record: make sure."""
        registers = self.registers
        self._element.start(registers.day, registers.second)
        rare.run(_PROFILE_CLOCK, self.profiles, "again", registers.day, registers.second)
        self._end_day()
        self.tariff.begin(registers.day, registers.second)

    def source(self, number: int):
        """The value of a source id (MEP p.204-205); None: this meter does not have it."""
        return sources.value(number, self.registers, self.demand, self._element)

    # ---- time

    def set_clock(self, day: int, second: int, qualifier: int, now_ms: int):
        """It is this moment (UTC).

        Of the qualifier nothing is needed: BP10 has held its weekday against the date, and
        daylight saving follows from BT53 and BT54.
        """
        while self._untold:
            self.poll(now_ms)
        registers = self.registers
        clock = self.clock
        flags = POWER_FAIL
        old_day = -1
        if clock.valid:
            self.poll(now_ms)
            flags = 0
            if not self.behind:
                flags = CLOCK_FORWARD
                self.profiles.missing = 0
            old_day = clock.day
        old_second = clock.second
        ahead = (day - registers.day) or (second - registers.second)
        if registers.day < 0:
            self._begin(day, second)
        elif ahead < 0:
            self._go_back(day, second, flags & POWER_FAIL)
        elif ahead or flags == POWER_FAIL:
            self.profiles.missing |= flags
            if registers.day < day - _MOST_DAYS:
                registers.day = day - _MOST_DAYS
                registers.second = 0
        clock.set(day, second, now_ms)
        self._bt03[1] &= ~_CLOCK_ERROR & 0xFF
        rare.run(_PROFILE_CLOCK, self.profiles, "until", day, second)
        self.behind = not self._caught_up()
        for function in self.on_clock:
            function(old_day, old_second)
        self._untold = list(self.after_clock)
        self._old_day = old_day
        self._old_second = old_second

    def _go_back(self, day, second, flags):
        """The clock was set to before what was counted: energy goes on from there."""
        registers = self.registers
        rare.run(_PROFILE_CLOCK, self.profiles, "back", day, second, flags)
        registers.day = day
        registers.second = second
        registers.filling = False
        self.tariff.begin(day, second)

    def _begin(self, day, second):
        """The first time that there is a time: begin with the past, if the element can tell it."""
        registers = self.registers
        registers.day = day
        registers.second = second
        registers.filling = 0 <= self._element.since <= day
        if registers.filling:
            registers.day = max(self._element.since, day - _MOST_DAYS)
            registers.second = 0
            self._element.start(registers.day, 0)
        else:
            rare.run(_PROFILE_CLOCK, self.profiles, "begin", day, second)
        self.tariff.begin(registers.day, registers.second)

    def _calendar_changed(self):
        image = self.model.load(_ET40)
        self.tariff.reset_second = (3600 * image[0] + 60 * image[1]) % DAY
        self.calendar.forget()
        self.tariff.change()

    def _act(self, what, argument):
        """What the calendar brings (`meter/tariff.py`)."""
        try:
            if what == DAY_END:
                rare.run("meter.day_end", self.days.ring, self.registers, argument)
            elif what == SELF_READ:
                rare.run("meter.self_read", self, argument)
            elif what == DEMAND_RESET:
                rare.run("meter.demand_reset", self, 0, argument)
            else:
                rare.run("meter.season", self, argument)
        except OSError:  # flash is full or failed: the meter goes on, and says so
            self.registers.error()

    # ---- energy

    def poll(self, now_ms: int) -> int:
        """Count energy up to now, or a step of what lies behind. Due again each second.

        After the clock was set it first tells one follower a poll: each may load a rare module.
        """
        clock = self.clock
        registers = self.registers
        if self._untold:
            self._untold.pop(0)(self._old_day, self._old_second)
            return now_ms
        if not registers.changed:
            self._saved_ms = now_ms
        if clock.valid:
            clock.update(now_ms)
            if not self._caught_up():
                self._step()
            self.behind = not self._caught_up()
            if registers.filling and not self.behind:
                registers.filling = False
                registers.save()
            due = now_ms if self.behind else ticks.add(clock.tick, 1000)
        else:
            self._take(-1, 0)
            due = ticks.add(now_ms, 1000)
        if not self.behind:
            _tell(self.on_second, now_ms)
        if self.behind or ticks.diff(now_ms, self._saved_ms) >= _SAVE_MS:
            registers.save()
        return due

    def _caught_up(self) -> bool:
        days = self.clock.day - self.registers.day
        return days < 0 or (days == 0 and self.clock.second <= self.registers.second)

    def _step(self):
        """Count to where something changes next."""
        registers = self.registers
        tariff = self.tariff
        profiles = self.profiles
        if tariff.left <= 0:
            tariff.enter(registers.day, registers.second)
            profiles.dst = DST if tariff.dst else 0
            profiles.left = 0
        if profiles.left == 0:
            profiles.plan(registers.day, registers.second)
        step = min(profiles.left, tariff.left)
        if registers.day == self.clock.day:
            step = min(step, self.clock.second - registers.second)
        self._take(registers.day, registers.second + step)
        registers.second += step
        tariff.left -= step
        profiles.left -= step
        _tell(self.on_step, step)
        if profiles.left == 0:
            self._end_interval()

    def _take(self, day, second):
        self._element.take(day, second)
        self.registers.add(self.tariff.tier, self._element)

    def _end_interval(self):
        """An interval ends at the registers' moment: a quarter hour's demands, its snapshot, its
        record, the next's status."""
        registers = self.registers
        if registers.second % QUARTER_HOUR == 0:
            if registers.status[QUARTER] & 0x0F <= PARTIAL:
                self.demand.end(self.tariff.tier)
            for function in self.on_interval:
                function()
            registers.end_interval()
            if self.demand.changed:
                rare.run("meter.demand_state", self.demand, "save")
        if not self.behind:
            registers.save()
        self.profiles.end(registers.day, registers.second)
        self._end_day()

    def _end_day(self):
        """The last second of a day is the first of the next."""
        registers = self.registers
        if registers.second == DAY:
            registers.day += 1
            registers.second = 0

    # ---- tables

    def _show_present(self):
        body = self._bt28
        for k in range(DEMANDS):
            put32(body, 4 * k, self.demand.value(k))
        for k in range(_PRESENT_VALUES):
            struct.pack_into("<i", body, 4 * (DEMANDS + k), self._element.present(k))

    def _read_previous(self, offset, n, buf, o):
        """BT25 is a part of the newest entry of ET41."""
        self.resets.read_copy(self.resets.count - 1, _RESET_COPY + offset, n, buf, o)


def _tell(functions, argument):
    """A loop of its own: a frame of more than 11 words would take heap."""
    for function in functions:
        function(argument)
