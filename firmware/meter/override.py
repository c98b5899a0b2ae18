"""Rare: the tariff that ET47 sets by hand, for `meter/calendar.py`.

Kept, little-endian: tier 1 | cancellation 1 | the calendar's tier at the start 1 (255: it has not
begun, for the clock was not set) | duration 4 | start: day 2, second 4 | end: day 2, second 4 |
calendar id 4. Moments are UTC, so the time that power is away counts.
"""

import struct

from micropython import const

from meter.clock import DAY, from_ltime

_NAME = "override"
_RECORD = "<BBBIHIHI4s"
_SIZE = const(23)
_NOT_BEGUN = const(255)
_NONE = const(255)  # tariff: no override

_ET47 = const(2095)
_TIERS = const(8)
_NEVER = const(40000)  # a day after the last one of a two-digit year

_NEXT_SWITCH = const(0)  # cancellation (MEP p.123)
_DURATION = const(2)
_AT_TIME = const(3)

# tasks
_RESTORE = const(0)
_REQUEST = const(1)
_CLOCK = const(2)
_END = const(3)


class Override:
    """A tier that is in force in place of the calendar's, from its start up to its end (UTC).

    base: the calendar's tier at its start: its next change ends the override; -1: it does not.
    drive: what BT55 says of it (MEP p.231): 1 up to a tier switch, 2 for good, 3 for a time.
    """

    def __init__(self, tier, drive, base, day, second, end_day, end_second):
        self.tier = tier
        self.drive = drive
        self.base = base
        self.day = day
        self.second = second
        self.end_day = end_day
        self.end_second = end_second


def run(control, task, old_day=-1, old_second=0):
    """CLOCK takes the moment at which the clock was set to another one; day -1: it had none."""
    application = control.application
    now = (application.clock.day, application.clock.second)
    now = now if application.clock.valid else None
    record = _request(control) if task == _REQUEST else _load(control.settings)
    if not record:
        return
    changed = task in (_REQUEST, _END)
    if task == _END:
        record[0] = _NONE
    elif now and record[0] != _NONE:
        if record[2] == _NOT_BEGUN:
            _begin(record, application.calendar, now)
            changed = True
        elif task == _CLOCK:
            changed = _move(record, now, old_day, old_second)
    if changed:
        control.settings.replace(_NAME, struct.pack(_RECORD, *record), _SIZE)
    _apply(control, record)


def _load(settings):
    record = bytearray(_SIZE)
    if settings.load(_NAME, record) != _SIZE:
        return None
    return list(struct.unpack(_RECORD, record))


def _request(control):
    """What ET47 asks for; None: nothing that could be done, or no switch."""
    et47 = control.model.load(_ET47)
    tier, cancellation, duration = struct.unpack_from("<BBI", et47, 0)
    end = (_NEVER, 0)
    if tier == _NONE:
        return [_NONE, 0, 0, 0, 0, 0, 0, 0, bytes(4)]
    if tier >= _TIERS or cancellation > _AT_TIME or (cancellation == _DURATION and not duration):
        return None
    if cancellation == _AT_TIME:
        end = from_ltime(et47, 6)
        if not end:
            return None
    return [tier, cancellation, _NOT_BEGUN, duration, 0, 0, end[0], end[1], bytes(et47[12:16])]


def _begin(record, calendar, now):
    """The override begins now, and ends where the calendar's own tier changes, or as asked for."""
    over_power = calendar.over_power
    calendar.override = None
    calendar.over_power = -1
    calendar.at(*now)
    calendar.over_power = over_power
    record[2] = calendar.tier
    record[4:6] = now
    if record[1] == _DURATION:
        record[6:8] = _later(now, record[3])


def _move(record, now, old_day, old_second):
    """The clock was set. A duration goes on as it was; no start lies ahead of now."""
    start = record[4:6]
    shift = 0
    if record[1] == _DURATION and old_day >= 0 and _between(start, (old_day, old_second)) >= 0:
        shift = _between((old_day, old_second), now)
    elif _between(now, start) > 0:
        shift = _between(start, now)
    if not shift:
        return False
    record[4:6] = _later(start, shift)
    if record[1] == _DURATION:
        record[6:8] = _later(record[6:8], shift)
    return True


def _between(a, b):
    """Seconds from moment a to moment b."""
    return (b[0] - a[0]) * DAY + b[1] - a[1]


def _later(moment, seconds):
    day = moment[0] + (moment[1] + seconds) // DAY
    if day >= _NEVER:
        return [_NEVER, 0]
    return [max(day, 0), (moment[1] + seconds) % DAY]


def _apply(control, record):
    """Let the calendar and ET23 have it."""
    application = control.application
    override = None
    tier, cancellation, base = record[:3]
    if tier != _NONE and base != _NOT_BEGUN:
        drive = cancellation + 1 if cancellation < _DURATION else 3
        if cancellation != _NEXT_SWITCH:
            base = -1
        override = Override(tier, drive, base, *record[4:8])
        control.ids[0:4] = record[8]
    application.calendar.override = override
    application.tariff.change()
    control.left = 0
