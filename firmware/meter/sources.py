"""Values by source id (MEP p.204-205): what load profiles, displays and alerts choose from.

0-7 summations | 8-25 present values | 26-28 pulses and errors | 29-72 summations by tier
73-80 counters of M-Bus devices | 81-84 present values by the ratios of BT15
88-95 present demands | 96-103 those of the interval before | 104-107 var of Q1-Q4
108-111 varh of Q1-Q4
"""

from micropython import const

from meter.registers import PULSES, QUADRANTS

_BY_TIER = const(11)  # sources of a tier: the same as 0-7 and 26-28
_NOT_POPULATED = (4, 5, 8, 9, 10)  # outages, pulses and errors are not counted by tier
_TIERS = const(4)


def value(number: int, registers, demand, element):
    """The value of a source, INT32; None: this meter does not have it."""
    if number < 8:
        return registers.value(0, number)
    if number < 26:
        return element.present(number - 8)
    if number < 29:
        return registers.value(0, number - 26 + PULSES)
    if number < 29 + _TIERS * _BY_TIER:
        k = (number - 29) % _BY_TIER
        return 0 if k in _NOT_POPULATED else registers.value((number - 29) // _BY_TIER + 1, k)
    if number < 81:
        return 0
    if number < 85:
        return element.present(number - 63)
    if 88 <= number < 104:
        return demand.value(number & 7, number >= 96)
    if 104 <= number < 108:
        return element.present(number - 82)
    if 108 <= number < 112:
        return registers.value(0, number - 108 + QUADRANTS)
    return None
