"""Rare: pending tables become what they were pending for.

The order of what is kept makes a power cut harmless: that it has begun, with the number of demand
resets so far; the self read and the demand reset, unless they are there; the table; that it is not
pending any more. Whatever was done is not done again, or to no effect.
"""

from micropython import const

from meter.clock import to_stime
from osgp.pending import HEADER, LAST, PREPARED, RESETS, STATE, TIMED, WAITING, due
from tables.model import OK

_BT23 = const(23)  # its first octet counts the demand resets (BT21.0.2)
_SELF_READ = const(0x10)  # flags of a description
_DEMAND_RESET = const(0x20)


def run(pending, day, second, only=None, by_hand=False):
    """Activate all that is due by this moment, in the order in which it is.

    by_hand: all that is pending, or the tables of the indices `only`, whatever their moment.
    """
    while True:
        k = _next(pending, day, second, only, by_hand)
        if k < 0:
            return
        _activate(pending, k, day, second)


def _next(pending, day, second, only, by_hand):
    """The index of what comes next; -1: nothing does."""
    found = -1
    first = (day, second)
    for k in range(len(pending.numbers)):
        at = k * HEADER
        state = pending.headers[at + STATE]
        if not state & WAITING or (only is not None and k not in only):
            continue
        if by_hand:
            return k
        moment = due(pending.headers, at)
        if state & TIMED and moment <= first and (found < 0 or moment < first):
            found = k
            first = moment
    return found


def _activate(pending, k, day, second):
    number = pending.numbers[k]
    value = bytearray(HEADER + pending.model.size(number))
    pending.settings.load(pending.name(k), value)
    flags = value[0]
    if flags & (_SELF_READ | _DEMAND_RESET):
        _prepare(pending, k, value, flags)
    if pending.model.activate(number, value[HEADER:]) != OK:
        pending.refused += 1
    value[STATE] = 0
    to_stime(day, second, value, LAST)
    pending.keep(k, value)
    if pending.on_event:
        pending.on_event(number, True)


def _prepare(pending, k, value, flags):
    resets = pending.model.load(_BT23)[0]
    if not value[STATE] & PREPARED:
        value[STATE] |= PREPARED
        value[RESETS] = resets
        pending.keep(k, value)
    done = value[RESETS] != resets
    pending.before(bool(flags & _SELF_READ) and not done, bool(flags & _DEMAND_RESET) and not done)
