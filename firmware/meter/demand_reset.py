"""Rare: a demand reset, recorded in ET41 (MEP p.109-111), which BT25 shows the newest of.

    entry   length 2 | reason 1 | BIDN 2 | local time 5 | season 1 | BT23 981

In this order: the registers are saved, the entry is there, the maxima are cleared. Power that goes
after the entry was written leaves one more entry than the demands know of resets: the start then
clears them.
"""

from micropython import const

import rare
from meter.clock import to_stime
from meter.registers import BT23_SIZE, put16

SCHEDULED = const(0)  # reasons
PROCEDURE = const(1)
PENDING = const(3)

_ET42 = const(2090)
_ET42_BIDN = const(8)
_REASON = const(2)
_BIDN = const(3)
_TIME = const(5)
_SEASON = const(10)
_DATA = const(11)

_DEMAND_RESET = const(20)  # event (osgp.md 6)


def run(application, reason, day=None, recorded=False):
    """Reset the demands. day: the local day for which that is scheduled, which has one only; None:
    asked for. recorded: the entry is there already."""
    log = application.resets
    if day is None:
        day = log.day
    elif day == log.day:
        return
    registers = application.registers
    if not recorded:
        rare.run("meter.copies_change", log, "add", _entry(application, reason), day)
    rare.run(
        "meter.demand_state",
        application.demand,
        "reset",
        log.count,
        max(registers.day, 0),
        registers.second,
    )
    application.events.post(_DEMAND_RESET, reason)


def _entry(application, reason):
    registers = application.registers
    calendar = application.calendar
    registers.save()
    registers.show()
    image = bytearray(_DATA + BT23_SIZE)
    put16(image, 0, len(image))
    image[_REASON] = reason
    image[_BIDN:_TIME] = application.model.load(_ET42)[_ET42_BIDN : _ET42_BIDN + 2]
    if registers.day >= 0:
        calendar.at(registers.day, registers.second)
        to_stime(calendar.local_day, calendar.local_second, image, _TIME)
    image[_SEASON] = calendar.season
    image[_DATA:] = registers.body
    return image
