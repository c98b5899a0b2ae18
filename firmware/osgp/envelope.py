"""Layer 7 on the power line: the secured APDU.

    request    00 | command .. | sequence(4) | digest or tag(8)
    response   00 | code [count(2) data] | digest or tag(8)

Here is the order of checks: length, digest, sequence, right, command (`profile.md` 4); and what
counts. What hides and proves is the suite of the member's security mode (`osgp/security`).
Source: `osgp.md` 1 and 2, `profile.md` 1 to 13.
"""

from micropython import const

import rare
import ticks
from osgp.services import command_length

CODE = const(0x00)  # APDU code of table commands
DIGEST_ERROR = const(0x0B)
SEQUENCE_ERROR = const(0x0C)
NO_CLEARANCE = const(0x03)
LOCKOUT = const(90)  # event
SHORTEST = const(16)  # code, a full read, sequence, digest
LONGEST = const(160)  # octets of an APDU (profile 20)
_WINDOW = const(7)  # accepted: expected .. expected + 7
_MINUTE = const(60000)  # ms
_IDENTITY = const(1)  # in the membership record: mode, domains, keys
_IDENTITY_END = const(52)
_PATIENCE = const(30)  # wrong messages in a row that mode 2 answers


class Envelope:
    """One device's door: `member` says who we are, `counter` what number comes next."""

    def __init__(self, member, counter, services, level: int, aes, uid):
        """`counter`: `ready`, `hi`, `lo` (halves of the expected number), `step(hi, lo)`.

        `level`: what the key is worth. `aes(key) -> encrypt(block, out)`, `uid`: 6 octets, live:
        for mode 2.
        """
        self.member = member
        self.counter = counter
        self.services = services
        self.level = level
        self.aes = aes
        self.uid = uid
        self.encrypted = True  # False: ET04.12.3, answers go out as the requests came (mode 0)
        self.lockout = (0, 0)  # ET55.20, 21: failures in a row that are allowed, minutes (mode 0)
        self.house: ... = None  # has `model`, `events`, `settings`; without, no use is counted
        # Uses of the keys: unicast good and failed, broadcast good and failed. `osgp/key_use.py`
        # keeps them, knows by `counted` whose they are, and is needed again after `reserved` more.
        self.uses = [0, 0, 0, 0]
        self.counted = b""
        self.reserved = 0
        self.exhausted = False  # the unicast key was good as often as it may be
        self.exhausted_broadcast = False
        self.received = self.validated = 0  # ET23.0, ET23.4
        self.validated_at = None  # tick of the last good message
        self.failures = self.bad_lengths = self.bad_sequences = self.not_kept = 0
        self.in_a_row = 0  # failures
        self._locked = False
        self._locked_until = 0
        self._identity = b""
        self._mode = -1
        self.module: ... = None  # of the suite
        self.suite: ... = None  # None: the next message makes it
        self.rekey()

    def rekey(self):
        """Take over the member's mode, key and address. To be called whenever they change.

        The next message makes the suite: where they change there is enough to do.
        """
        identity = bytes(self.member.image[_IDENTITY:_IDENTITY_END])
        if identity == self._identity:
            return
        self._identity = identity
        self.suite = None
        self.reserved = 0

    def make(self, key, broadcast=False):
        """A suite of the member's mode under a key."""
        mode = self.member.mode
        if mode != self._mode:
            self._mode = mode
            self.module = rare.load("osgp.security.aes" if mode else "osgp.security.legacy")
        return self.module.Suite(self, key, broadcast)

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        """Judge and carry out the APDU buf[a:end], which is decrypted in place.

        The answer goes to out[o:]; returns its end, o for no answer.
        """
        self.received += 1
        if not SHORTEST <= end - a <= LONGEST:
            self.bad_lengths += 1
            return o
        if self._locked:
            if ticks.diff(now, self._locked_until) < 0:
                return o
            self._locked = False
        if self.suite is None:
            self.suite = self.make(self.member.unicast_key)
        if self.member.next_key:
            good = rare.run("osgp.next_key", self, buf, a, end - 8)
        else:
            good = self.verify(self.suite, buf, a, end - 8)
        self.count(0 if good else 1)
        out[o] = CODE
        if not good:
            return self._failed(buf, a, end, out, o, now)
        self.validated += 1
        self.validated_at = now
        self.in_a_row = 0
        if not self._in_window(buf, end - 12):
            return self._wrong_number(buf, a, end, out, o)
        end -= 12
        lo = (buf[end + 2] << 8 | buf[end + 3]) + 1
        try:
            self.counter.step((buf[end] << 8 | buf[end + 1]) + (lo >> 16), lo & 0xFFFF)
        except OSError:  # flash fails: a number that cannot be spent is not answered
            self.not_kept += 1
            return o
        if self.exhausted and not rare.run("osgp.key_change_only", buf, a + 1):
            out[o + 1] = NO_CLEARANCE
            end = o + 2
        else:
            end = self.services.run(buf, a + 1, end, out, o + 1, self.level, now)
        return self.suite.seal(out, o, end)

    def count(self, which: int):
        """A key was used: see `uses`."""
        self.reserved -= 1
        if self.reserved < 0 and self.house:
            rare.run("osgp.key_use", self)
        self.uses[which] += 1

    def verify(self, suite, buf, a, d) -> bool:
        """Open the APDU buf[a:d] whose digest or tag is buf[d:d+8].

        One way, in the same time, for all that may be wrong.
        """
        holds = suite.open(buf, a, d)
        # The digest ignores trailing zeros, so the length has to be exact (profile 2).
        # Both are always looked at.
        length = command_length(buf, a + 1, d - 4)
        wrong = length >= 0 and length != d - 5 - a
        if holds and wrong:
            self.bad_lengths += 1
        return holds and not wrong and self.counter.ready and self.member.keyed

    def _failed(self, buf, a, end, out, o, now) -> int:
        """0B. Mode 0 may lock, as the guide says. Mode 2 never does: it stops answering what is
        wrong, and what is right it answers always (profile 12)."""
        self.failures += 1
        self.in_a_row += 1
        if self._mode:
            if self.in_a_row > _PATIENCE:
                return o
        elif 0 < self.lockout[0] < self.in_a_row and self.lockout[1]:
            self._locked = True
            self._locked_until = ticks.add(now, self.lockout[1] * _MINUTE)
            if self.house:
                self.house.events.post(LOCKOUT, self.in_a_row)
            self.in_a_row = 0
            return o
        out[o + 1] = DIGEST_ERROR
        return self.suite.refuse(buf, a, end, out, o, o + 2)

    def _in_window(self, buf, a) -> bool:
        """Is the number buf[a:a+4] one of expected .. expected + 7?

        In halves: a small int has 31 bits. FFFFFFFF is never used: after a restart it could not be
        told from itself.
        """
        counter = self.counter
        ahead = (buf[a + 2] << 8 | buf[a + 3]) - counter.lo
        hi = buf[a] << 8 | buf[a + 1]
        if hi == counter.hi + 1:
            ahead += 0x10000
        elif hi != counter.hi:
            return False
        return 0 <= ahead <= _WINDOW and not (hi == 0xFFFF and buf[a + 2] & buf[a + 3] == 0xFF)

    def _wrong_number(self, buf, a, end, out, o) -> int:
        """0C with the number expected."""
        self.bad_sequences += 1
        counter = self.counter
        out[o + 1] = SEQUENCE_ERROR
        out[o + 2] = counter.hi >> 8
        out[o + 3] = counter.hi & 0xFF
        out[o + 4] = counter.lo >> 8
        out[o + 5] = counter.lo & 0xFF
        return self.suite.refuse(buf, a, end, out, o, o + 6)
