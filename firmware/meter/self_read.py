"""Rare: a self read, a copy of the registers in BT26 (MEP p.213-214).

    entry   BIDN 2 | local time 5 | season 1 | BT23 981

The registers are saved first: what a copy says they had, they never go back behind.
"""

from micropython import const

import rare
from meter.clock import to_stime
from meter.registers import BT23_SIZE

_ET42 = const(2090)
_ET42_BIDN = const(8)
_TIME = const(2)
_SEASON = const(7)
_DATA = const(8)

_SELF_READ = const(21)  # events (osgp.md 6)
_OVERFLOW = const(65)


def run(application, day=None):
    """Take one now. day: the local day for which it is scheduled, which has one only; None: asked
    for."""
    log = application.self_reads
    if day is None:
        day = log.day
    elif day == log.day:
        return
    registers = application.registers
    calendar = application.calendar
    if registers.day >= 0:
        calendar.at(registers.day, registers.second)
    registers.save()
    registers.show()
    image = bytearray(_DATA + BT23_SIZE)
    image[:_TIME] = application.model.load(_ET42)[_ET42_BIDN : _ET42_BIDN + 2]
    if registers.day >= 0:
        to_stime(calendar.local_day, calendar.local_second, image, _TIME)
    image[_SEASON] = calendar.season
    image[_DATA:] = registers.body
    lost = rare.run("meter.copies_change", log, "add", image, day)
    application.events.post(_SELF_READ)
    if lost:
        application.events.post(_OVERFLOW)
