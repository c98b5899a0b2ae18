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

import rare
from osgp.membership import nobody

CHALLENGE = const(0x47)
COMMISSION = const(0x46)
VERSION = const(0x01)
_WORK = ("osgp.commission", "osgp.security.ccm")
PLAIN = const(52)
TAG = const(8)


class Commissioning:
    """The device's side. It holds one challenge at a time, good once."""

    def __init__(self, member, counter, aes, random, uid, installation_key):
        """`aes(key) -> encrypt(block)`, `random(n) -> bytes`; `uid`: 6 octets, live; `counter`
        starts a generation. `installation_key(uid)`: 16 octets, or None: then neither code is
        answered (profile 14).
        """
        self.member = member
        self.counter = counter
        self.aes = aes
        self._random = random
        self.uid = uid
        self.key = installation_key
        self.nd = None
        self._work = None  # the rare modules, from a challenge to the message that answers it
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
        if self.key(self.uid) is None:
            return None
        self.nd = self._random(8)
        # Loaded here, where they are not needed yet: all in one slice would be too long a one.
        self._work = [rare.load(name) for name in _WORK]
        return self.nd

    def _commission(self, nc, sealed):
        if self.nd is None:
            return None
        work, ccm = self._work or [rare.load(name) for name in _WORK]
        self._work = None
        return work.run(self, ccm, nc, sealed)
