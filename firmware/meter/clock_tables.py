"""BT52, BT53 and BT55: the clock, the zone, and the local clock with what the calendar says."""

from micropython import const

from meter.calendar import int16
from meter.clock import to_ltime, weekday
from tables.model import NOT_POSSIBLE, OK

# qualifier of BT52 and BT55 (MEP p.224, 230)
_DST_NOW = const(0x08)
_GMT = const(0x10)
_APPLIED = const(0x60)  # zone and daylight saving


class ClockTables:
    """Shows a clock and a calendar."""

    def __init__(self, model, clock, calendar):
        self._clock = clock
        self._calendar = calendar
        self._bt52 = model.body(52)
        self._bt55 = model.body(55)
        model.before_read(52, self._show_utc)
        model.before_read(55, self._show_local)
        model.checker(53, self._check_offset)

    def _show_utc(self):
        clock = self._clock
        body = self._bt52
        body[6] = _GMT
        if clock.valid:
            to_ltime(clock.day, clock.second, body, 0)
            self._calendar.at(clock.day, clock.second)
            body[6] |= weekday(clock.day) | (_DST_NOW if self._calendar.dst else 0)

    def _show_local(self):
        calendar = self._calendar
        body = self._bt55
        body[6] = _APPLIED
        if self._clock.valid:
            calendar.at(self._clock.day, self._clock.second)
            to_ltime(calendar.local_day, calendar.local_second, body, 0)
            body[6] |= weekday(calendar.local_day) | (_DST_NOW if calendar.dst else 0)
        body[7] = calendar.tier | calendar.drive << 6
        body[8] = calendar.special | calendar.season << 4

    def _check_offset(self, image) -> int:
        """BT53 as it would become: a time of day, and a zone of -12 h to +14 h (MEP p.225)."""
        if image[0] > 23 or image[1] > 59 or image[2] > 59 or not -720 <= int16(image, 4) <= 840:
            return NOT_POSSIBLE
        return OK
