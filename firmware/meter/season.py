"""Rare: a season ends, and BT24 keeps the registers that it leaves (MEP p.212).

BT24   local time 5 | season that ended 1 | BT23 without the count of demand resets
"""

from micropython import const

from meter.clock import to_stime
from meter.registers import BT23_SIZE, FIRST

_BT24 = const(24)
_SEASON = const(5)
_DATA = const(6)
_SEASON_CHANGE = const(24)  # event (osgp.md 6)


def run(application, season):
    """The season that ends is `season`; the registers' moment belongs to the next one. Done once:
    a copy of this moment that is there already stays."""
    registers = application.registers
    calendar = application.calendar
    calendar.at(registers.day, registers.second)
    image = bytearray(_DATA + BT23_SIZE - FIRST)
    to_stime(calendar.local_day, calendar.local_second, image, 0)
    image[_SEASON] = season
    if application.model.load(_BT24)[:_DATA] == image[:_DATA]:
        return
    registers.save()
    registers.show()
    image[_DATA:] = registers.body[FIRST:]
    application.model.patch(_BT24, 0, image)
    application.events.post(_SEASON_CHANGE, calendar.season)
