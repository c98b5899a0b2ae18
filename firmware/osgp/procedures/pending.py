"""Rare: BP12 to BP15, which activate and clear pending tables (OPT p.11-12)."""

from micropython import const

import rare
from osgp.pending import HEADER, PED, STATE, WAITING
from osgp.procedures.results import DONE

_ACTIVATE_ALL = const(12)
_ACTIVATE = const(13)
_CLEAR_ALL = const(14)
_NONE_MATCHES = const(1)  # the result of BP13 and BP15


def run(number, parameters, response, device, now):
    """BP12 {}, BP13 {PED}, BP14 {}, BP15 {PED}."""
    pending = device.pending
    found = []
    for k in range(len(pending.numbers)):
        header = pending.headers[k * HEADER : (k + 1) * HEADER]
        every = number in (_ACTIVATE_ALL, _CLEAR_ALL)
        if header[STATE] & WAITING and (every or header[:PED] == parameters):
            found.append(k)
    if parameters and not found:
        return _NONE_MATCHES, 0
    if number in (_ACTIVATE_ALL, _ACTIVATE):
        clock = device.application.clock
        rare.run("osgp.activation", pending, clock.day, clock.second, found, True)
        return DONE, 0
    for k in found:
        value = bytearray(HEADER + pending.model.size(pending.numbers[k]))
        pending.settings.load(pending.name(k), value)
        value[STATE] = 0
        pending.keep(k, value)
        if pending.on_event:
            pending.on_event(pending.numbers[k], False)
    return DONE, 0
