"""The meter as one part: energy goes from the element into registers, profile and tables.

Energy is counted along UTC in steps that end where something changes: at a quarter hour, at a
change of tier, now. The registers hold the moment up to which it was counted. When that moment
lies behind the clock (the past that the element can tell, a time without power, a clock set
forward), the same steps are made, a few a slice, until it has caught up. Intervals that were
missed are recorded as skipped.
"""

import struct

from micropython import const

import ticks
from meter.calendar import Calendar, int16
from meter.clock import DAY, Clock, to_ltime, weekday
from meter.profile import (
    CLOCK_BACK,
    CLOCK_FORWARD,
    DST,
    INTERVAL,
    LONG,
    PARTIAL,
    POWER_FAIL,
    SKIPPED,
    Profile,
)
from meter.registers import Registers
from tables.model import NOT_POSSIBLE, OK

_ET04 = const(2052)
_ET21 = const(2069)

_STEPS = const(3)  # in a slice; a step that ends an interval costs two records in flash
_SAVE_MS = const(60000)
_MOST_DAYS = const(9)  # of the past that is made up for: what the profile can hold
_CLOCK_ERROR = const(0x40)  # BT03 octet 1: bit 6 of the standard status (OPT p.45)
_PRESENT_VALUES = const(26)  # BT21.9
# qualifier of BT52 and BT55 (MEP p.224, 230)
_DST_NOW = const(0x08)
_GMT = const(0x10)
_APPLIED = const(0x60)  # zone and daylight saving


class Application:
    """Poll it when it asks to be; set its clock; read and write the rest through the model."""

    def __init__(self, model, element, register_ring, profile_ring):
        """element: as in `meter/element.py`. The rings: of `registers.SIZE` and `profile.SIZE`."""
        self.clock = Clock()
        self.calendar = Calendar(model.body(53), model.body(54), model.body(_ET04))
        self.registers = Registers(register_ring)
        self.profile = Profile(profile_ring)
        self.behind = False  # the past is being made up for
        self._element = element
        self._tier = self.calendar.tier
        self._left = 0  # seconds for which tier and daylight saving stay as they are
        self._dst = 0
        # intervals up to this moment were missed, and get these flags; 0: none were
        self._until_day = 0
        self._until_second = 0
        self._missing = 0
        self._saved_ms = 0
        self._bt03 = model.body(3)
        self._bt23 = model.body(23)
        self._bt28 = model.body(28)
        self._bt52 = model.body(52)
        self._bt55 = model.body(55)
        self._bt63 = model.body(63)
        self._et21 = model.body(_ET21)
        self._bt03[1] |= _CLOCK_ERROR
        if self.registers.day >= 0:
            self._restart()
        self._serve(model)

    def _serve(self, model):
        model.before_read(23, self._show_registers)
        model.before_read(28, self._show_present)
        model.before_read(52, self._show_utc)
        model.before_read(55, self._show_local)
        model.before_read(63, self._show_profile)
        model.before_read(_ET21, self._show_internal)
        model.reader(64, self.profile.read)
        model.checker(53, self._check_offset)
        for number in (53, 54, _ET04):
            model.subscribe(number, self._calendar_changed)

    def _restart(self):
        """Go on from the kept snapshot. At an interval's end it precedes the record: make sure."""
        registers = self.registers
        self._element.start(registers.day, registers.second)
        if registers.second % INTERVAL == 0:
            if registers.second:
                self._record()
            registers.flags = registers.code = 0

    # ---- time

    def set_clock(self, day: int, second: int, qualifier: int, now_ms: int):
        """It is this moment (UTC).

        Of the qualifier nothing is needed: BP10 has held its weekday against the date, and
        daylight saving follows from BT53 and BT54.
        """
        registers = self.registers
        flags = POWER_FAIL
        if self.clock.valid:
            self.poll(now_ms)
            flags = 0 if self.behind else CLOCK_FORWARD
        ahead = (day - registers.day) or (second - registers.second)
        if registers.day < 0:
            self._begin(day, second)
        elif ahead < 0:
            self._go_back(day, second, flags & POWER_FAIL)
        elif ahead or flags == POWER_FAIL:
            self._missing |= flags
            if registers.day < day - _MOST_DAYS:
                registers.day = day - _MOST_DAYS
                registers.second = 0
        self._until_day = day
        self._until_second = second
        self._left = 0
        self.clock.set(day, second, now_ms)
        self._bt03[1] &= ~_CLOCK_ERROR & 0xFF
        self._mark()
        self.behind = not self._caught_up()

    def _go_back(self, day, second, flags):
        """The clock was set to before what was counted: energy goes on from there."""
        registers = self.registers
        self._missing = 0
        self.profile.set_back(day, second)
        registers.day = day
        registers.second = second
        registers.filling = False
        registers.flags |= CLOCK_BACK | flags
        registers.code = registers.code or LONG

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
        elif second % INTERVAL:
            registers.flags |= CLOCK_FORWARD
            registers.code = PARTIAL

    def _mark(self):
        """Give the interval at the registers' moment its status, if it is missing or a part is."""
        registers = self.registers
        inside = registers.second % INTERVAL
        start = registers.second - inside
        missing = (self._until_day - registers.day) * DAY + self._until_second - start
        if missing < INTERVAL:
            registers.filling = False
        if missing > 0 and self._missing and not registers.filling:
            registers.flags |= self._missing
            registers.code = SKIPPED if missing >= INTERVAL and not inside else PARTIAL
        if missing < INTERVAL:
            self._missing = 0

    def _calendar_changed(self):
        self.calendar.forget()
        self._left = 0

    # ---- energy

    def poll(self, now_ms: int) -> int:
        """Count energy up to now, or a few steps of what lies behind. Due again each second."""
        clock = self.clock
        registers = self.registers
        if not registers.changed:
            self._saved_ms = now_ms
        if clock.valid:
            clock.update(now_ms)
            steps = _STEPS
            while steps and not self._caught_up():
                self._step()
                steps -= 1
            self.behind = not self._caught_up()
            due = now_ms if self.behind else ticks.add(clock.tick, 1000)
        else:
            self._element.take(-1, 0)
            registers.add(self._tier, self._element.forward, self._element.reverse)
            due = ticks.add(now_ms, 1000)
        if self.behind or ticks.diff(now_ms, self._saved_ms) >= _SAVE_MS:
            registers.save()
        return due

    def _caught_up(self) -> bool:
        days = self.clock.day - self.registers.day
        return days < 0 or (days == 0 and self.clock.second <= self.registers.second)

    def _step(self):
        """Count to where something changes next."""
        registers = self.registers
        element = self._element
        if self._left <= 0:
            self._enter()
        step = min(INTERVAL - registers.second % INTERVAL, self._left)
        if registers.day == self.clock.day:
            step = min(step, self.clock.second - registers.second)
        element.take(registers.day, registers.second + step)
        registers.add(self._tier, element.forward, element.reverse)
        registers.second += step
        self._left -= step
        if registers.second % INTERVAL == 0:
            self._end_interval()

    def _enter(self):
        """Tier and daylight saving from the registers' moment on."""
        calendar = self.calendar
        calendar.at(self.registers.day, self.registers.second)
        self._tier = calendar.tier
        self._left = calendar.left
        self._dst = DST if calendar.dst else 0
        self.registers.flags |= self._dst

    def _end_interval(self):
        """An interval ends at the registers' moment: its snapshot, its record, the next's status.

        When it was ended before, what it was to be marked with goes to the next one.
        """
        if not self.behind:
            self.registers.save()
        if self._record():
            self.registers.flags = self.registers.code = 0
        self.registers.flags |= self._dst
        self._mark()

    def _record(self) -> bool:
        """Put the interval that ends at the registers' moment into the profile, if it is not."""
        registers = self.registers
        interval = registers.second // INTERVAL - 1
        done = self.profile.end(
            registers.day, interval, registers.flags, registers.code, registers
        )
        if registers.second == DAY:
            registers.day += 1
            registers.second = 0
        return done

    # ---- tables

    def _show_registers(self):
        self.registers.show(self._bt23)

    def _show_present(self):
        for k in range(_PRESENT_VALUES):
            struct.pack_into("<i", self._bt28, 4 * k, self._element.present(k))

    def _show_utc(self):
        clock = self.clock
        body = self._bt52
        body[6] = _GMT
        if clock.valid:
            to_ltime(clock.day, clock.second, body, 0)
            self.calendar.at(clock.day, clock.second)
            body[6] |= weekday(clock.day) | (_DST_NOW if self.calendar.dst else 0)

    def _show_local(self):
        calendar = self.calendar
        body = self._bt55
        body[6] = _APPLIED
        if self.clock.valid:
            calendar.at(self.clock.day, self.clock.second)
            to_ltime(calendar.local_day, calendar.local_second, body, 0)
            body[6] |= weekday(calendar.local_day) | (_DST_NOW if calendar.dst else 0)
        body[7] = calendar.tier
        body[8] = calendar.special | calendar.season << 4

    def _show_profile(self):
        self.profile.show_status(self._bt63, self.clock.valid)

    def _show_internal(self):
        self.profile.show_internal(self._et21, self.registers.flags, self.calendar)

    def _check_offset(self, image) -> int:
        """BT53 as it would become: a time of day, and a zone of -12 h to +14 h (MEP p.225)."""
        if image[0] > 23 or image[1] > 59 or image[2] > 59 or not -720 <= int16(image, 4) <= 840:
            return NOT_POSSIBLE
        return OK
