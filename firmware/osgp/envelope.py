"""Layer 7 on the power line: the secured APDU, mode 0 (OMA digest and RC4).

    request    00 | command .. | sequence(4) | digest(8)
    response   00 | code [count(2) data] | digest(8)

The digest runs over subnet, node and the request with its sequence number; for the response it
goes on, from where it stood before the padding, over the response. RC4 covers all after the APDU
code but the digest, and goes on likewise. Source: `osgp.md` 1 and 2, `profile.md` 1 to 5.
"""

from micropython import const

import rare
from osgp.kernels import copy, digest, digest_pad, equal, fill, rc4, rc4_key
from osgp.security.keys import base_key
from osgp.services import command_length

CODE = const(0x00)  # APDU code of table commands
DIGEST_ERROR = const(0x0B)
SEQUENCE_ERROR = const(0x0C)
_SHORTEST = const(16)  # code, a full read, sequence, digest
_WINDOW = const(7)  # accepted: expected .. expected + 7
_OMAK = const(12)


class Envelope:
    """Mode 0 for one device: `member` says who we are, `counter` what number comes next."""

    def __init__(self, member, counter, services, level: int):
        """`counter`: `ready`, `hi`, `lo` (halves of the expected number), `step(hi, lo)`.

        `level`: what the key is worth.
        """
        self.member = member
        self.counter = counter
        self.services = services
        self.level = level
        self.encrypted = True  # False: ET04.12.3, answers go out as the requests came
        self._address = bytearray(2)
        self._omak = bytearray(_OMAK)
        self._base = bytearray(16)
        self._key = bytearray(16)
        self._rc4 = bytearray(258)
        self._state = bytearray(8)  # of the digest, after the request and before its padding
        self._position = 0
        self._sum = bytearray(8)
        self._clear = False  # the request at hand came in clear
        self.received = self.validated = 0  # ET23.0, ET23.4
        self.failures = self.bad_lengths = self.bad_sequences = self.not_kept = 0
        self.rekey()

    def rekey(self, key=None):
        """Take over the member's key and address. To be called whenever they change.

        key: to try another one.
        """
        copy(self._omak, 0, key or self.member.unicast_key, 0, _OMAK)
        self._base[:] = base_key(self._omak)
        self._address[0] = self.member.domains[0].subnet
        self._address[1] = self.member.domains[0].node

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        """Judge and carry out the APDU buf[a:end], which is decrypted in place.

        The answer goes to out[o:]; returns its end, o for no answer.
        """
        self.received += 1
        if end - a < _SHORTEST:
            self.bad_lengths += 1
            return o
        if self.member.next_key:
            good = rare.run("osgp.next_key", self, buf, a, end - 8)
        else:
            good = self.verify(buf, a, end - 8)
        if not good:
            self.failures += 1
            out[o] = CODE
            out[o + 1] = DIGEST_ERROR
            return o + 2
        self.validated += 1
        out[o] = CODE
        if not self._in_window(buf, end - 12):
            return self._wrong_number(out, o)
        end -= 12
        lo = (buf[end + 2] << 8 | buf[end + 3]) + 1
        try:
            self.counter.step((buf[end] << 8 | buf[end + 1]) + (lo >> 16), lo & 0xFFFF)
        except OSError:  # flash fails: a number that cannot be spent is not answered
            self.not_kept += 1
            return o
        end = self.services.run(buf, a + 1, end, out, o + 1, self.level, now)
        self._seal(out, o, end)
        if not self._clear:
            rc4(self._rc4, out, o + 1, end)
        return end + 8

    def verify(self, buf, a, d) -> bool:
        """Decrypt buf[a+1:d] and check the digest buf[d:d+8].

        One way, in the same time, for all that may be wrong.
        """
        if not self.encrypted:
            self._clear = True
            if self._holds(buf, a, d):
                return True
        self._clear = False
        key = self._key
        copy(key, 0, self._base, 0, 16)
        for k in range(8):
            key[k] ^= buf[d + k]
        rc4_key(self._rc4, key)
        rc4(self._rc4, buf, a + 1, d)
        return self._holds(buf, a, d)

    def _holds(self, buf, a, d) -> bool:
        state = self._state
        fill(state, 0, 8, 0)
        position = digest(state, self._omak, 0, self._address, 0, 2)
        self._position = position = digest(state, self._omak, position, buf, a, d)
        self._finish(state, position)
        # The digest ignores trailing zeros, so the length has to be exact (profile 2).
        # Both are always looked at.
        length = command_length(buf, a + 1, d - 4)
        wrong = length >= 0 and length != d - 5 - a
        holds = equal(self._sum, 0, buf, d, 8)
        if holds and wrong:
            self.bad_lengths += 1
        return holds and not wrong and self.counter.ready and self.member.keyed

    def _finish(self, state, position):
        copy(self._sum, 0, state, 0, 8)
        digest_pad(self._sum, self._omak, position)

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

    def _wrong_number(self, out, o) -> int:
        """0C with the number expected.

        In clear: a replayed request must not draw its key stream again (profile 3).
        """
        self.bad_sequences += 1
        counter = self.counter
        out[o + 1] = SEQUENCE_ERROR
        out[o + 2] = counter.hi >> 8
        out[o + 3] = counter.hi & 0xFF
        out[o + 4] = counter.lo >> 8
        out[o + 5] = counter.lo & 0xFF
        self._seal(out, o, o + 6)
        return o + 14

    def _seal(self, out, o, end):
        """The digest of the response out[o:end], put behind it."""
        state = self._state
        self._finish(state, digest(state, self._omak, self._position, out, o, end))
        copy(out, end, self._sum, 0, 8)
