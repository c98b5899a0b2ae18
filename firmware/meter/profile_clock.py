"""Rare: what a clock that is set, and a start, mean for the load profile.

run(profiles, what, day, second, flags) at a moment (UTC):
    again     the meter starts at this moment: an interval's end precedes its record, make sure
    begin     the clock is set for the first time, and there is no past: of an interval that began
              before there is a part
    back      the clock was set back to this moment; flags: what else there is to tell
    until     it is this moment now: what lies between the registers' and it is missing
"""

from meter.profile_set import CLOCK_BACK, CLOCK_FORWARD, LONG, PARTIAL
from meter.profiles import QUARTER, SETS

_STEPS = 3  # of a slice (`meter/application.py`)


def run(profiles, what, day, second, flags=0):
    running = [k for k in range(QUARTER + 1) if profiles.lengths[k]]
    if what == "again":
        _again(profiles, running, day, second)
    elif what == "begin":
        for k in running:
            if _inside(profiles, k, second):
                profiles.registers.status[k] |= CLOCK_FORWARD | PARTIAL
    elif what == "back":
        _back(profiles, day, second, flags)
    else:
        _until(profiles, running, day, second)


def _inside(profiles, k, second):
    """Seconds since the interval that is open began."""
    return (second - profiles.starts[k]) % profiles.lengths[k]


def _again(profiles, running, day, second):
    """The clock had been set back when what is recorded lies further ahead than one slice of
    making up for the past could have recorded before its snapshot."""
    for one in profiles.sets:
        if one:
            one.anew = _number(one, day, second) < one.newest - _STEPS
    for k in running:
        if not _inside(profiles, k, second):
            if second and k < SETS:
                profiles.record(k, day, second)
            profiles.registers.status[k] = 0


def _number(one, day, second):
    """Of the interval that is open in a set."""
    return (day * 1440 + second // 60 - one.start) // one.minutes


def _back(profiles, day, second, flags):
    """If the moment lies before recorded intervals, a block begins.

    Nothing that is recorded goes. A moment in the interval recorded last is not worth a block:
    when its end comes again, it is not recorded again.
    """
    profiles.missing = 0
    for one in profiles.sets:
        if one:
            one.anew = _number(one, day, second) < one.newest
    status = profiles.registers.status
    for k in range(QUARTER + 1):
        if not status[k] & 0x0F:
            status[k] |= LONG
        status[k] |= CLOCK_BACK | flags


def _until(profiles, running, day, second):
    registers = profiles.registers
    profiles.until_day = day
    profiles.until_second = second
    profiles.active = True
    profiles.left = 0
    for k in running:
        profiles.mark(k, registers.day, registers.second)
        if k < SETS:
            profiles.show(k)
