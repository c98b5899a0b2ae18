"""What switches: the load disconnect, the control relays, and the tariff that is set by hand.

Looked at once a second here. What comes of it is rare, and done by rare modules, to which this is
what they work on:

    meter.limits       what ET05, ET55 and ET80 say is taken over
    meter.disconnect   the contactor and its button: opening, closing, waiting for it
    meter.credit       prepaid credit is added, kept, and runs out
    meter.schedule     what comes at a time: the lock, the level of the limit, the relays
    meter.override     the tariff of ET47

ET30 is the state, kept in flash. It is written before the contactor opens and after it has
closed: whatever power does, a supply that was open is not closed by a restart.
"""

import struct

from micropython import const

import rare
import ticks
from meter.registers import put32
from osgp.kernels import copy, fill

_BT54 = const(54)
_ET05 = const(2053)
_ET23 = const(2071)
_ET30 = const(2078)
_ET46 = const(2094)
_ET47 = const(2095)
_ET55 = const(2103)
_ET61 = const(2109)
_ET80 = const(2128)

# places in ET30, ET05, ET46 and ET23 (test_control_tables.py compares, in the rare modules too)
_STATE = const(25)
_REASON = const(26)
_FLAGS = const(27)
_LIMIT_OPENING = const(30)
_LIMIT = const(36)
_CREDIT = const(40)
_ET30_SIZE = const(52)
_ET46_LIMIT_OPENING = const(17)
_PIECES = ((0, 0, 8), (94, 8, 13))  # of ET23: where, and which octets of _misc

_SHOWN_OPEN = const(2)  # in ET23
_CLOSED = const(1)  # _STATE
_OPENED = const(2)
_EXHAUSTED = const(4)  # _FLAGS
_ACKNOWLEDGED = const(8)
_BY_LIMIT = const(2)  # _REASON
_BY_CREDIT = const(3)
_BY_CREDIT_LIMIT = const(4)
_CLOSES_AGAIN = b"\x02\x04\x07"  # by a limit, or the schedule

_OPEN = const(0)  # tasks of meter.disconnect
_CLOSE = const(1)
_WATCH = const(2)
_START = const(3)
_RESTORE = const(0)  # and of meter.override
_REQUEST = const(1)
_CLOCK = const(2)

_REST = const(10)  # s from one operation of the contactor to the next (MEP p.136)
_UNKEPT = const(100000)  # Wh of credit: kept again after so much
_LONG = const(0x1FFFFFFF)
_FORWARD_W = const(0)  # present values of the element, as in BT28
_REVERSE_W = const(1)
_CURRENT = const(4)
_BY_CURRENT = const(3)  # source of a limit in mA


class Control:
    """Opens, closes, and remembers why.

    moving: 0, or 1 closing, 3 opening (as ET23.94) while the contactor is on its way
    since: seconds since the contactor was last operated
    gone: prepaid credit is used up, with all that it may go beyond 0
    limit, time: W (or mA) and s of the limit in force; 0: none. source: of what is measured
    level_limit, credit_limit: of the present level, and without credit; 0: then it opens
    average, average_limit: of ET80, or None
    over_power: limit, time, tier and source of the consumption-based tariff (ET55), or None
    delay: s after which the supply is closed again by itself; 0: never
    prepay: `meter/prepay.py`, or None. allowed: Wh beyond 0 (ET46). warning: Wh
    left: s until meter.schedule has something to do
    ids: of calendars, 4 octets each: the override's, after a clock error, of over_power, BT54's
    """

    def __init__(self, model, settings, application, element, events, switch):
        """settings: see `settings.Settings`. element: `present(k)`. events: `post(event,
        argument)`. switch: see `meter/switch.py`."""
        self.model = model
        self.settings = settings
        self.application = application
        self.events = events
        self.switch = switch
        self.et05 = model.body(_ET05)
        self.et30 = model.body(_ET30)
        self.et46 = model.body(_ET46)
        self.messages: ... = None  # counts the power line's: `received`, `validated`
        self.moving = 0
        self.wait = 0  # s for the contactor to arrive
        self.why = 0  # event 66 when it has, but for the state
        self.since = 0
        self.odd = 0  # bit 0: the contactor is not where the state says; bit 1: load side voltage
        self.gone = False
        self.limit = 0
        self.time = 0
        self.source = 0
        self.level_limit = 0
        self.credit_limit = 0
        self.average: ... = None
        self.average_limit = 0
        self.over_power: ... = None
        self.delay = 0
        self.prepay: ... = None
        self.allowed = 0
        self.warning = 0
        self.left = 0
        self.ids = bytearray(16)
        self._present = element.present
        self._tick = -1
        self._over = 0  # s for which the limit is exceeded
        self._over_tariff = 0
        self._misc = bytearray(13)
        rare.run("meter.limits", self, True)
        rare.run("meter.disconnect", self, _START)
        rare.run("meter.override", self, _RESTORE)
        model.before_read(_ET30, self._show)
        model.before_read(_ET46, self._show)
        model.reader(_ET23, self._read)
        for number in (_BT54, _ET05, _ET55, _ET61, _ET80):
            model.subscribe(number, self.configure)
        model.subscribe(_ET47, self._override)
        application.on_second.append(self.second)
        application.after_clock.append(self._clock_set)

    def configure(self):
        """Take over what was written."""
        rare.run("meter.limits", self)

    def _override(self):
        rare.run("meter.override", self, _REQUEST)

    def _run(self, *arguments):
        """Something rare that nobody waits for. With flash full or failed nothing has changed: it
        is tried again a second later."""
        try:
            rare.run(*arguments)
        except OSError:
            self.application.registers.error()
            self.left = 0

    def _clock_set(self, old_day, old_second):
        self.left = 0
        self._run("meter.override", self, _CLOCK, old_day, old_second)

    def second(self, now_ms: int):
        """Look at everything, once in each second."""
        if self._tick < 0:
            self._tick = now_ms
        passed = ticks.diff(now_ms, self._tick) // 1000
        if passed <= 0:
            return
        self._tick = ticks.add(self._tick, 1000 * passed)
        self.since = min(self.since + passed, _LONG)
        self._look(passed)
        if self.prepay:
            self._pay()
        self._measure(passed)
        if self.over_power:
            self._measure_tariff(passed)
        self._judge()
        self.left -= passed
        if self.left <= 0:
            self._run("meter.schedule", self)

    def _look(self, passed):
        """Is the contactor where it should be, and what does the button say?"""
        switch = self.switch
        odd = 0
        if self.et30[_STATE] != _CLOSED:
            odd = (1 if switch.opened is False else 0) | (2 if switch.load_voltage else 0)
        elif switch.opened:
            odd = 1
        if self.moving or switch.pressed or odd != self.odd:
            self._run("meter.disconnect", self, _WATCH, odd, passed)

    def _pay(self):
        """Deduct what was used, and see whether that changes anything."""
        prepay = self.prepay
        prepay.count()
        flags = self.et30[_FLAGS]
        if (
            (prepay.total <= 0) != bool(flags & _EXHAUSTED)
            or (flags & _ACKNOWLEDGED and prepay.total >= self.warning)
            or (prepay.total + prepay.emergency + self.allowed <= 0) != self.gone
            or prepay.unkept >= _UNKEPT
        ):
            self._run("meter.credit", self)

    def _measure(self, passed):
        """How long the limits have been exceeded. Nothing can be opened in the past."""
        behind = self.application.behind
        if self.et30[_STATE] == _CLOSED and not behind and (self.limit or self.average):
            power = self._power(self.source)
            self._over = self._over + passed if power > self.limit > 0 else 0
            if self.average and self.average.add(power, passed) > self.average_limit:
                self._over = _LONG
        else:
            self._over = 0

    def _measure_tariff(self, passed):
        """The consumption-based tariff (MEP p.146) is in effect while power stays above."""
        limit, time, tier, source = self.over_power
        over = not self.application.behind and self._power(source) > limit
        self._over_tariff = min(self._over_tariff + passed, _LONG) if over else 0
        tier = tier if over and self._over_tariff >= time else -1
        if tier != self.application.calendar.over_power:
            self.application.calendar.over_power = tier
            self.application.tariff.change()

    def _power(self, source) -> int:
        """W by a source of ET05 and ET55 (0 forward + reverse, 1 forward, 2 forward - reverse), or
        mA of the phase that has most."""
        present = self._present
        if source == _BY_CURRENT:
            power = max(present(_CURRENT), present(_CURRENT + 1))
            return max(power, present(_CURRENT + 2))
        power = present(_FORWARD_W)
        if source == 1:
            return power
        return power - present(_REVERSE_W) if source == 2 else power + present(_REVERSE_W)

    def _judge(self):
        """Open what has to be open; close what may close again by itself."""
        state = self.et30[_STATE]
        if self.moving or self.since < _REST:
            return
        if state == _CLOSED:
            if self.gone and not self.credit_limit:
                self._run("meter.disconnect", self, _OPEN, _BY_CREDIT)
            elif self._over and self._over >= self.time:
                reason = _BY_CREDIT_LIMIT if self.gone else _BY_LIMIT
                self._run("meter.disconnect", self, _OPEN, reason)
        elif (
            state == _OPENED
            and self.delay
            and self.since >= self.delay
            and self.et30[_REASON] in _CLOSES_AGAIN
        ):
            self._run("meter.disconnect", self, _CLOSE, self.et30[_REASON])

    def _show(self):
        """Bring ET30 and ET46 up to date."""
        et30 = self.et30
        put32(et30, _LIMIT, self.limit)
        prepay = self.prepay
        if prepay:
            struct.pack_into("<iiI", et30, _CREDIT, prepay.total, prepay.emergency, prepay.number)
        else:
            fill(et30, _CREDIT, _ET30_SIZE, 0)
        copy(self.et46, _ET46_LIMIT_OPENING, et30, _LIMIT_OPENING, _LIMIT)

    def _read(self, offset, n, buf, o):
        """ET23."""
        misc = self._misc
        messages = self.messages
        if messages:
            put32(misc, 0, messages.received)
            put32(misc, 4, messages.validated)
        misc[8] = self.moving or (0 if self.et30[_STATE] == _CLOSED else _SHOWN_OPEN)
        self._show_calendar(misc)
        fill(buf, o, o + n, 0)
        for place, a, b in _PIECES:
            first = max(place, offset)
            last = min(place + b - a, offset + n)
            if first < last:
                copy(buf, o + first - offset, misc, a + first - place, a + last - place)

    def _show_calendar(self, misc):
        """The id of the calendar in use (ET23.95)."""
        clock = self.application.clock
        calendar = self.application.calendar
        k = 4
        if clock.valid:
            calendar.at(clock.day, clock.second)
            if not calendar.drive:
                k = 12
            elif calendar.override and calendar.drive == calendar.override.drive:
                k = 0
            else:
                k = 8
        copy(misc, 9, self.ids, k, k + 4)
