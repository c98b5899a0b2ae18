"""A life of a device's store, and what is left of it when power goes at any flash operation.

usage: micropython powercut_life.py STEPS FIRST LAST    (powercut.py does that)

The life writes settings under the real littlefs, steps a counter, appends to a log, erases ahead
and restarts now and then. Each flash operation is recorded. Then the flash is built up again
operation by operation, and at each of those from FIRST up to LAST power goes in four ways: before
it, with only its front half done, only its back half, only some of its bits. After each of them
the device starts, must have all that had been acknowledged and nothing by half, and must go on
working.
"""

import sys

import vfs
from nor import PAGE, WAYS, Blocks, Nor, Raw, blank

from osgp import kernels
from settings import Settings
from tables.store import Counter, Ring

FILE_SECTORS = 16  # few, so that littlefs has to compact and to go round
LOG_SECTORS = 3
COUNTER_SECTORS = 2
SECTORS = FILE_SECTORS + LOG_SECTORS + COUNTER_SECTORS
LOG_SIZE = 70  # a record is longer than half its slot, and can be torn anywhere
LOG_SLOTS = LOG_SECTORS * 32
COUNTER_SIZE = 6
UNIT = 128  # octets of a program of a ring
# Name and length of each setting: inline ones, and one that has blocks of its own.
NAMES = (("BT51", 7), ("BT53", 30), ("BT54", 300), ("ET03", 60), ("keys", 120), ("ET21", 900))
LARGEST = 900


class Store:
    """What a device makes of its flash at start-up."""

    def __init__(self, nor):
        vfs.mount(vfs.VfsLfs2(Blocks(nor, 0, FILE_SECTORS), progsize=PAGE), "/flash")
        self.settings = Settings("/flash/settings", LARGEST)
        self.log = Ring(Raw(nor, FILE_SECTORS, UNIT), 0, LOG_SECTORS, LOG_SIZE, kernels)
        counters = Raw(nor, FILE_SECTORS + LOG_SECTORS, UNIT)
        self.ring = Ring(counters, 0, COUNTER_SECTORS, COUNTER_SIZE, kernels)
        self.counter = Counter(self.ring)

    def off(self):
        vfs.umount("/flash")

    def step(self, number):
        self.counter.step(number >> 16, number & 0xFFFF)

    def number(self):
        return self.counter.hi << 16 | self.counter.lo


class Known:
    """What somebody outside knows to be kept."""

    def __init__(self):
        self.settings = {}  # name: value
        self.log = {}  # record number: payload
        self.last = -1
        self.number = 0  # next one of the counter

    def take(self, event):
        _, _, kind, key, value = event
        if kind == "setting":
            self.settings[key] = value
        elif kind == "log":
            self.log[key] = value
            self.last = key
            self.log.pop(key - LOG_SLOTS, None)
        else:
            self.number = value


class Life:
    """Steps that follow from a seed, and the flash operations from each one to its answer."""

    def __init__(self, seed):
        self._state = seed
        self.nor = Nor(blank(SECTORS))
        vfs.VfsLfs2.mkfs(Blocks(self.nor, 0, FILE_SECTORS), progsize=PAGE)
        self.store = Store(self.nor)
        self.store.counter.start(1, 0, 0)
        self.start = bytes(self.nor.data)
        self.nor.operations = []
        self.events = []  # (first operation, operation after the last, kind, key, value)
        self.known = Known()

    def draw(self, n):
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 12) % n

    def live(self, steps):
        for _ in range(steps):
            what = self.draw(20)
            begin = len(self.nor.operations)
            if what < 6:
                done = self.set(what)
            elif what < 10:
                done = self.count(1 + self.draw(200))
            elif what < 19:
                done = self.append()
            else:
                done = self.restart()
            if done:
                event = (begin, len(self.nor.operations)) + done
                self.events.append(event)
                self.known.take(event)
            if self.draw(4):  # else the quiet moment did not come yet
                self.store.log.tend()
                self.store.ring.tend()

    def set(self, which):
        name, size = NAMES[which]
        value = bytes([self.draw(256)]) * (size - 1) + bytes([self.draw(256)])
        self.store.settings.replace(name, value, size)
        return "setting", name, value

    def count(self, ahead):
        number = self.known.number + ahead
        self.store.step(number)
        return "counter", None, number

    def append(self):
        value = bytes([self.draw(256)]) * LOG_SIZE
        return "log", self.store.log.append(value), value

    def restart(self):
        self.store.off()
        self.store = Store(self.nor)
        self.store.counter.load(1)
        return "counter", None, self.store.number()


def check(store, known, under_way):
    """Everything acknowledged is there. What was under way is there as a whole, or not at all."""
    kind, key, value = under_way
    buf = bytearray(LARGEST)
    for name, _ in NAMES:
        n = store.settings.load(name, buf)
        found = bytes(buf[:n]) if n >= 0 else None
        may_be = kind == "setting" and key == name and found == value
        assert found == known.settings.get(name) or may_be, "setting " + name
    assert store.settings.bad == 0, "a damaged setting"

    last = store.log.last
    assert last == known.last or (kind == "log" and last == key), "end of the log"
    record = bytearray(LOG_SIZE)
    for number in range(max(0, last - store.log.capacity + 1), last + 1):
        expected = value if kind == "log" and number == key else known.log.get(number)
        assert store.log.read(number, record) == (expected is not None), "hole in the log"
        assert expected is None or record == expected, "log record"

    store.counter.load(1)
    assert store.counter.ready, "the counter is gone"
    highest = value if kind == "counter" else known.number
    assert known.number <= store.number() <= highest + 256, "counter"


def go_on(store, known):
    """The device works after the cut: a write of every sort. Returns what is known then."""
    later = Known()
    buf = bytearray(LARGEST)
    for name, _ in NAMES:
        n = store.settings.load(name, buf)
        if n >= 0:
            later.settings[name] = bytes(buf[:n])
    for which in (1, 5):
        name, size = NAMES[which]
        store.settings.replace(name, b"after" * (size // 5), size)
        later.settings[name] = b"after" * (size // 5)
    later.number = store.number() + 300
    store.step(later.number)
    store.log.tend()
    store.ring.tend()
    record = bytearray(LOG_SIZE)
    for number in range(max(0, store.log.last - store.log.capacity), store.log.last + 1):
        if store.log.read(number, record):
            later.log[number] = bytes(record)
    before = store.log.last
    later.last = store.log.append(b"L" * LOG_SIZE)
    later.log[later.last] = b"L" * LOG_SIZE
    assert before < later.last <= before + 2, "log number"
    return later


NOTHING = (None, None, None)


def survive(flash, known, under_way):
    """A start after a cut, some work, and one more start."""
    store = Store(flash)
    check(store, known, under_way)
    known = go_on(store, known)
    store.off()
    store = Store(flash)
    check(store, known, NOTHING)
    store.off()


def sweep(life, first, last):
    """Cuts power at the operations from first up to last. Returns the number of cuts."""
    cuts = 0
    flash = Nor(blank(SECTORS))
    flash.data[:] = life.start
    after = Nor(blank(SECTORS))
    known = Known()
    event = 0
    for k in range(min(last, len(life.nor.operations))):
        while event < len(life.events) and life.events[event][1] <= k:
            known.take(life.events[event])
            event += 1
        under_way = NOTHING
        if event < len(life.events) and life.events[event][0] <= k:
            under_way = life.events[event][2:]
        for way in WAYS if k >= first else ():
            after.data[:] = flash.data
            after.operations = []
            after.do(life.nor.operations[k], way)
            try:
                survive(after, known, under_way)
            except Exception:
                print("power cut", way, "in operation", k, "during", under_way[:2])
                raise
            cuts += 1
        flash.do(life.nor.operations[k], None)
    return cuts


def main(steps, first, last):
    life = Life(seed=1)
    life.live(steps)
    life.store.off()
    cuts = sweep(life, first, last)
    print(len(life.nor.operations), "operations", cuts, "cuts")


main(*[int(word) for word in sys.argv[1:]])
