"""Rare: a host's write of a pending table (OPT p.10)."""

from micropython import const

from meter.clock import DAY, from_ltime
from osgp.kernels import copy, fill
from osgp.pending import DUE, HEADER, LAST, PED, STATE, TIMED, WAITING, set_due
from tables.model import NOT_POSSIBLE, OK

_AT_MOMENT = const(0)  # event codes
_AFTER_TIME = const(1)
_BY_HAND = const(2)
_CODE = const(0x0F)


def run(pending, k, offset, buf, a, n):
    """buf[a:a+n] is the description and octets for `offset` of table pending.numbers[k].

    Returns a response code. What lies beyond the table's end is ignored.
    """
    model = pending.model
    number = pending.numbers[k]
    value = bytearray(HEADER + model.size(number))
    if pending.settings.load(pending.name(k), value) != len(value):
        fill(value, 0, HEADER, 0)
        value[HEADER:] = model.load(number)
    copy(value, 0, buf, a, a + PED)
    if not _describe(value, pending.application.clock):
        return NOT_POSSIBLE
    inside = max(0, min(n - PED, len(value) - HEADER - offset))
    copy(value, HEADER + offset, buf, a + PED, a + PED + inside)
    pending.keep(k, value)
    return OK


def _describe(value, clock) -> bool:
    """Work out what the description says. False: there is no such moment, or no clock to tell."""
    fill(value, DUE, LAST, 0)
    code = value[0] & _CODE
    if code == _BY_HAND:
        value[STATE] = WAITING
        return True
    if code == _AT_MOMENT:
        if not any(value[1:PED]):
            return True
        moment = from_ltime(value[1:PED] + b"\x00", 0)
    else:
        moment = _after(value, clock) if code == _AFTER_TIME and clock.valid else None
    if moment is None:
        return False
    value[STATE] = WAITING | TIMED
    set_due(value, 0, moment[0], moment[1])
    return True


def _after(value, clock):
    """Weeks, days, hours, minutes and seconds from now."""
    second = clock.second + value[3] * 3600 + value[4] * 60 + value[5]
    return clock.day + value[1] * 7 + value[2] + second // DAY, second % DAY
