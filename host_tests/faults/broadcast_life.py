"""A device that is told things by broadcast, and what it does when power goes at any flash
operation.

usage: micropython broadcast_life.py STEPS FIRST LAST    (powercut.py does that)

The device is that of device_life.py, on real littlefs. Each step is a message to all, of mode 0,
under the next number: to one of its groups or to others, to open or close relay 1. Power goes as
there. After each cut the device starts and hears the last messages once more, twice, as from
somebody who recorded them. Then

- no procedure of a message has begun twice, before the cut and after it together,
- none of a message to others has begun,
- the answer in ET28 is that of the message at hand, or of the one before,
- the relay is where the last procedure that was carried out put it, and B is above all numbers.
"""

import sys

import vfs
from device_life import FILE_SECTORS, RAW_SECTORS, SECTORS, START, Board, Running
from nor import PAGE, Blocks, Nor, blank, sweep

from device import Device
from oma_client import Client
from osgp import groups
from osgp.membership import CONFIGURED

KEY = bytes(range(0x40, 0x50))
BASE = 250  # the first number: a carry is near
OURS, OTHERS = 0x0102, 0x0709
FIRST_PSN, PSNS = 235, 20
ET28, ET30 = 2048 + 28, 2048 + 30


class Told(Running):
    """Notes the procedures that begin: (number of the message, flash operations before)."""

    def __init__(self, nor):
        vfs.mount(vfs.VfsLfs2(Blocks(nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE), "/flash")
        self.board = Board(nor)
        self.began = []
        self.device = Device(self.board)
        self.out = bytearray(1100)
        initiated = self.device.procedures.on_initiated

        def note(number):
            self.began.append((self.base - 1, len(nor.operations)))
            initiated(number)

        self.device.procedures.on_initiated = note
        self.device.start()

    def hear(self, apdu):
        buf = bytearray(apdu)
        self.device.broadcast.request(buf, 0, len(buf), bytearray(160), 0, self.board.now)

    @property
    def base(self):
        return int.from_bytes(self.device.member.image[54:58], "big")

    @property
    def open(self):
        return self.read(ET30, 28, 1)[0] & 1

    def done(self):
        """The number in ET28 of a response that is whole, or -1."""
        octets = self.read(ET28, 0, 5)
        return octets[3] | octets[4] << 8 if octets[2] == 1 else -1


def psn(number):
    return FIRST_PSN + number % PSNS


def message(number, group, closed):
    bt07 = b"\x02\x08" + bytes((psn(number), 1, closed))
    record = b"\x40\x00\x07" + len(bt07).to_bytes(2, "big") + bt07
    counted = number.to_bytes(2, "little")
    body = b"\x03" + counted + b"\x01" + group.to_bytes(2, "little")
    body += len(record).to_bytes(2, "little") + record + counted
    et27 = (len(body) + 2).to_bytes(2, "little") + body
    command = b"\x40\x08\x1b" + len(et27).to_bytes(2, "big") + et27
    return Client(KEY[:12], 0, 0).request(command, number)


class Life:
    """Messages, and where in the flash operations each was taken and carried out."""

    def __init__(self):
        self.nor = Nor(blank(SECTORS))
        vfs.VfsLfs2.mkfs(Blocks(self.nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE)
        running = self.running = Told(self.nor)
        running.set_clock(START, 600)
        running.live(1)
        member = running.device.member
        draft = member.draft()
        draft[0] = CONFIGURED
        member.set_domain(draft, 0, 3, b"OSG\0\0\0", 1, 1)
        draft[36:52] = KEY
        draft[54:60] = BASE.to_bytes(4, "big") + b"\x00\x10"
        draft[60] = 1
        member.commit(draft)
        groups.run(running.device.model, 1, OURS)
        running.began.clear()
        self.start = bytes(self.nor.data)
        self.nor.operations = []
        self.messages = []  # (number, whether to us, whether to open, the octets)
        self.carried_out = []  # operations after which each of them was

    def live(self, steps):
        for k in range(steps):
            number = BASE + k
            ours = k % 4 != 2
            opens = k % 3 != 1
            apdu = message(number, OURS if ours else OTHERS, 0 if opens else 1)
            self.messages.append((number, ours, opens, apdu))
            self.running.hear(apdu)
            self.running.live(2)
            assert (self.running.done() == number) == ours
            self.carried_out.append(len(self.nor.operations))


def answer(message):
    """What `Told.done` says after it."""
    number, ours, _, _ = message
    return number if ours else -1


def check(life, after, cut):
    """What is left of the life after a cut at the operation with this number."""
    running = Told(after)
    known = len([end for end in life.carried_out if end <= cut])
    heard = life.messages[: known + 1]  # the last of them was under way
    answers = [-1] + [answer(message) for message in heard]
    assert running.done() in answers[-2:], "an answer is gone"
    begun = [number for number, at in life.running.began if at <= cut]
    for _ in range(2):
        for _, _, _, apdu in heard[-3:]:
            running.hear(apdu)
            running.live(2)
    begun += [number for number, _ in running.began]
    for number, ours, _, _ in heard:
        assert begun.count(number) <= ours, "twice, or a message to others"
    assert running.base == heard[-1][0] + 1
    states = [0] + [opens for _, ours, opens, _ in heard[:known] if ours]
    allowed = states[-1:]
    if heard[-1][1]:
        allowed.append(heard[-1][2])
    assert running.open in allowed
    running.off()


def main(steps, first, last):
    life = Life()
    life.live(steps)
    life.running.off()
    cuts = sweep(life, check, range(first, last))
    print(len(life.nor.operations), "operations", cuts, "cuts")


main(*[int(word) for word in sys.argv[1:]])
