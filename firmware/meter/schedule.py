"""Rare: what comes at a time: level of the limit, lock, relays (`meter/control.py`)."""

import struct

from micropython import const

import rare
from meter.calendar import NO_SPECIAL, until
from meter.clock import DAY, from_ltime, weekday

_ET30 = const(2078)
_ET61 = const(2109)

# places in ET30 and ET05 (test_control_tables.py compares)
_ET30_LEVEL = const(0)
_ET30_SECONDARY_START = const(1)  # and the end
_ET30_LOCK_START = const(13)
_ET30_FLAGS = const(27)
_ET30_RELAYS = const(28)
_ET05_RELAYS = const(45)  # of each: mode, tiers

_LOCK_IN_FORCE = const(2)  # _ET30_FLAGS
_CLOSED_1 = const(0x10)  # _ET30_RELAYS: what they are; bits 0 and 1: forced open
_BY_SCHEDULE = const(7)  # of event 66
_RELAY_OPEN = const(67)  # events
_LEVEL_CHANGED = const(97)

_OPEN = const(0)  # tasks of meter.disconnect
_UNLOCK = const(5)
_END = const(3)  # and of meter.override
_TIMING = const(4)

# modes of a relay, and in which block of ten switches each finds its day
_DAILY = const(1)
_WEEKLY = const(2)
_SEASONS = const(3)
_TIER = const(4)
_SPECIAL_BLOCK = const(7)
_LAST_SEASON = const(3)
_SWITCHES_A_DAY = const(10)
_RELAY_SIZE = const(160)

_HOUR = const(3600)  # looked at once more at the latest


def run(control):
    """Do what is due, and say in `control.left` when there is more."""
    clock = control.application.clock
    calendar = control.application.calendar
    control.left = _HOUR
    if clock.valid:
        now = (clock.day, clock.second)
        _level(control, now)
        _lock(control, now)
        calendar.at(*now)
        override = calendar.override
        if override and until(*now, override.end_day, override.end_second) <= 0:
            left = control.left
            rare.run("meter.override", control, _END)
            control.left = left
            calendar.at(*now)
        control.left = min(control.left, calendar.left)
    _relays(control, calendar, clock.valid)


def _period(control, place, now: tuple[int, int]):
    """(is in force, is over) of the period whose start and end stand at this place of ET30."""
    start = from_ltime(control.et30, place)
    end = from_ltime(control.et30, place + 6)
    if not start:
        return False, False
    left = until(*now, *start)
    if left > 0:
        control.left = min(control.left, left)
        return False, False
    if not end:
        return True, False
    left = until(*now, *end)
    if left > 0:
        control.left = min(control.left, left)
    return left > 0, left <= 0


def _level(control, now):
    """The secondary level of the limit (EP22)."""
    in_force, over = _period(control, _ET30_SECONDARY_START, now)
    image = bytearray(control.et30[_ET30_LEVEL:_ET30_LOCK_START])
    image[0] = in_force
    if over:
        image[1:] = bytes(12)
    if image == control.et30[_ET30_LEVEL:_ET30_LOCK_START]:
        return
    changed = image[0] != control.et30[_ET30_LEVEL]
    control.model.patch(_ET30, _ET30_LEVEL, image)
    if changed:
        left = control.left
        rare.run("meter.limits", control)
        control.left = left
        control.events.post(_LEVEL_CHANGED, image[0])


def _lock(control, now):
    """The lock (EP36). Its times go after the lock itself, so that none is forgotten."""
    in_force, over = _period(control, _ET30_LOCK_START, now)
    locked = bool(control.et30[_ET30_FLAGS] & _LOCK_IN_FORCE)
    if in_force and not locked:
        result = rare.run("meter.disconnect", control, _OPEN, _BY_SCHEDULE, _LOCK_IN_FORCE)
        if result == _TIMING:
            control.left = 1
    elif locked and not in_force:
        rare.run("meter.disconnect", control, _UNLOCK, _LOCK_IN_FORCE, _BY_SCHEDULE)
    if over:
        control.model.patch(_ET30, _ET30_LOCK_START, bytes(12))


def _relays(control, calendar, valid):
    """Drive both as they are to be."""
    et30 = control.et30
    for k in range(2):
        mode = control.et05[_ET05_RELAYS + 2 * k]
        closed = True
        if et30[_ET30_RELAYS] >> k & 1:
            closed = False
        elif mode == _TIER:
            closed = bool(control.et05[_ET05_RELAYS + 2 * k + 1] >> calendar.tier & 1)
        elif _DAILY <= mode <= _SEASONS:
            closed = False
            if valid:
                image = control.model.load(_ET61)
                closed, left = switched(image, k, mode, calendar)
                control.left = min(control.left, left)
        bit = _CLOSED_1 << k
        was = bool(et30[_ET30_RELAYS] & bit)
        et30[_ET30_RELAYS] = et30[_ET30_RELAYS] & ~bit | (bit if closed else 0)
        control.switch.relay(k, closed)
        if was and not closed:
            control.events.post(_RELAY_OPEN, k)


def switched(et61, k, mode, calendar):
    """(closed, seconds for which it stays so at most) by the calendar of relay k, at the local
    moment that `calendar` was evaluated for."""
    day = weekday(calendar.local_day)
    block = 0
    if mode == _WEEKLY:
        block = day if calendar.special == NO_SPECIAL else _SPECIAL_BLOCK
    elif mode == _SEASONS:
        free = day in (0, 6) or calendar.special != NO_SPECIAL
        block = 2 * min(calendar.season, _LAST_SEASON) + free
    second = calendar.local_second
    last = -1
    closed = False
    for n in range(_SWITCHES_A_DAY):
        place = _RELAY_SIZE * k + 2 * (_SWITCHES_A_DAY * block + n)
        switch = struct.unpack_from("<H", et61, place)[0]
        start = (switch >> 11) * 3600 + (switch >> 5 & 0x3F) * 60 if n else 0
        if start > second:
            return closed, start - second
        if start > last:  # one that is not later than the one before it is unused
            last = start
            closed = bool(switch & 1)
    return closed, DAY - second
