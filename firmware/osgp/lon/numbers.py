"""Rare: transaction numbers of this node's own. Source: `lon.md` 2.

0 is used only by the first after a start, then 1..15 go round; and a destination is not given the
number again that it had last, as long as it may remember that.
"""

from micropython import const

import ticks

_REMEMBERED_MS = const(24576)
_DESTINATIONS = const(10)


def run(outgoing, slot, now: int) -> int:
    """The number of the transaction for which `slot` has been addressed."""
    to = bytes((slot.priority | slot.format,)) + bytes(slot.header[4 : slot.header_n])
    known = [
        entry
        for entry in outgoing.numbers or ()
        if 0 <= ticks.diff(now, entry[2]) < _REMEMBERED_MS
    ]
    last = [entry[1] for entry in known if entry[0] == to]
    number = _after(slot.number)
    if number in last:
        number = _after(number)
    others = [entry for entry in known if entry[0] != to]
    outgoing.numbers = others[1 - _DESTINATIONS :] + [(to, number, now)]
    slot.number = number
    return number


def _after(number):
    return number % 15 + 1 if number >= 0 else 0
