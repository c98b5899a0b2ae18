"""The whole firmware as the image: it is downloaded, power goes now and then, and it runs.

usage: micropython update_real.py FOLDER SEED [CUTS]    (update_faults.py does that)

Power goes at some of the thousands of flash operations of the download and the switch. What was
there of it is not sent again, and in the end the firmware in the bank starts out of it, turns, and
is on trial.
"""

import sys

from device_life import Uart
from nor import WAYS, Nor, show
from update_course import Course, Images, selector
from update_life import Life
from update_machine import Machine, quiet
from update_script import RECEIVING, Status, downloaded, missing, packets, switched

CUTS = 20
_FIRMWARE = "/firmware/"


class Ready(Uart):
    """Always asks to be read, so that who polls it does not wait."""

    def ioctl(self, request, argument):
        return argument


class RealMachine(Machine):
    """Its banks bring their own modules: none of ours is there when one starts."""

    def _boot(self, cause):
        super()._boot(cause)
        self.board.plc = Ready()
        self._ours = {}
        for name in list(sys.modules):
            module = sys.modules[name]
            if _FIRMWARE in getattr(module, "__file__", "") and self.runs_real(sys.path[0]):
                self._ours[name] = sys.modules.pop(name)

    def runs_real(self, path):
        """Whether the bank at a path is the whole firmware."""
        try:
            __import__("os").stat(path + "/scheduler.mpy")
        except OSError:
            return False
        return True

    def _leave(self, path):
        super()._leave(path)
        sys.modules.update(self._ours)


def update(m, image, counts):
    """A script: to the trial of the image, from wherever the download is. counts: packets that
    were there, and that were missing."""
    if Status(m).state == RECEIVING:
        left = len(missing(m, image))
        counts.append((packets(image) - left, left))
    yield from downloaded(m, image)
    yield from switched(m, image)


def main(folder, seed, cuts=CUTS):
    images = Images(folder)
    course = Course(Nor(Life(images).start), images)
    m = course.machine = RealMachine(course.nor, images.key)
    m.run(update(m, images["real"], []))
    assert m.alive, "the firmware does not run out of its bank"
    state = int(seed)
    operations = course.nor.operations
    total = len(operations)
    flash = Nor(course.start)
    done = 0
    counts = []
    for k in range(int(cuts)):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        # Late ones are the more expensive to lose
        at = (k * 2 + 1) * total // (2 * int(cuts)) + (state >> 8) % 7
        for operation in operations[done:at]:
            flash.do(operation, None)
        done = at
        after = Nor(flash.data)
        after.do(operations[min(at, total - 1)], WAYS[k % len(WAYS)])
        machine = RealMachine(after, images.key)
        machine.run(update(machine, images["real"], counts))
        assert machine.alive and selector(after).trial
    show(counts)
    show(total, "operations", int(cuts), "cuts")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
