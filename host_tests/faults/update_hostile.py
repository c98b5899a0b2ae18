"""Images that no device may take, and banks that do not work once they were taken.

usage: micropython update_hostile.py FOLDER [IMAGE ...]    (update_faults.py does that)

Each image of update_images.py is sent to a device, which is asked to run it; is written past it
into the flash of one whose other bank is gone; and each that is signed but does not work is tried.
After each the device runs what it ran, and then takes a good one.
"""

import sys

from nor import SECTOR, Nor, show
from update_course import VERSIONS, Course, Images, look, selector
from update_life import Life
from update_machine import BANKS, SELECTOR, quiet
from update_script import (
    BAD,
    EP08,
    FAILED,
    Status,
    call,
    erased,
    sent,
    sleep,
    switched,
    updated,
)

USED_UP, DAMAGED = 3, 6  # why a trial ended
ERRORS = {USED_UP: 11, DAMAGED: 13}  # and what ET17 says then
ROOM = 192192
LENGTH_AT = 12  # of the header

# What ET17 says of each that is refused (profile 24); 0: not even its length is taken
REFUSED = {
    "no_header": 1,
    "empty": 1,
    "folder": 1,
    "foreign": 2,
    "bytecode": 3,
    "small_ints": 3,
    "short": 4,
    "long": 4,
    "lie_0": 4,
    "lie_less": 4,
    "lie_more": 4,
    "lie_huge": 4,
    "signed_0": 4,
    "signed_more": 4,
    "signed_bank": 4,
    "signed_huge": 4,
    "damaged": 5,
    "signed_digest": 5,
    "unsigned": 6,
    "marked": 6,
    "stranger": 7,
    "borrowed": 7,
    "renamed": 7,
    "raised": 7,
    "older": 8,
    "too_large": 0,
}
# Those that are signed, and what becomes of them is seen when they run
BAD_CODE = ("raises", "raises_later", "lacks", "no_run", "memory", "deep")
BAD_CODE += ("exits", "returns", "resets", "hangs", "starves")
NO_FILES = "no_rom"
# Not for `past`: with the mark it is one that a cable put there, and signed ones may return
VOUCHED = ("marked", "older", "long", "short")


ALL = sorted(REFUSED) + list(BAD_CODE) + [NO_FILES]


class Trials:
    """One device after the other, as it was at the beginning of a life."""

    def __init__(self, images):
        self.images = images
        life = Life(images)
        self.start = life.start
        self.cases = 0

    def course(self):
        self.cases += 1
        return Course(Nor(self.start), self.images)

    def is_as_before(self, course, version=1):
        """It runs that version at the next start, and takes an update."""
        m = course.machine
        seen = []
        m.run(look(m, seen))
        assert seen[0][0] == version and seen[0][2] == bytes((1,)) * 30
        m.run(updated(m, self.images[VERSIONS[4]]))
        assert m.versions[-1] == 4 and not selector(m.nor).trial

    def of(self, name):
        """All that can be done with an image."""
        if name in BAD_CODE:
            self.give_up(name)
            return
        if name == NO_FILES:
            self.give_up(name, DAMAGED)
            return
        self.refuse(name)
        if name != "long":  # as long as it claims, it is a good one
            self.refuse_as_claimed(name)
        if name not in VOUCHED:
            for gone in ((), ("A",), ("selector",), ("A", "selector")):
                self.past(name, gone)

    # ---- sent

    def refuse(self, name, length=0):
        """It is sent, as so many octets, and the device is asked to run it."""
        course = self.course()
        course.machine.run(self._refuse(course, name, length))
        assert selector(course.nor).number == 1
        self.is_as_before(course)

    def _refuse(self, course, name, length):
        m = course.machine
        image = self.images[name]
        error = REFUSED[name]
        if not error:
            assert call(m, EP08, len(image).to_bytes(4, "little")) == BAD
            return
        if length:
            image = (
                image + b"\xff" * (length - len(image)) if length > len(image) else image[:length]
            )
        yield from erased(m, image)
        assert (yield from sent(m, image))
        starts = m.starts
        assert not (yield from switched(m, image)), "taken"
        yield from sleep(m, 70)
        assert m.starts == starts, "it restarts"
        status = Status(m)
        assert status.state == FAILED and status.error, status.state
        assert length or status.error == error, (name, status.error)

    def refuse_as_claimed(self, name):
        """As many octets as its header says, where that many are taken."""
        claimed = SECTOR + int.from_bytes(self.images[name][LENGTH_AT : LENGTH_AT + 4], "little")
        if SECTOR < claimed <= 4 * SECTOR and claimed != len(self.images[name]):
            self.refuse(name, claimed)

    # ---- written past the device

    def past(self, name, gone):
        """It lies in bank B. gone: what else is damaged, of "A" and "selector"."""
        course = self.course()
        nor = course.nor
        image = self.images[name][: (BANKS[1] - BANKS[0]) * SECTOR]
        bank = BANKS[1] * SECTOR
        nor.data[bank : bank + len(image)] = image
        if "selector" in gone:
            for sector in SELECTOR:
                nor.erase(sector * SECTOR)
        if "A" in gone:
            nor.data[BANKS[0] * SECTOR + SECTOR + 99] ^= 1
        before = bytes(nor.data)
        chosen = course.machine.choose("watchdog")
        if "A" in gone:
            assert chosen < 0, "it runs"
            assert bytes(nor.data) == before, "safe mode writes"
        else:
            assert chosen == 0
            self.is_as_before(course)

    # ---- tried

    def give_up(self, name, why=USED_UP):
        """It is tried three times, unless that is not possible, and then the bank before
        returns."""
        course = self.course()
        m = course.machine
        m.run(self._give_up(m, self.images[name], why))
        state = selector(m.nor)
        assert (state.confirmed, state.trial, state.why) == (0, False, why), state.why
        self.is_as_before(course)

    def _give_up(self, m, image, why):
        yield from erased(m, image)
        assert (yield from sent(m, image))
        assert (yield from switched(m, image))
        assert m.versions[-1] == 1
        assert Status(m).error == ERRORS[why]
        yield None


def main(folder, *names):
    """All of them, or those that are named."""
    trials = Trials(Images(folder))
    for name in names or ALL:
        try:
            trials.of(name)
        except Exception:
            show(name)
            raise
    show(len(names or ALL), "images", trials.cases, "devices")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
