"""Procedures of the clock. BP10: set date and time (`profile.md` 30)."""

from micropython import const

from meter.clock import from_ltime, to_ltime, weekday
from osgp.procedures import BAD_PARAMETER, DONE

SET_DATE_TIME = const(10)

_TIME = const(1)
_DATE = const(2)
_QUALIFIER = const(4)
_PARAMETERS = const(8)  # mask, LTIME in UTC, qualifier
_LTIME = const(6)


class SetDateTime:
    """BP10 {mask 1, LTIME 6, qualifier 1} -> LTIME before and after."""

    def __init__(self, application):
        """`application`: `clock` (day, second), `set_clock(day, second, qualifier, now)`."""
        self._application = application

    def __call__(self, parameters, response, now):
        if len(parameters) != _PARAMETERS:
            return BAD_PARAMETER, 0
        clock = self._application.clock
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
            self._application.set_clock(moment[0], moment[1], parameters[7], now)
        response[:_LTIME] = before
        response[_LTIME:] = wanted
        return DONE, 2 * _LTIME
