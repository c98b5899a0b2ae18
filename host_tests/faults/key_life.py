"""A device whose keys change, and who may still talk to it when power goes at any flash operation.

usage: micropython key_life.py STEPS FIRST LAST    (powercut.py does that)

The device is that of device_life.py, on real littlefs. It gets new unicast and broadcast keys by
EP20, is commissioned anew in one security mode after the other, is asked things and hears
broadcasts; power goes as there. After each cut the device starts. Then

- it understands the concentrator: under the last key that was in use, or the one that was on its
  way, and says which number it wants,
- no request that was answered before the cut is good again, and no broadcast either.
"""

import sys

import vfs
from device_life import FILE_SECTORS, RAW_SECTORS, SECTORS, START, Board, Running
from nor import PAGE, Blocks, Nor, blank, sweep

import aes_client
from device import Device
from key_support import offer_of
from oma_client import Client
from osgp.procedures import keys
from osgp.security import broadcast
from osgp.security.ccm import cmac, open_, seal
from support import aes

KINST = b"installation key"
UID = bytes(6)  # nobody is at the line to tell it
SUBNET, NODE = 5, 9
READ = b"\x30\x00\x03"
KINDS = ("ask", "offer", "ask", "hear", "ask", "offer_broadcast", "hear", "hear", "join")
AES = 2


class KeyBoard(Board):
    def aes(self, key):
        return aes(key)

    def installation_key(self, uid):
        return KINST


class Keyed(Running):
    """A device and its two doors."""

    def __init__(self, nor):
        vfs.mount(vfs.VfsLfs2(Blocks(nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE), "/flash")
        self.board = KeyBoard(nor)
        self.device = Device(self.board)
        self.out = bytearray(1100)
        self.device.start()

    def send(self, handler, apdu):
        buf = bytearray(apdu)
        out = bytearray(160)
        return bytes(out[: handler.request(buf, 0, len(buf), out, 0, self.board.now)])

    def answer(self, mode, key, number):
        """The opened answer to a request under a key; b"" when it is not good."""
        who = client(mode, key)
        request = who.request(READ, number)
        answer = self.send(self.device.envelope, request)
        try:
            text = who.answer(answer)
        except AssertionError:
            return request, b""
        return request, b"" if text == b"\x0b" else text

    def understands(self, mode, key):
        """A request under this key gets its answer, if need be under the number that is asked
        for."""
        text = self.answer(mode, key, 0)[1]
        if text[:1] == b"\x0c":
            text = self.answer(mode, key, int.from_bytes(text[1:], "big"))[1]
        return text[:1] == b"\x00"

    def hears(self, apdu):
        """Whether a broadcast is good and its number new. It is used up as osgp/broadcast.py
        does."""
        buf = bytearray(apdu)
        draft = broadcast.run(self.device.envelope, buf, 0, len(buf))
        if draft is None or buf[-12:-8] < draft[54:58]:
            return False
        number = int.from_bytes(bytes(buf[-12:-8]), "big")
        draft[54:58] = (number + 1).to_bytes(4, "big")
        self.device.member.commit(draft)
        return True


def client(mode, key):
    if mode:
        return aes_client.Client(key, UID, SUBNET, NODE)
    return Client(key[:12], SUBNET, NODE)


class Life:
    """What the concentrator did, and after how many flash operations it was done."""

    def __init__(self):
        self.nor = Nor(blank(SECTORS))
        vfs.VfsLfs2.mkfs(Blocks(self.nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE)
        self.running = Keyed(self.nor)
        self.running.set_clock(START, 600)
        self.made = 0
        self.mode = self.number = self.heard = 0
        self.key = self.everybody = b""
        self.next = self.next_everybody = b""
        self.join()
        self.start = bytes(self.nor.data)
        self.nor.operations = []
        self.held = [(0, self.keys())]  # after each step: operations, keys that are good
        self.requests = []  # answered: (operations, octets)
        self.broadcasts = []

    def new_key(self):
        self.made += 1
        return cmac(aes(KINST), bytes((self.made,)))

    def live(self, steps):
        for k in range(steps):
            getattr(self, KINDS[k % len(KINDS)])()
            self.held.append((len(self.nor.operations), self.keys()))

    def keys(self):
        """Those that the device must understand: (mode, key)."""
        return [(self.mode, key) for key in (self.key, self.next) if key]

    def join(self):
        """Commissioned, in the other mode."""
        door = self.running.device.commissioning
        mode = AES - self.mode
        unicast, everybody, ours = self.new_key(), self.new_key(), self.new_key()[:8]
        challenge = self.running.send(door, b"\x47\x01" + ours)[2:]
        text = bytes((mode, 3)) + b"domain" + bytes((SUBNET, NODE)) + unicast + everybody
        text += bytes((0, 0, 1, self.made)) + bytes(4) + b"\x00\x10"
        cipher = aes(cmac(aes(KINST), b"\x01FCM\x00" + UID + ours + challenge))
        associated = b"\x46\x01" + UID + ours
        message = b"\x46\x01" + ours + seal(cipher, bytes(13), associated, text, 8)
        answer = self.running.send(door, message)
        assert open_(cipher, b"\x01" + bytes(12), associated, answer[2:], 8) == b"\x00"
        self.mode, self.key, self.everybody = mode, unicast, everybody
        self.next = self.next_everybody = b""
        self.number, self.heard = 0x100 + self.made, 0

    def ask(self):
        if self.next:
            self.key, self.next = self.next, b""
        request, text = self.running.answer(self.mode, self.key, self.number)
        assert text[:1] == b"\x00"
        self.number += 1
        self.requests.append((len(self.nor.operations), request))

    def offer(self):
        self.next = self.new_key()
        self._offer(offer_of(self.mode, self.next))

    def offer_broadcast(self):
        self.next_everybody = self.new_key()
        self._offer(offer_of(self.mode, self.next_everybody, 1, 5))

    def _offer(self, parameters):
        result = keys.run(2068, parameters, bytearray(12), self.running.device, 0)
        assert result == (0, 0)

    def hear(self):
        if self.next_everybody:
            self.everybody, self.next_everybody = self.next_everybody, b""
            self.heard = 5
        if self.mode:
            apdu = aes_client.broadcast(self.everybody, READ, self.heard)
        else:
            apdu = Client(self.everybody[:12], 0, 0).request(READ, self.heard)
        assert self.running.hears(apdu)
        self.heard += 1
        self.broadcasts.append((len(self.nor.operations), apdu))


def check(life, after, cut):
    """What is left of the life after a cut at the operation with this number."""
    running = Keyed(after)
    envelope = running.device.envelope
    for done, request in life.requests:
        if done <= cut:
            validated = envelope.validated
            bad = envelope.bad_sequences
            running.send(envelope, request)
            assert envelope.validated - validated == envelope.bad_sequences - bad, "a replay"
    for done, apdu in life.broadcasts:
        assert done > cut or not running.hears(apdu), "a replayed broadcast"
    known = len([end for end, _ in life.held if end <= cut])
    good = [key for _, keys in life.held[known - 1 : known + 1] for key in keys]
    assert any(running.understands(mode, key) for mode, key in good), "locked out"
    running.off()


def main(steps, first, last):
    life = Life()
    life.live(steps)
    life.running.off()
    cuts = sweep(life, check, range(first, last))
    print(len(life.nor.operations), "operations", cuts, "cuts")


main(*[int(word) for word in sys.argv[1:]])
