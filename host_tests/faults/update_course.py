"""What a device is held to while it is updated, and how that is looked at after a power cut.

For the lives in update_life.py and update_pairs.py. After each cut the device starts and

- runs a bank that is whole and signed, or that a cable put there,
- the one that it is held to run: before what was under way, or after it,
- has its data, has not moved the floor of the security counter, and spent no try,
- runs the same one at the start after that,
- and, after one in RESUMED cuts, is updated to yet another image and confirms it.
"""

from device_life import BT06
from nor import PAGE, SECTOR, Nor, Raw
from update_machine import BANKS, RAW_UNIT, SELECTOR, Machine
from update_script import holds, read, updated

import banks

MARK = b"OSGP by cable 1\0"
RESUMED = 13
VERSIONS = {1: "good1", 2: "good2", 3: "good3", 4: "good4", 5: "cable"}
LAST = 4


class Images:
    """What update_images.py made, each read when it is wanted."""

    def __init__(self, folder):
        self._folder = folder
        self._read = {}
        self.key = self.file("update.pub")

    def file(self, name):
        with open(self._folder + "/" + name, "rb") as file:
            return file.read()

    def __getitem__(self, name):
        if name not in self._read:
            self._read[name] = self.file(name + ".img")
        return self._read[name]


def by_cable(image):
    return image[: SECTOR - len(MARK)] + MARK + image[SECTOR:]


def put_by_cable(nor, k, image):
    """What `osgp deploy` does: the bank loses its header, takes the image and then the header."""
    bank = BANKS[k] * SECTOR
    octets = by_cable(image)
    for at in range(0, len(octets), SECTOR):
        nor.erase(bank + at)
    for first, end in ((SECTOR, len(octets)), (0, SECTOR)):
        for at in range(first, end, PAGE):
            nor.program(bank + at, octets[at : min(at + PAGE, end)])


def selector(nor):
    """What the selector says; of a copy, so that nothing is mended by looking."""
    copy = Nor(memoryview(nor.data)[: (SELECTOR[-1] + 1) * SECTOR])
    return banks.load(Raw(copy, 0, RAW_UNIT, again=SELECTOR))


class Held:
    """What somebody outside knows, after so many flash operations."""

    def __init__(self, at, version, stamp, floor, tries):
        self.at = at
        self.version = version  # that runs
        self.stamp = stamp  # in a table
        self.floor = floor
        self.tries = tries  # that a trial has left; 0: there is none


class Course:
    """A machine, and what it is held to from one flash operation to the next."""

    def __init__(self, nor, images):
        self.nor = nor
        self.images = images
        self.machine = Machine(nor, images.key)
        self.version, self.stamp, self.floor, self.tries = 1, 0, 0, 0
        self.begin()

    def begin(self):
        """Flash operations are counted from here on."""
        self.start = bytes(self.nor.data)
        self.nor.operations = []
        self.held = []
        self.hold()

    def hold(self, **changes):
        """From now on this is so."""
        for name, value in changes.items():
            setattr(self, name, value)
        at = len(self.nor.operations)
        self.held.append(Held(at, self.version, self.stamp, self.floor, self.tries))

    def is_glance(self, k):
        """Whether it is enough to see what boot.py chooses, and what the file system holds."""
        return False

    def wanted(self, k):
        """To which version the device is updated after a cut at operation k; 0: to none."""
        return 0 if k % RESUMED else LAST


# ---- after a cut


def check(course, flash, k):
    """What is left of it after a cut at operation k."""
    before = [held for held in course.held if held.at <= k][-1]
    after = [held for held in course.held if held.at > k][:1]
    machine = Machine(flash, course.images.key)
    if course.is_glance(k):
        glance(machine, course.images, [before] + after)
    else:
        startle(Machine(Nor(flash.data), course.images.key), course.images)
        survive(machine, course.images, [before] + after)
    version = course.wanted(k)
    if version:
        machine.run(updated(machine, course.images[VERSIONS[version]]))
        assert machine.versions[-1] == version and not selector(flash).trial


def startle(machine, images):
    """It was no power cut but the watchdog: a try may be spent, and still a good bank runs."""
    active = machine.choose("watchdog")
    assert active >= 0, "safe mode after a watchdog"
    version = banks.header(machine.board.bank(active))[1]
    assert holds(machine.board, active, images[VERSIONS[version]]), "not a good bank"


def survive(machine, images, held):
    """A start, and one more: a bank that is good and held to, and the data."""
    seen = []
    machine.run(look(machine, seen))
    assert not machine.safe, "safe mode"
    version, active, stamp = seen[0]
    judge(machine, images, held, version, active, stamp)


def glance(machine, images, held):
    """The same, by the choice and the files alone: the device itself does not start."""
    active = machine.choose()
    assert active >= 0, "safe mode"
    version = banks.header(machine.board.bank(active))[1]
    judge(machine, images, held, version, active, machine.value("BT06")[20:50])


def judge(machine, images, held, version, active, stamp):
    assert version in [one.version for one in held], "version %d runs" % version
    assert holds(machine.board, active, images[VERSIONS[version]]), "not a good bank"
    assert stamp in [bytes((one.stamp,)) * 30 for one in held], "data"
    state = selector(machine.nor)
    assert state.floor in [one.floor for one in held], "the floor is %d" % state.floor
    if state.trial:
        assert state.tries in [one.tries for one in held], "%d tries" % state.tries
    assert machine.choose() == active, "another one at the next start"


def look(machine, seen):
    """A script: what runs, in which bank, and the table."""
    seen.append((machine.versions[-1], banks.active(), read(machine, BT06, 20, 30)))
    yield None
