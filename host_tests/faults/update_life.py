"""The life of a device that is updated, and what it runs when power goes at any flash operation.

usage: micropython update_life.py FOLDER SECTIONS FIRST LAST    (update_faults.py does that)

FOLDER is what update_images.py made, SECTIONS the words of SECTIONS below with + between them. The
device of update_machine.py gets one image after the other and is told, or left, to take it or to
go back. Power goes at each flash operation of those sections, FIRST to LAST, in four ways;
update_course.py says what is looked at then.
"""

import sys

import vfs
from device_life import BT06, FILE_SECTORS, RAW_SECTORS, START
from nor import PAGE, Blocks, Nor, blank, show, sweep
from update_course import RESUMED, VERSIONS, Course, Images, check, put_by_cable, selector
from update_machine import CONNECT, SECTORS, quiet
from update_script import (
    Status,
    call,
    confirmed,
    downloaded,
    given_back,
    holds,
    restarted,
    sleep,
    switched,
    write,
)

import banks
from meter.clock import to_ltime

NEARLY_FULL = 126  # records of 128


class Life(Course):
    """All that happens to a device in its updates, one section after the other."""

    def __init__(self, images, flash=Nor):
        """flash: what it is made of."""
        nor = flash(blank(SECTORS))
        vfs.VfsLfs2.mkfs(Blocks(nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE)
        put_by_cable(nor, 0, images["good1"])
        super().__init__(nor, images)
        self.sections = {}  # word: (first operation, the one after the last)
        self.machine.run(self._prepare())
        self.floor = 1
        self.begin()

    def _prepare(self):
        m = self.machine
        moment = bytearray(6)
        to_ltime(START, 600, moment, 0)
        assert call(m, 10, b"\x03" + moment + b"\x00") == 0
        yield from sleep(m, 2)
        self.write_table()

    def write_table(self):
        """A host writes; it is kept whichever bank runs later."""
        self.stamp += 1
        assert write(self.machine, BT06, bytes((self.stamp,)) * 30, 20) == 0
        self.hold()

    def live(self, last=None):
        """All sections in order, up to and with that one."""
        for word in SECTIONS:
            first = len(self.nor.operations)
            getattr(self, word)()
            self.sections[word] = (first, len(self.nor.operations))
            if word == last:
                break

    def wanted(self, k):
        """Of a download that was cut short, also to its own: it goes on."""
        for word, version in (("download", 2), ("next_download", 3)):
            first, end = self.sections.get(word, (0, 0))
            if first <= k < end and k % RESUMED == 1:
                return version
        return super().wanted(k)

    # ---- the sections

    def download(self):
        self.machine.run(downloaded(self.machine, self.images["good2"]))

    def switch(self):
        self.machine.run(self._switch(2))

    def _switch(self, version):
        m = self.machine
        self.write_table()
        other = 1 - Status(m).active
        assert holds(m.board, other, self.images[VERSIONS[version]])
        assert (yield from switched(m, self.images[VERSIONS[version]]))
        assert m.versions[-1] == version
        self.hold(version=version, tries=3)

    def trial(self):
        """Restarts of every sort, a try that is spent, an hour and a half."""
        self.machine.run(self._trial())

    def _trial(self):
        m = self.machine
        yield from sleep(m, 5)
        yield "power on"
        self.write_table()
        for _ in range(2):
            yield CONNECT
        m.device.restart()
        yield from restarted(m)
        yield "watchdog"
        assert selector(self.nor).tries == 2
        self.hold(tries=2)
        m.leap = 20000
        yield from sleep(m, 5500)
        m.leap = 0
        assert selector(self.nor).hours == 1
        self.write_table()

    def confirm(self):
        self.machine.run(self._confirm())

    def _confirm(self):
        m = self.machine
        yield from confirmed(m, self.images["good2"])
        self.hold(floor=2, tries=0)
        yield from sleep(m, 5)
        yield "power on"

    def next_download(self):
        self.machine.run(downloaded(self.machine, self.images["good3"], -1))

    def next_switch(self):
        self.machine.run(self._switch(3))

    def used_up(self):
        """Three tries are spent, and the old bank returns."""
        self.machine.run(self._used_up())

    def _used_up(self):
        m = self.machine
        yield from sleep(m, 5)
        for left in (2, 1):
            yield "watchdog"
            assert m.versions[-1] == 3
            self.hold(tries=left)
            yield from sleep(m, 5)
        yield "watchdog"
        assert m.versions[-1] == 2
        self.hold(version=2, tries=0)
        yield from sleep(m, 5)
        self.write_table()

    def again_switch(self):
        """To the image that is in the other bank already."""
        self.machine.run(self._switch(3))

    def age(self):
        """It runs for 70 hours, most of which are written down only. After some more runs the
        selector's logs are nearly full: both begin anew in the next section."""
        self.machine.run(self._age())

    def _age(self):
        m = self.machine
        m.leap = 20000
        yield from sleep(m, 3700)
        m.leap = 0
        assert selector(self.nor).hours == 1
        state = banks.load(m.board.flash)
        for _ in range(69):
            state.hour()
        while state.number < NEARLY_FULL:
            state.open_run()
            state.close_run()

    def too_long(self):
        """Nobody confirms it for 72 hours."""
        self.machine.run(self._too_long())

    def _too_long(self):
        m = self.machine
        m.leap = 20000
        yield from restarted(m, 3 * 3600)
        m.leap = 0
        assert m.versions[-1] == 2
        self.hold(version=2, tries=0)
        yield from sleep(m, 5)

    def once_more(self):
        self.machine.run(self._switch(3))

    def back(self):
        """It is given back."""
        self.machine.run(self._back())

    def _back(self):
        m = self.machine
        yield from sleep(m, 20)
        yield from given_back(m)
        assert m.versions[-1] == 2
        self.hold(version=2, tries=0)
        yield from sleep(m, 5)
        self.write_table()

    def cable(self):
        """Somebody with a cable puts an image into the bank that is not in use."""
        active = 1 if selector(self.nor).confirmed else 0
        put_by_cable(self.nor, 1 - active, self.images["cable"])
        self.machine.run(iter(()))
        assert self.machine.versions[-1] == 5
        self.hold(version=5)


SECTIONS = (
    "download",
    "switch",
    "trial",
    "confirm",
    "next_download",
    "next_switch",
    "used_up",
    "again_switch",
    "age",
    "too_long",
    "once_more",
    "back",
    "cable",
)


def main(folder, words, first, last):
    life = Life(Images(folder))
    words = words.split("+")
    life.live(max(words, key=SECTIONS.index))
    wanted = []
    for word in words:
        wanted += range(*life.sections[word])
    cuts = sweep(life, check, set(wanted[int(first) : int(last)]))
    show(len(wanted), "operations", cuts, "cuts")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
