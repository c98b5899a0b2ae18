"""Rare: procedures of the clock. BP10: set date and time (`profile.md` 30). EP16: by and by."""

from micropython import const

from meter.calendar import int16
from meter.clock import from_ltime, to_ltime, weekday
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE

_GRADUALLY = const(2048 + 16)
_ET55 = const(2048 + 55)
_ET55_RATE = const(4)
_MOST = const(16)  # s a minute (MEP p.140)

_TIME = const(1)  # the mask's bits
_DATE = const(2)
_QUALIFIER = const(4)
_LTIME = const(6)


def run(number, parameters, response, device, now):
    """BP10 {mask 1, LTIME 6 in UTC, qualifier 1} -> LTIME before and after.

    EP16 {seconds INT16}.
    """
    if number == _GRADUALLY:
        rate = min(device.model.load(_ET55)[_ET55_RATE], _MOST)
        return slide(int16(parameters, 0), rate, device.application.clock), 0
    return set_date_time(parameters, response, device.application, now)


def set_date_time(parameters, response, application, now):
    """`application`: `clock` (day, second), `set_clock(day, second, qualifier, now)`."""
    clock = application.clock
    clock.update(now)
    before = bytearray(_LTIME)
    to_ltime(clock.day, clock.second, before, 0)
    wanted = bytearray(before)
    mask = parameters[0]
    if not clock.valid and mask & (_DATE | _TIME) in (_DATE, _TIME):
        return BAD_PARAMETER, 0  # half a moment, and no clock to take the other half from
    if mask & _DATE:
        wanted[0:3] = parameters[1:4]
    if mask & _TIME:
        wanted[3:6] = parameters[4:7]
    moment = from_ltime(wanted, 0)
    if moment is None or (mask & _QUALIFIER and parameters[7] & 7 != weekday(moment[0])):
        return BAD_PARAMETER, 0
    if mask & (_DATE | _TIME):
        application.set_clock(moment[0], moment[1], parameters[7], now)
    response[:_LTIME] = before
    response[_LTIME:] = wanted
    return DONE, 2 * _LTIME


def slide(seconds, rate, clock):
    """The clock goes faster or slower by `rate` seconds a minute until it has made up for this."""
    if not clock.valid or rate == 0:
        return CONFLICT
    clock.slide = seconds
    clock.rate = rate
    clock.passed = 0
    return DONE
