"""Rare: the clock was set, and what is due after a time goes along with it."""

from micropython import const

from meter.clock import DAY
from osgp.pending import HEADER, STATE, TIMED, WAITING, due, set_due

_CODE = const(0x0F)
_AFTER_TIME = const(1)


def run(pending, days, seconds):
    """The clock went on by so many days and seconds, either of them less than 0 or not."""
    for k in range(len(pending.numbers)):
        at = k * HEADER
        header = pending.headers[at : at + HEADER]
        timed = header[STATE] & (WAITING | TIMED) == WAITING | TIMED
        if not timed or header[0] & _CODE != _AFTER_TIME:
            continue
        day, second = due(header, 0)
        second += seconds
        day = max(0, day + days + second // DAY)
        value = bytearray(HEADER + pending.model.size(pending.numbers[k]))
        pending.settings.load(pending.name(k), value)
        set_due(value, 0, day, second % DAY)
        pending.keep(k, value)
