"""A device that is updated to a firmware with other tables, goes back, is updated again, forgets
the old tables, and what is left of it when power goes at any flash operation.

usage: NEXT=FOLDER micropython migration_life.py ROUNDS FIRST LAST    (powercut.py does that)

The device is that of device_life.py, on real littlefs. Both firmwares are real: this tree, and the
next version that next_firmware.py made in FOLDER, each with modules of its own. A round is a start
of the next version, writes to it, a start of the old one, writes to that. After the rounds the
next version stays: it starts, is written to, forgets the old tables as EP08 does, and starts.
After each cut the version that was in charge starts. Then

- each value is as it was, or as it was about to be, of a table all of them,
- what is carried over is what the old version had, every octet of it in its new place,
- it takes writes, and has them at one more start,
- up to the end of the trials the old version finds its own as it was; what it changes then is
  there when the next version starts again.
"""

import os
import sys

import vfs
from nor import PAGE, Blocks, Nor, blank, sweep

BT06, BT23, BT53, ET04, ET47 = 6, 23, 53, 2048 + 4, 2048 + 47
PENDING = 4096
PED = 6
BY_HAND = b"\2\0\0\0\0\0"
RAW_SECTORS = 0x4C  # as in device_life.py
FILE_SECTORS = 96
SECTORS = RAW_SECTORS + FILE_SECTORS
OLD, NEXT = 0, 1
# (table, place and octets in the old version, in the next one, what else the next one has there)
PLACES = (
    (BT06, (0, 40), (0, 40), b""),
    (BT06, None, (40, 2), b"\x34\x12"),  # feeder
    (BT06, (40, 90), (42, 90), b""),
    (BT06, (130, 10), None, b""),  # coordinate_3
    (BT06, (140, 12), (132, 12), b""),
    (BT06, (152, 1), (144, 2), b"\0"),  # software_1_version
    (BT06, (153, 47), (146, 47), b""),
    (ET04, (22, 30), (22, 30), b""),  # what a host may set
    (ET04, None, (129, 2), b"\x07\0"),  # line_segment
    (ET04, (137, 3), (139, 3), b""),
    (BT53, (0, 6), (0, 6), b""),
    (BT53, None, (6, 4), b"CET\0"),  # zone_name
    (ET47, (0, 12), (0, 12), b""),
    (ET47, None, (12, 1), b"\x03"),  # reason
    (ET47, (12, 4), (13, 4), b""),
)
FOLLOWED = (BT06, ET04, BT53, ET47, PENDING + BT53, PENDING + ET47)
STARTED = list(sys.modules)


class Firmware:
    """The modules of one version."""

    def __init__(self, version, folder):
        self.version = version
        self._folder = folder
        self._modules = {}
        self.use()
        self.life = __import__("device_life")

    def use(self):
        """From now on this is what is imported. To be called once the other one is off."""
        for name in list(sys.modules):
            if name not in STARTED:
                del sys.modules[name]
        sys.modules.update(self._modules)
        sys.path[FOLDER] = self._folder

    def start(self, nor):
        self.use()
        running = self.life.Running(nor)
        running.version = self.version
        return running

    def stop(self, running):
        running.off()
        for name in sys.modules:
            if name not in STARTED:
                self._modules[name] = sys.modules[name]


FOLDER = [path.endswith("firmware") for path in sys.path].index(True)
FIRMWARE = (Firmware(OLD, sys.path[FOLDER]), Firmware(NEXT, os.getenv("NEXT")))


def places(table, version):
    """(place, octets) of what is followed in a table."""
    return [place[1 + version] for place in PLACES if place[0] == table and place[1 + version]]


def body(running, number):
    """What is followed in a table; a pending one's description in front. None: it was never
    written."""
    octets = running.read(number)
    description = b""
    if number >= PENDING:
        description, octets = octets[:PED], octets[PED:]
        if not any(octets):
            return None
    for at, n in places(number % PENDING, running.version):
        description += octets[at : at + n]
    return description


def bodies(running):
    found = {number: body(running, number) for number in FOLLOWED}
    found["resets"] = running.read(BT23, 0, 1)
    return found


def carried_over(number, octets):
    """What the next version makes of what the old one had."""
    if octets is None:
        return None
    at = PED if number >= PENDING else 0
    made = octets[:at]
    for table, old, after, new in PLACES:
        if table == number % PENDING:
            n = old[1] if old else 0
            if after:
                made += octets[at : at + n] + new
            at += n
    return made


class Step:
    """What was done, in flash operations begin to end, by a version; what may stand there if power
    goes meanwhile: the bodies before and after."""

    def __init__(self, begin, end, version, trial, before, after):
        self.begin = begin
        self.end = end
        self.version = version
        self.trial = trial  # whether the old version may return
        self.before = before
        self.after = after
        self.old = None  # what the old version had all the while


class Life:
    """The steps, and what is known to be kept: bodies of the old version, of the next one."""

    def __init__(self):
        self.nor = Nor(blank(SECTORS))
        vfs.VfsLfs2.mkfs(Blocks(self.nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE)
        self.steps = []
        self.trial = True
        self.writes = 0
        self.running = FIRMWARE[OLD].start(self.nor)
        self.known = [bodies(self.running), None]
        self.carried = {}  # what the old version had when it was carried over last
        self.start = bytes(self.nor.data)
        self.nor.operations = []

    def live(self, rounds):
        self.work(0)
        for k in range(rounds):
            self.change_to(NEXT)
            self.work(k)
            self.change_to(OLD)
            self.work(k + 1)
        self.change_to(NEXT)
        self.work(0)
        self.trial = False
        self.do(self.forget)
        self.change_to(NEXT)
        self.work(1)
        self.do(self.forget)
        FIRMWARE[NEXT].stop(self.running)

    def do(self, act, *arguments):
        """One step: an act that says nothing leaves the bodies as they were, or as they are."""
        begin = len(self.nor.operations)
        before = self.known[self.running.version]
        anew = act(*arguments)
        version = self.running.version
        after = bodies(self.running)
        self.known[version] = after
        if anew:
            before = after
        step = Step(begin, len(self.nor.operations), version, self.trial, before, after)
        step.old = self.known[OLD]
        self.steps.append(step)

    def change_to(self, version):
        old, after = self.known
        self.do(self.restart, version)
        found = self.known[version]
        if version == OLD:
            assert found == dict(old, resets=found["resets"])
            return
        changed = [one % PENDING for one in FOLLOWED if self.carried.get(one) != old[one]]
        for one in FOLLOWED:
            again = one % PENDING in changed and self.trial
            assert found[one] == (carried_over(one, old[one]) if again else after[one]), one
        self.carried = dict(old)

    def restart(self, version):
        FIRMWARE[self.running.version].stop(self.running)
        self.running = FIRMWARE[version].start(self.nor)
        return True

    def work(self, k):
        """All that a host writes, or every second thing of it, as k says."""
        for i, (kind, table) in enumerate(WORK):
            self.writes += 1
            if k and i % 2 != k % 2:
                continue
            if table == ET04:
                for at, n in places(ET04, self.running.version):
                    self.do(write, self.running, ET04, self.writes, at, n)
            else:
                self.do(kind, self.running, table, self.writes)

    def forget(self):
        device = self.running.device
        rare = __import__("rare")
        compiled = sys.modules["tables.compiled"]
        rare.load("osgp.migration").forget(device.settings, compiled.MIGRATIONS)


def content(running, table, k):
    """What a host may write there: the k-th of many."""
    n = running.device.model.size(table)
    octets = bytes([0x20 + (k + 7 * i) % 90 for i in range(n)])
    if table == BT53:
        octets = bytes((k % 24, 0, 0, k % 60, 60, 0)) + octets[6:]
    return octets


def write(running, table, k, at=0, n=None):
    octets = content(running, table, k)
    assert running.write(table, octets[at : at + n] if n else octets, at) == 0


def pend(running, table, k):
    assert running.write(PENDING + table, BY_HAND + content(running, table, k)) == 0


def activate(running, table, k):
    assert running.call(12) == 0


def reset(running, table, k):
    assert running.call(9, b"\x01") == 0


WORK = (
    (write, BT06),
    (pend, ET47),
    (write, ET04),
    (pend, BT53),
    (write, BT53),
    (activate, None),
    (write, ET47),
    (pend, ET47),
    (reset, None),
)


def check(life, after, cut):
    """What is left of the life after a cut at the operation with this number."""
    step = next(step for step in life.steps if step.begin <= cut < step.end)
    left = Nor(after.data)
    firmware = FIRMWARE[step.version]
    running = firmware.start(after)
    found = bodies(running)
    for one in found:
        assert found[one] in (step.before[one], step.after[one]), one
    write(running, BT06, 80)
    pend(running, ET47, 81)
    found = bodies(running)
    firmware.stop(running)
    running = firmware.start(after)
    assert bodies(running) == found
    firmware.stop(running)
    if step.trial and step.version == NEXT:
        go_back(left, step)


def go_back(left, step):
    """The old version starts in place of the next one, changes something, and is updated."""
    running = FIRMWARE[OLD].start(left)
    found = bodies(running)
    for one in FOLLOWED:
        assert found[one] == step.old[one], one
    write(running, BT06, 82)
    pend(running, ET47, 83)
    found = bodies(running)
    FIRMWARE[OLD].stop(running)
    running = FIRMWARE[NEXT].start(left)
    for one in (BT06, ET47, PENDING + ET47):
        assert body(running, one) == carried_over(one, found[one]), one
    FIRMWARE[NEXT].stop(running)


def main(rounds, first, last):
    life = Life()
    life.live(rounds)
    cuts = sweep(life, check, range(first, last))
    print(len(life.nor.operations), "operations", cuts, "cuts")


main(*[int(word) for word in sys.argv[1:]])
