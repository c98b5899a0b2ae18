"""Nothing is encrypted twice with the same key stream: a device's long life, recorded.

Recorded is what the ciphers are given: in mode 0 the RC4 key of every answer, in mode 2 and in
commissioning the AES key and nonce of every answer. The life is a random one: good requests, old
ones again, wrong ones, restarts, lost power at any write, new keys by EP20 and by commissioning,
both modes in turn. Whoever sends uses a number once under a key, as `profile.md` 10 asks.
"""

from fakes import Blob, Flash, Settings
from key_support import offer_of
from osgp import kernels
from osgp.commissioning import Commissioning
from osgp.envelope import Envelope
from osgp.membership import Membership
from osgp.procedures import keys
from osgp.security.ccm import cmac, open_, seal
from osgp.services import Services
from secured import AES, LEGACY, NODE, SUBNET, UID, client
from support import MICROPYTHON, aes, noise
from tables.model import MASTER, Model
from tables.store import Counter, Ring

STEPS = 400 if MICROPYTHON else 1500
KINST = b"installation key"
COMMANDS = (b"\x30\x00\x05", b"\x30\x00\x06", b"\x40\x00\x05\x00\x02ab", b"\x40\x00\x05\x00\x01c")


class Chance:
    """The same on every interpreter."""

    def __init__(self, seed):
        self._octets = noise(60000, seed)
        self._at = 0

    def below(self, n):
        self._at = (self._at + 2) % len(self._octets)
        return (self._octets[self._at] << 8 | self._octets[self._at - 1]) % n


class Life:
    """A device, its line, and the one who has its key."""

    def __init__(self, seed):
        self.chance = Chance(seed)
        self.settings = Settings()
        self.flash = Flash(4)
        self.drawn = self.made = 0
        self.used = {}  # key stream: the message that was encrypted with it
        self.present = []  # key streams of the message at hand
        self.heard = []  # requests that passed
        self.mode = LEGACY
        self.key = b""
        self.next_key = b""
        self.number = 0
        self.restart()
        self.join(LEGACY)

    def restart(self):
        self.flash.cut = -1
        self.settings.fails = False
        made = Blob()
        made.add(5, 1, 10, write=MASTER, runs=((0, 0xFFFF),))
        made.add(6, 0, 40, body=bytes(noise(40)))
        self.member = Membership(self.settings)
        self.counter = Counter(Ring(self.flash, 0, 4, 6, kernels))
        self.counter.load(self.member.generation)
        services = Services(Model(made.build(), made.arena, self.settings), 84, 75)
        self.envelope = Envelope(self.member, self.counter, services, MASTER, self.aes, UID)
        self.member.on_change = self.envelope.rekey
        self.door = Commissioning(
            self.member, self.counter, self.aes, self.random, UID, lambda uid: KINST
        )

    def random(self, n):
        self.drawn += 1
        return self.drawn.to_bytes(n, "big")

    def new_key(self):
        self.made += 1
        return cmac(aes(KINST), self.made.to_bytes(4, "big"))

    def aes(self, key):
        """The board's; it sees each counter block of CCM's answers (direction 01)."""
        encrypt = aes(key)

        def call(block, *out):
            if block[0] == 1 and block[1] == 1:
                self.present.append((bytes(key), bytes(block[1:14])))
            return encrypt(block, *out)

        return call

    def watch(self):
        """Mode 0: the RC4 key of each message. The module changes with the mode."""
        envelope = self.envelope
        if envelope.suite is None:
            envelope.suite = envelope.make(self.member.unicast_key)
        module = envelope.module
        if self.member.mode == LEGACY and module.rc4_key is kernels.rc4_key:

            def call(state, key):
                self.present[:] = [(b"rc4", bytes(key))]
                kernels.rc4_key(state, key)

            module.rc4_key = call

    def send(self, handler, apdu):
        """The answer. What it was encrypted with, nothing else ever was."""
        self.watch()
        self.present.clear()
        buf = bytearray(apdu)
        out = bytearray(160)
        end = handler.request(buf, 0, len(buf), out, 0, 0)
        answer = bytes(out[:end])
        in_clear = len(answer) == 14 and answer[1] == 0x0C  # some are so by chance: not looked at
        if answer and not in_clear and answer != b"\x00\x0b":
            for stream in set(self.present):
                assert self.used.get(stream, answer) == answer, stream
                self.used[stream] = answer
        return answer

    def join(self, mode):
        """Commissioned under a new key, or not: then everything is as it was."""
        unicast = self.new_key()
        ours = self.new_key()[:8]
        challenge = self.send(self.door, b"\x47\x01" + ours)[2:]
        number = self.chance.below(1000)
        text = bytes((mode, 3)) + b"domain" + bytes((SUBNET, NODE)) + unicast + self.new_key()
        text += number.to_bytes(4, "big") + bytes(6)
        cipher = aes(cmac(aes(KINST), b"\x01FCM\x00" + UID + ours + challenge))
        associated = b"\x46\x01" + UID + ours
        message = b"\x46\x01" + ours + seal(cipher, bytes(13), associated, text, 8)
        if self.chance.below(4) == 0:  # damaged on its way; the challenge stays open
            assert self.send(self.door, message[:-1] + bytes((message[-1] ^ 1,))) == b""
        answer = self.send(self.door, message)
        result = open_(cipher, b"\x01" + bytes(12), associated, answer[2:], 8)
        assert self.send(self.door, message) == b""  # again
        if result == b"\x00":
            self.mode, self.key, self.next_key, self.number = mode, unicast, b"", number

    def offer(self):
        """EP20 under the key in force."""
        key = self.new_key()
        try:
            keys.run(2068, offer_of(self.mode, key), bytearray(12), self, 0)
            self.next_key = key
        except OSError:
            pass

    def ask(self):
        """A good request: its number was never used."""
        if self.next_key and self.chance.below(2):
            self.key, self.next_key = self.next_key, b""
        who = client(self.mode, self.key)
        request = who.request(COMMANDS[self.chance.below(len(COMMANDS))], self.number)
        self.number += 1 + (self.chance.below(3) == 0)
        self.heard.append(request)
        self.take(who, self.send(self.envelope, request))

    def take(self, who, answer):
        """A 0C raises the number."""
        try:
            text = who.answer(answer) if answer else b""
        except AssertionError:
            return
        if text[:1] == b"\x0c" and len(text) == 5:
            self.number = max(self.number, int.from_bytes(text[1:], "big"))

    def again(self):
        self.send(self.envelope, self.heard[self.chance.below(len(self.heard))])

    def wrong(self):
        request = bytearray(self.heard[self.chance.below(len(self.heard))])
        request[1 + self.chance.below(len(request) - 1)] ^= 1 << self.chance.below(8)
        self.send(self.envelope, request)

    def step(self):
        what = self.chance.below(100)
        if self.chance.below(20) == 0:  # from here on flash fails, until the next start
            self.flash.cut = self.chance.below(3)
        if self.chance.below(60) == 0:
            self.settings.fails = True
        if what < 45:
            self.ask()
        elif what < 70:
            self.again()
        elif what < 88:
            self.wrong()
        elif what < 94:
            self.restart()
        elif what < 97:
            self.offer()
        else:
            self.join((LEGACY, AES)[self.chance.below(2)])


def test_no_key_stream_twice():
    life = Life(7)
    modes = set()
    for _ in range(STEPS):
        life.step()
        modes.add((life.member.mode, life.envelope.validated > 0))
    assert modes == {(LEGACY, True), (AES, True), (LEGACY, False), (AES, False)}
    kinds = [len([1 for stream in life.used if (stream[0] == b"rc4") == kind]) for kind in (0, 1)]
    assert min(kinds) > STEPS // 20, "the life was too dull"


def test_a_counter_that_goes_back_is_found():
    """The test above can fail: here the counter forgets at a restart what it reserved."""
    for mode in (LEGACY, AES):
        life = Life(3)
        life.join(mode)
        try:
            for _ in range(60):
                request = client(mode, life.key).request(COMMANDS[life.chance.below(2)], 5)
                life.counter.hi, life.counter.lo = 0, 5
                life.counter.step = lambda hi, lo: None
                life.send(life.envelope, request)
                body = life.envelope.services.model.body(5)
                body[0] = life.chance.below(256)
        except AssertionError:
            continue
        raise AssertionError("nothing was noticed")
