"""Rare: an outage is recorded, in ET10, ET36 and ET81, ET09, the registers, in this order.

Each is safe in itself. When power goes between them, ET10 has the outage and the registers still
stand at its beginning: then the next start writes the others again, which changes nothing where
they have it already.
"""

from micropython import const

from meter.clock import DAY, from_ltime, to_ltime
from meter.registers import put16, put32

_ET09 = const(2048 + 9)
_ET10 = const(2048 + 10)
_ET36 = const(2048 + 36)
_ET81 = const(2048 + 81)
_LOG_ENTRY = const(87)  # event: a log of ET36 has an entry

_TIME_SIZE = const(6)
# ET10: outages 4, short ones 4, {power off 6, duration 4}
_SHORT = const(4)
_NEWEST = const(8)
_RECORD_SIZE = const(10)
# ET09: {power on 6, cause 1, reserved 1, power off 6, duration 4}
_OUTAGES = const(6)
_POWER_FAILURE = const(3)  # MEP p.70
_RECORDS = const(10)  # ET04.53
_OUTAGE_SIZE = const(18)
_SHORT_OUTAGES = const(315)
# ET81: flags 1, valid 1, last 1, sequence 2, unread 1, {start 6, end 6}
_HEADER = const(6)
_ENTRIES = const(80)  # ET36.103
_ENTRY_SIZE = const(12)
_OVERFLOW = const(0x02)
# ET36: the bitmap of logs with unread entries, and the bit of ET81
_UNREAD = const(120)
_OUTAGE_LOG = const(0x40)
_MOST = const(0x3FFFFFFF)
_LONGEST = const(0x3FFFFFF)  # what the registers take


def run(model, application, last, waited, power_failed):
    """last: (day, second) that was kept; waited: s from the start to the clock's being set."""
    clock = application.clock
    end = _shift(clock.day, clock.second - waited)
    body = model.load(_ET10)
    newest = from_ltime(body, _NEWEST) if _u32(body, 0) else None
    begin = last
    if newest:
        duration = _u32(body, _NEWEST + _TIME_SIZE)
        newest_end = _shift(newest[0], newest[1] + duration)
        if newest == last and duration:
            _record(model, application, body, newest)
        begin = max(begin, newest_end)
    if not power_failed:
        return
    duration = max((end[0] - begin[0]) * DAY + end[1] - begin[1], 0)
    put32(body, 0, min(_u32(body, 0) + 1, _MOST))
    if duration < _u16(model.load(_ET09), 0):
        put32(body, _SHORT, min(_u32(body, _SHORT) + 1, _MOST))
    body[_NEWEST + _RECORD_SIZE :] = body[_NEWEST:-_RECORD_SIZE]
    to_ltime(begin[0], begin[1], body, _NEWEST)
    put32(body, _NEWEST + _TIME_SIZE, min(duration, _MOST))
    model.patch(_ET10, 0, body)
    _record(model, application, body, begin)


def _record(model, application, et10, off):
    """Bring the others up to the newest outage of ET10, which began at `off`."""
    duration = _u32(et10, _NEWEST + _TIME_SIZE)
    on = _shift(off[0], off[1] + duration)
    _log(model, application, _u32(et10, 0), off, on)
    _show(model, et10, duration, on)
    application.registers.outage(min(duration, _LONGEST))


def _log(model, application, number, off, on):
    """Entry `number` (from 1) of ET81, in local time, unread."""
    body = model.load(_ET81)
    if _u16(body, 3) == number & 0xFFFF:
        return
    calendar = application.calendar
    element = (number - 1) % _ENTRIES
    if body[5] == _ENTRIES:  # the oldest was not read
        body[0] |= _OVERFLOW
    body[1] = min(body[1] + 1, _ENTRIES)
    body[2] = element
    put16(body, 3, number)
    body[5] = min(body[5] + 1, _ENTRIES)
    o = _HEADER + element * _ENTRY_SIZE
    for moment in (off, on):
        calendar.at(moment[0], moment[1])
        to_ltime(calendar.local_day, calendar.local_second, body, o)
        o += _TIME_SIZE
    unread = model.load(_ET36)[_UNREAD]
    if not unread & _OUTAGE_LOG:
        model.patch(_ET36, _UNREAD, bytes((unread | _OUTAGE_LOG,)))
    application.events.post(_LOG_ENTRY)
    model.patch(_ET81, 0, body)


def _show(model, et10, duration, on):
    """A long outage becomes the newest of ET09, a short one counts there."""
    body = model.load(_ET09)
    off = et10[_NEWEST : _NEWEST + _TIME_SIZE]
    body[_SHORT_OUTAGES : _SHORT_OUTAGES + 4] = et10[_SHORT : _SHORT + 4]
    if duration >= _u16(body, 0) and body[_OUTAGES + 8 : _OUTAGES + 8 + _TIME_SIZE] != off:
        end = _OUTAGES + _RECORDS * _OUTAGE_SIZE
        body[_OUTAGES + _OUTAGE_SIZE : end] = body[_OUTAGES : end - _OUTAGE_SIZE]
        to_ltime(on[0], on[1], body, _OUTAGES)
        body[_OUTAGES + 6] = _POWER_FAILURE
        body[_OUTAGES + 7] = 0
        body[_OUTAGES + 8 : _OUTAGES + 8 + _TIME_SIZE] = off
        put32(body, _OUTAGES + 14, duration)
    model.patch(_ET09, 0, body)


def _shift(day, second):
    """(day, second) with the second inside of the day."""
    return day + second // DAY, second % DAY


def _u16(body, o) -> int:
    return body[o] | body[o + 1] << 8


def _u32(body, o) -> int:
    return _u16(body, o) | _u16(body, o + 2) << 16
