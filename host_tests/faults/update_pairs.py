"""Every pair of power cuts while a device changes its bank: another one in what follows the first.

usage: micropython update_pairs.py FOLDER SECTION FIRST LAST    (update_faults.py does that)

The first cut is at one of the flash operations FIRST to LAST of a section of update_life.py, in
each way. Then the device starts, and a concentrator, or nobody, goes on to where the section
ended. The second cut is at any flash operation of that, in each way; after it is looked at what
update_course.py says.
"""

import sys

from nor import WAYS, Nor, show, sweep
from update_course import VERSIONS, Course, Images, check, look, selector
from update_life import SECTIONS, Life
from update_machine import quiet
from update_script import TRIAL, Status, confirmed, given_back, restarted, sleep, switched

# Primes: after one in so many second cuts the whole device starts, and one is updated
STARTED = 7
RARELY = 4001


class Onward(Course):
    """What a device does from a power cut on, and what is done with it."""

    def __init__(self, life, flash, goal):
        super().__init__(flash, life.images)
        self._count = 0
        state = selector(flash)
        self.floor, self.tries = state.floor, state.tries
        probe = Course(Nor(flash.data), life.images)
        seen = []
        probe.machine.run(look(probe.machine, seen))
        self.version, _, table = seen[0]
        self.stamp = table[0]
        self.begin()
        self.machine.run(goal(self))

    def is_glance(self, k):
        self._count += 1
        return self._count % STARTED and self._count % RARELY

    def wanted(self, k):
        return 0 if self._count % RARELY else 4


# ---- where the sections end


def _on_trial(course):
    return Status(course.machine).state == TRIAL


def to_confirmation(course):
    """To version 2, from where it was downloaded."""
    m = course.machine
    image = course.images[VERSIONS[2]]
    if course.version != 2:
        assert (yield from switched(m, image)), "a good image is not taken"
        course.hold(version=2, tries=3)
    if _on_trial(course):
        yield from confirmed(m, image)
        course.hold(floor=2, tries=0)
    yield "power on"


def to_its_end(course):
    """The trial of version 3 uses up its tries."""
    while _on_trial(course):
        yield "watchdog"
        state = selector(course.nor)
        course.hold(version=3 if state.trial else 2, tries=state.tries)
    yield "power on"


def until_72_hours(course):
    m = course.machine
    m.leap = 20000
    if _on_trial(course):
        yield from restarted(m, 3 * 3600)
    course.hold(version=2, tries=0)
    yield "power on"


def back(course):
    """Version 3 is given back."""
    m = course.machine
    yield from sleep(m, 2)
    if _on_trial(course):
        yield from given_back(m)
        course.hold(version=2, tries=0)
    yield "power on"


GOALS = {
    "switch": to_confirmation,
    "confirm": to_confirmation,
    "used_up": to_its_end,
    "too_long": until_72_hours,
    "back": back,
}


def pairs(life, section, first, last):
    """Returns how many operations the section has, and how many pairs of cuts there were."""
    begin, end = life.sections[section]
    chosen = range(begin + first, min(begin + last, end))
    cuts = 0
    flash = Nor(life.start)
    for k, operation in enumerate(life.nor.operations):
        for way in WAYS if k in chosen else ():
            after = Nor(flash.data)
            after.do(operation, way)
            try:
                onward = Onward(life, after, GOALS[section])
                cuts += sweep(onward, check, range(len(onward.nor.operations)))
            except Exception:
                show("after a power cut", way, "in operation", k)
                raise
        flash.do(operation, None)
    return end - begin, cuts


def main(folder, section, first, last):
    assert section in SECTIONS
    life = Life(Images(folder))
    life.live(section)
    operations, cuts = pairs(life, section, int(first), int(last))
    show(operations, "operations", cuts, "cuts")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
