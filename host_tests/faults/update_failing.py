"""Flash that fails: a sector of the selector for good, any operation of an update once.

usage: micropython update_failing.py FOLDER [EVERY LAST]    (update_faults.py does that)

With one of the selector's two sectors dead, one that raises or one that keeps nothing, the whole
life of update_life.py goes as ever. Where neither takes the end of a trial, that is over all the
same. With any one operation on a bank or on the selector failing while an image is brought and
switched to, the device goes on, runs a good bank and, asked again, takes the image.
LAST: the last section of the lives. EVERY: how many operations lie between two that fail.
"""

import sys

from nor import SECTOR, Nor, show
from update_course import Course, Images, look, selector
from update_life import Life
from update_machine import BANKS, SELECTOR, quiet
from update_script import (
    EP10,
    call,
    downloaded,
    identity,
    sleep,
    switched,
    updated,
)

EVERY = 3
_EIO = 5


class Dead(Nor):
    """One sector of the selector does not work any more."""

    sector = SELECTOR[0]
    raises = True

    def program(self, address, buf, again=False):
        if address // SECTOR != self.sector:
            super().program(address, buf, again)
        elif self.raises:
            raise OSError(_EIO)

    def erase(self, address):
        if address // SECTOR != self.sector:
            super().erase(address)
        elif self.raises:
            raise OSError(_EIO)


class Once(Nor):
    """One operation on a bank or on the selector fails; `countdown` tells which."""

    countdown = -1

    def _count(self, address):
        sector = address // SECTOR
        if sector in SELECTOR or sector >= BANKS[0]:
            self.countdown -= 1
            if self.countdown == 0:
                raise OSError(_EIO)

    def program(self, address, buf, again=False):
        self._count(address)
        super().program(address, buf, again)

    def erase(self, address):
        self._count(address)
        super().erase(address)


class Deaf(Nor):
    """The selector takes nothing for a while."""

    deaf = False

    def program(self, address, buf, again=False):
        if self.deaf and address // SECTOR in SELECTOR:
            raise OSError(_EIO)
        super().program(address, buf, again)


def deaf(images):
    """A trial has used up its tries, and just then that cannot be written down: the confirmed
    bank runs, and naming it does not confirm the other one."""
    life = Life(images, Deaf)
    life.live("switch")
    nor, m = life.nor, life.machine
    m.run(spent(m))
    assert selector(nor).tries == 1
    nor.deaf = True
    m.run(named(m, images["good1"]), "watchdog")
    assert m.versions[-1] == 1 and selector(nor).confirmed == 0
    assert m.choose() == 0


def spent(m):
    """A script: two tries."""
    yield None
    yield "watchdog"
    yield "watchdog"


def named(m, image):
    """A script: EP10 names the bank that runs, which is no trial."""
    m.nor.deaf = False
    m.leap = 2500
    yield from sleep(m, 610)
    call(m, EP10, b"\0" + identity(image))
    yield from sleep(m, 5)
    yield "watchdog"
    yield None


def dead(images, last):
    lives = 0
    for sector in SELECTOR:
        for raises in (True, False):
            Dead.sector, Dead.raises = sector, raises
            Life(images, Dead).live(last)
            lives += 1
    return lives


def once(images, every):
    """Returns how many operations there were to fail, and how many did."""
    start = Life(images).start
    image = images["good2"]
    whole = Course(Once(start), images)
    whole.machine.run(attempt(whole.machine, image))
    assert whole.machine.versions[-1] == 2
    operations = -1 - whole.nor.countdown
    cases = 0
    for k in range(1, operations + 1, every):
        course = Course(Once(start), images)
        m = course.machine
        course.nor.countdown = k
        try:
            m.run(attempt(m, image))
            seen = []
            m.run(look(m, seen))
            assert seen[0][0] in (1, 2) and seen[0][2] == bytes((1,)) * 30
            m.run(updated(m, image))
            assert m.versions[-1] == 2 and not selector(m.nor).trial
        except Exception:
            show("operation", k, "fails")
            raise
        cases += 1
    return operations, cases


def attempt(m, image):
    """A script: an update as far as it goes."""
    yield from downloaded(m, image)
    yield from switched(m, image)
    yield from sleep(m, 3)


def main(folder, every=EVERY, last=None):
    images = Images(folder)
    lives = dead(images, last)
    deaf(images)
    lives += 1
    operations, cases = once(images, int(every))
    show(operations, "operations", lives + cases, "cases")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
