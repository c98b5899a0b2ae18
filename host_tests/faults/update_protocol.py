"""Concentrators that do everything wrong: too early, too late, two at once, replayed, at random.

usage: micropython update_protocol.py FOLDER SEED    (update_faults.py does that)

Whatever EP08, EP09 and EP10 are called with, and when: the device never runs an image that is not
good, and takes a good one afterwards.
"""

import sys

from nor import Nor, show
from update_course import VERSIONS, Course, Images, look, selector
from update_life import Life
from update_machine import CONNECT, quiet
from update_script import (
    BAD,
    COMPLETE,
    CONFLICT,
    DONE,
    EP08,
    EP09,
    EP10,
    ERASING,
    FAILED,
    NOT_YET,
    PACKET,
    RECEIVING,
    TRIAL,
    UNDER_WAY,
    VERIFYING,
    Status,
    call,
    downloaded,
    erased,
    finished,
    holds,
    identity,
    missing,
    packet,
    packets,
    sent,
    sleep,
    switched,
    updated,
)

LONGEST = 192192
MIXED = 60  # pairs of concentrators
RAVING = 40  # lives of one that raves
CALLS = 60  # of each


def four(number):
    return number.to_bytes(4, "little")


class Wrong:
    """One device after the other, as it was at the beginning of a life, and what is done to it."""

    def __init__(self, images, seed):
        self.images = images
        self.start = Life(images).start
        self.cases = 0
        self._state = seed
        self.good = images["good2"]

    def draw(self, n):
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 8) % n

    def device(self, script, *arguments):
        """One on which a script runs; then it runs a good bank, and is updated."""
        course = Course(Nor(self.start), self.images)
        m = course.machine
        m.run(script(m, *arguments))
        seen = []
        m.run(look(m, seen))
        version, active, stamp = seen[0]
        assert version in VERSIONS and stamp == bytes((1,)) * 30
        assert holds(m.board, active, self.images[VERSIONS[version]])
        m.run(updated(m, self.images[VERSIONS[4]]))
        assert m.versions[-1] == 4 and not selector(m.nor).trial

    def is_code(self, found, expected):
        assert found == expected, (found, expected)
        self.cases += 1

    # ---- too early, too late

    def lengths(self, m):
        for length in (0, 1, 76, 4095, 4096, LONGEST + 1, 0x32000, 0x7FFFFFFF, 0xFFFFFFFF):
            self.is_code(call(m, EP08, four(length)), BAD)
            yield None
        for parameters in (b"", b"\x2e", four(8494)[:3], four(8494) + b"\0"):
            self.is_code(call(m, EP08, parameters), BAD)
        for length in (4097, LONGEST, 8494):
            self.is_code(call(m, EP08, four(length)), UNDER_WAY)
            yield None
            self.is_code(Status(m).state, ERASING)
            yield from finished(m)
            self.is_code(Status(m).state, RECEIVING)
        self.is_code(Status(m).length, 8494)

    def without_a_download(self, m):
        for k in (0, 1, 3431, 3432, 0xFFFF):
            self.is_code(call(m, EP09, k.to_bytes(2, "little") + bytes(PACKET)), CONFLICT)
        for bank in (0, 1, 2, 255):
            code = call(m, EP10, bytes((bank,)) + identity(self.good))
            assert code in (BAD, NOT_YET, CONFLICT), code
            self.cases += 1
        yield None

    def while_erasing(self, m):
        assert call(m, EP08, four(len(self.good))) == UNDER_WAY
        yield None
        self.is_code(call(m, EP09, packet(self.good, 0)), NOT_YET)
        self.is_code(call(m, EP10, b"\1" + identity(self.good)), NOT_YET)
        yield from sleep(m, 5)
        self.is_code(Status(m).state, RECEIVING)
        for k in (packets(self.good), 3431, 3432, 0xFFFF):
            self.is_code(call(m, EP09, k.to_bytes(2, "little") + bytes(PACKET)), BAD)

    def before_complete(self, m):
        yield from erased(m, self.good)
        for k in range(packets(self.good) - 1, -1, -1):
            self.is_code(call(m, EP10, b"\1" + identity(self.good)), NOT_YET)
            assert call(m, EP09, packet(self.good, k)) == DONE
            yield None
        self.is_code(Status(m).state, COMPLETE)

    def written_again(self, m):
        """Other octets for packets that are there are answered 0, and change nothing."""
        yield from downloaded(m, self.good)
        for k in range(packets(self.good)):
            self.is_code(call(m, EP09, k.to_bytes(2, "little") + bytes(PACKET)), DONE)
            yield None
        assert holds(m.board, 1, self.good)

    def other_names(self, m):
        for k in range(64):
            yield from downloaded(m, self.good)
            name = bytearray(identity(self.good))
            name[k // 8] ^= 1 << k % 8
            assert call(m, EP10, b"\1" + name) == UNDER_WAY
            starts = m.starts
            yield from finished(m)
            yield from sleep(m, 65)
            assert m.starts == starts
            status = Status(m)
            self.is_code((status.state, status.error), (FAILED, 15))

    def meanwhile(self, m):
        """EP08 while it is verified: that comes to nothing."""
        yield from downloaded(m, self.good)
        assert call(m, EP10, b"\1" + identity(self.good)) == UNDER_WAY
        yield None
        self.is_code(Status(m).state, VERIFYING)
        self.is_code(call(m, EP09, b"\0\0" + bytes(PACKET)), DONE)
        self.is_code(call(m, EP08, four(len(self.good))), UNDER_WAY)
        starts = m.starts
        yield from sleep(m, 65)
        assert m.starts == starts and not selector(m.nor).trial
        self.is_code(Status(m).state, RECEIVING)

    def verified(self, m):
        """Between the verification and the restart there is nothing left to decide."""
        yield from downloaded(m, self.good)
        assert call(m, EP10, b"\1" + identity(self.good)) == UNDER_WAY
        yield from sleep(m, 3)
        self.is_code(call(m, EP08, four(len(self.good))), CONFLICT)
        self.is_code(call(m, EP10, b"\1" + identity(self.good)), CONFLICT)
        code = call(m, EP09, b"\0\0" + bytes(PACKET))
        assert code in (DONE, CONFLICT) and holds(m.board, 1, self.good)
        yield from sleep(m, 70)
        assert m.versions[-1] == 2

    def in_a_trial(self, m):
        yield from downloaded(m, self.good)
        assert (yield from switched(m, self.good))
        old, new = self.images["good1"], self.good
        self.is_code(call(m, EP08, four(len(old))), CONFLICT)
        self.is_code(call(m, EP09, packet(old, 0)), CONFLICT)
        self.is_code(call(m, EP10, b"\1" + identity(new)), NOT_YET)
        assert call(m, EP10, b"\1" + identity(old)) not in (DONE, UNDER_WAY)
        assert call(m, EP10, b"\0" + identity(new)) not in (DONE, UNDER_WAY)
        m.leap = 2500
        yield from sleep(m, 590)
        self.is_code(call(m, EP10, b"\1" + identity(new)), NOT_YET)
        yield "power on"
        self.is_code(call(m, EP10, b"\1" + identity(new)), NOT_YET)
        yield from sleep(m, 300)
        m.leap = 60000  # the parts miss their heartbeat
        yield None
        m.leap = 2500
        yield from sleep(m, 400)
        self.is_code(call(m, EP10, b"\1" + identity(new)), NOT_YET)
        m.leap = 0
        self.is_code(Status(m).state, TRIAL)
        for _ in range(10):
            yield CONNECT
        self.is_code(selector(m.nor).tries, 3)

    def replayed(self, m):
        """Everything that brought version 2, after version 4 was confirmed."""
        yield from updated(m, self.good)
        yield from updated(m, self.images["good4"])
        for name in ("good2", "good1", "older"):
            yield from downloaded(m, self.images[name])
            starts = m.starts
            assert not (yield from switched(m, self.images[name]))
            yield from sleep(m, 65)
            assert m.starts == starts
            self.is_code(Status(m).error, 8)
        yield from updated(m, self.images["good3"])  # an older version of the same counter

    def no_key(self, m):
        m.update_key = None
        self.is_code(call(m, EP08, four(len(self.good))), CONFLICT)
        m.update_key = self.images.key
        yield from downloaded(m, self.good)
        for key in (None, b"", bytes(60), self.images.key[:-1], self.images.key + b"\0"):
            m.update_key = key
            starts = m.starts
            assert not (yield from switched(m, self.good))
            assert m.starts == starts
            m.update_key = self.images.key
            yield "power on"
            self.cases += 1

    # ---- two at once, and at random

    def mixed(self, m):
        """Each sends what it finds missing, then asks for its own."""
        both = (self.good, self.images["good3"])
        yield from erased(m, both[0])
        while True:
            left = missing(m, both[0])
            if not left:
                break
            if not self.draw(40):
                assert call(m, EP10, b"\1" + identity(both[self.draw(2)])) == NOT_YET
            image = both[self.draw(2)]
            assert call(m, EP09, packet(image, left[self.draw(len(left))])) == DONE
            yield None
        for image in both:
            if Status(m).state == COMPLETE and not holds(m.board, 1, image):
                assert not (yield from switched(m, image)), "taken"
                assert Status(m).error == 5, Status(m).error
                yield "power on"
        self.cases += 1

    def raving(self, m):
        """Anything, in any order, with octets that are right now and then."""
        names = ("good1", "good2", "good3", "unsigned", "marked", "stranger", "borrowed", "short")
        for _ in range(CALLS):
            image = self.images[names[self.draw(len(names))]]
            what = self.draw(12)
            if what == 0:
                length = (len(image), len(image), self.draw(200000))[self.draw(3)]
                call(m, EP08, four(length))
            elif what < 6:
                first = self.draw(packets(image))
                for k in range(first, min(first + 40, packets(image))):
                    call(m, EP09, packet(image, k))
            elif what == 6:
                status = Status(m)
                if status.state == RECEIVING and status.length == len(image):
                    yield from sent(m, image)
            elif what < 9:
                call(m, EP10, bytes((self.draw(2),)) + identity(image))
            elif what == 9:
                yield ("power on", "watchdog", CONNECT)[self.draw(3)]
            else:
                yield from sleep(m, self.draw(70))
            assert m.versions[-1] in VERSIONS
            self.cases += 1
            yield None


def main(folder, seed):
    wrong = Wrong(Images(folder), int(seed))
    once = "lengths without_a_download while_erasing before_complete written_again other_names "
    once += "meanwhile verified in_a_trial replayed no_key"
    names = once.split() + ["mixed"] * MIXED + ["raving"] * RAVING
    for name in names:
        try:
            wrong.device(getattr(wrong, name))
        except Exception:
            show(name)
            raise
    show(len(names), "devices", wrong.cases, "cases")


if __name__ == "__main__":
    quiet()
    main(*sys.argv[1:])
