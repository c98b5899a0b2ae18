"""FCM: one message makes a device a member. Codes 47 (challenge) and 46 (commission).

By this project's profile, `profile.md` 14 to 17.

    47 01 Nc(8)                   -> 47 01 Nd(8)
    46 01 Nc(8) sealed(52 + 8)    -> 46 01 sealed(1 + 8)

Kf = CMAC(Kinst, 01 | "FCM" | 00 | UID | Nc | Nd). Both are sealed by CCM under Kf: nonce 13 zeros
(the answer: 01 and 12 zeros), associated data 46 01 UID Nc. Inside the request:

    mode 1 | domain length 1 | domain id 6 | subnet 1 | node 1
    unicast key 16 | broadcast key 16 | sequence 4 | B 4 | D 2

Inside the answer: one octet, a result. A message that does not open is not answered.
"""

from micropython import const

from osgp.kernels import equal
from osgp.membership import CONFIGURED, nobody
from osgp.security.ccm import cmac, open_, seal

CHALLENGE = const(0x47)
COMMISSION = const(0x46)
VERSION = const(0x01)
PLAIN = const(52)
TAG = const(8)
NONCE_REQUEST = bytes(13)
NONCE_ANSWER = b"\x01" + bytes(12)

DONE = const(0)
# The key is the one in use (its 12 octets of mode 0): no number may come again under it.
SAME_KEY = const(1)
NOT_KEPT = const(3)  # flash failed; the device is what it was
BAD_CONTENT = const(2)  # mode, domain, subnet or node that this device cannot have

_FAILURES_A_DAY = const(100)  # ET04.128


def derive(aes, installation_key: bytes, uid, nc, nd) -> bytes:
    """Kf, the key of this one exchange."""
    return cmac(aes(installation_key), b"\x01FCM\x00" + bytes(uid) + bytes(nc) + bytes(nd))


def associated(uid, nc) -> bytes:
    return bytes((COMMISSION, VERSION)) + bytes(uid) + bytes(nc)


class Commissioning:
    """The device's side. It holds one challenge at a time, good once."""

    def __init__(self, member, counter, aes, random, uid, installation_key):
        """`aes(key) -> encrypt(block)`, `random(n) -> bytes`; `uid`: 6 octets, live; `counter`
        starts a generation. `installation_key(uid)`: 16 octets, or None: then neither code is
        answered (profile 14).
        """
        self.member = member
        self.counter = counter
        self._aes = aes
        self._random = random
        self._uid = uid
        self._key = installation_key
        self._nd = None
        self.on_done = nobody  # told after the device became a member
        self.done = 0
        self.failed_today = 0  # ET04.128; cleared by the application at midnight

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        """Answer 47 or 46 in buf[a:end] at out[o:]; return the answer's end, o for none."""
        if buf[a + 1 : a + 2] != bytes((VERSION,)):
            return o
        if buf[a] == CHALLENGE and end - a == 10:
            answer = self._challenge()
        elif buf[a] == COMMISSION and end - a == 10 + PLAIN + TAG:
            answer = self._commission(bytes(buf[a + 2 : a + 10]), bytes(buf[a + 10 : end]))
        else:
            return o
        if answer is None:
            return o
        out[o] = buf[a]
        out[o + 1] = VERSION
        out[o + 2 : o + 2 + len(answer)] = answer
        return o + 2 + len(answer)

    def _challenge(self):
        if self._key(self._uid) is None:
            return None
        self._nd = self._random(8)
        return self._nd

    def _commission(self, nc, sealed):
        key = self._key(self._uid)
        if self._nd is None or key is None:
            return None
        encrypt = self._aes(derive(self._aes, key, self._uid, nc, self._nd))
        text = open_(encrypt, NONCE_REQUEST, associated(self._uid, nc), sealed, TAG)
        if text is None:
            self.failed_today = min(self.failed_today + 1, _FAILURES_A_DAY)
            return None
        self._nd = None
        result = self._judge(text)
        if result == DONE and not self._join(text):
            result = NOT_KEPT
        return seal(encrypt, NONCE_ANSWER, associated(self._uid, nc), bytes((result,)), TAG)

    def _judge(self, text) -> int:
        if text[0] != 0 or text[1] not in (0, 1, 3, 6) or text[8] == 0 or not 1 <= text[9] <= 127:
            return BAD_CONTENT
        if self.member.keyed and equal(self.member.unicast_key, 0, text, 10, 12):
            return SAME_KEY
        return DONE

    def _join(self, text) -> bool:
        """Become what the message says; False: flash failed, and we are what we were."""
        member = self.member
        draft = member.draft()
        draft[0] = CONFIGURED
        draft[1] = text[0]
        member.set_domain(draft, 0, text[1], text[2:8], text[8], text[9])
        draft[20:52] = text[10:42]
        generation = (member.generation + 1) & 0xFFFF
        draft[52] = generation >> 8
        draft[53] = generation & 0xFF
        draft[54:60] = text[46:52]
        draft[60] = 1
        # The counter first: a record of a generation that no member has is void, a member without
        # its counter is locked.
        try:
            self.counter.start(generation, text[42] << 8 | text[43], text[44] << 8 | text[45])
            member.commit(draft)
        except OSError:
            self.counter.load(member.generation)
            return False
        self.done += 1
        self.on_done()
        return True
