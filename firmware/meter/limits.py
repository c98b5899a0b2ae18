"""Rare: what ET05, ET55 and ET80 say about limits and credit, taken over by `meter/control.py`."""

import struct

from micropython import const

import rare
from osgp.kernels import copy

_BT54 = const(54)
_ET55 = const(2103)
_ET80 = const(2128)

# places (test_control_tables.py compares)
_BT54_ID = const(804)
_ET05_PRIMARY_LIMIT = const(0)  # and the secondary one
_ET05_PREPAY = const(24)
_ET05_CONTROL = const(25)
_ET05_PRIMARY_TIME = const(26)
_ET05_LIMIT_SOURCE = const(30)
_ET05_RECONNECT_DELAY = const(31)
_ET05_EXHAUSTED_LIMIT = const(33)  # and the warning level
_ET05_NEGATIVE_CREDIT = const(41)
_ET30_LEVEL = const(0)
_ET46_DISCONNECT_CONTROL_TYPE = const(11)
_ET46_NEGATIVE_CREDIT = const(13)
_ET55_TARIFFS = const(3)
_ET55_TARIFFS_DISABLED = const(81)
_ET55_OVER_POWER = const(82)
_ET55_CLOCK_ERROR_CALENDAR = const(95)  # and the one of over power

_NEGATIVE = const(4)  # of _ET05_PREPAY
_POWER = const(8)
_LIMITS = const(1)  # of _ET05_CONTROL
_TYPE = const(4)
_BY_CURRENT = const(3)  # source of a limit
_CONSUMPTION = const(2)  # of _ET55_TARIFFS, and of what disables it
_MOST = const(0x3FFFFFFF)
_MOST_CREDIT = const(999999999)


def run(control, start=False):
    """After a start, after a write, when the level has changed, and when the supply is closed."""
    et05 = control.et05
    flags = et05[_ET05_CONTROL]
    by_current = 1 if flags & _TYPE else 0
    control.source = _BY_CURRENT if by_current else min(et05[_ET05_LIMIT_SOURCE], 2)
    control.delay = struct.unpack_from("<H", et05, _ET05_RECONNECT_DELAY)[0]
    exhausted, warning, negative = struct.unpack_from("<IIi", et05, _ET05_EXHAUSTED_LIMIT)
    negative = min(max(negative, 0), _MOST_CREDIT) if et05[_ET05_PREPAY] & _NEGATIVE else 0
    control.allowed = negative
    control.warning = min(warning, _MOST_CREDIT)
    control.credit_limit = min(exhausted, _MOST) if et05[_ET05_PREPAY] & _POWER else 0
    control.et46[_ET46_DISCONNECT_CONTROL_TYPE] = by_current
    struct.pack_into("<i", control.et46, _ET46_NEGATIVE_CREDIT, negative)
    control.level_limit = 0
    level = control.et30[_ET30_LEVEL]
    control.time = struct.unpack_from("<H", et05, _ET05_PRIMARY_TIME + 2 * level)[0]
    if flags & _LIMITS:
        limit = struct.unpack_from("<I", et05, _ET05_PRIMARY_LIMIT + 4 * level)[0]
        control.level_limit = min(limit, _MOST)
    rare.run("meter.credit", control, start)
    _take_average(control, control.model.load(_ET80))
    _take_tariff(control, control.model.load(_ET55))
    copy(control.ids, 12, control.model.load(_BT54), _BT54_ID, _BT54_ID + 4)
    control.left = 0


def _take_average(control, et80):
    """ET80 (MEP p.184-185). It is measured from now on."""
    enabled, seconds, count, threshold = struct.unpack("<BHBI", et80)
    control.average = None
    control.average_limit = min(threshold or control.level_limit, _MOST)
    if enabled and seconds and 1 <= count <= 15 and control.average_limit:
        control.average = rare.run("meter.average", seconds, count)


def _take_tariff(control, et55):
    """The consumption-based tariff, and the ids that are shown (MEP p.145-148)."""
    control.over_power = None
    if et55[_ET55_TARIFFS] & ~et55[_ET55_TARIFFS_DISABLED] & _CONSUMPTION:
        limit, time, tier, source = struct.unpack_from("<IHBB", et55, _ET55_OVER_POWER)
        if tier < 8 and source < 3:
            control.over_power = (min(limit, _MOST), time, tier, source)
    calendar = control.application.calendar
    if not control.over_power and calendar.over_power >= 0:
        calendar.over_power = -1
        control.application.tariff.change()
    a = _ET55_CLOCK_ERROR_CALENDAR
    copy(control.ids, 4, et55, a, a + 8)
