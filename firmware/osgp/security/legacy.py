"""Suite: security mode 0, OMA digest and RC4 (`osgp.md` 2, `profile.md` 1 to 5).

    request    00 | command .. | sequence(4) | digest(8)
    response   00 | code [count(2) data] | digest(8)

The digest runs over subnet, node and the request with its sequence number; for the response it
goes on, from where it stood before the padding, over the response. RC4 covers all after the APDU
code but the digest, and goes on likewise.
"""

from micropython import const

import rare
from osgp.kernels import copy, digest, digest_pad, equal, fill, rc4, rc4_key, xor

_OMAK = const(12)
_BARE = const(2)  # octets of a 0B, which proves nothing


class Suite:
    """One key, and the exchange at hand. The interface is told in `osgp/security/__init__.py`."""

    def __init__(self, envelope, key, broadcast=False):
        self._envelope = envelope
        self._omak = bytes(key[:_OMAK])
        self._base = rare.run("osgp.security.keys", self._omak)
        domain = envelope.member.domains[0]
        self._address = bytes(2) if broadcast else bytes((domain.subnet, domain.node))
        self._key = bytearray(16)
        self._rc4 = bytearray(258)
        self._state = bytearray(8)  # of the digest, after the request and before its padding
        self._position = 0
        self._sum = bytearray(8)
        self._clear = False  # the request at hand came in clear

    def open(self, buf, a: int, d: int) -> bool:
        if not self._envelope.encrypted:
            self._clear = True
            if self._holds(buf, a, d):
                return True
        self._clear = False
        key = self._key
        copy(key, 0, self._base, 0, 16)
        xor(key, 0, buf, d, d + 8)
        rc4_key(self._rc4, key)
        rc4(self._rc4, buf, a + 1, d)
        return self._holds(buf, a, d)

    def _holds(self, buf, a, d) -> bool:
        state = self._state
        fill(state, 0, 8, 0)
        position = digest(state, self._omak, 0, self._address, 0, 2)
        self._position = position = digest(state, self._omak, position, buf, a, d)
        self._finish(state, position)
        return equal(self._sum, 0, buf, d, 8)

    def _finish(self, state, position):
        copy(self._sum, 0, state, 0, 8)
        digest_pad(self._sum, self._omak, position)

    def seal(self, out, o: int, end: int) -> int:
        self._prove(out, o, end)
        if not self._clear:
            rc4(self._rc4, out, o + 1, end)
        return end + 8

    def _prove(self, out, o, end):
        """The digest of the response out[o:end], put behind it."""
        state = self._state
        self._finish(state, digest(state, self._omak, self._position, out, o, end))
        copy(out, end, self._sum, 0, 8)

    def refuse(self, buf, a: int, end: int, out, o: int, n: int) -> int:
        """0B bare; 0C in clear: a replayed request must not draw its key stream again
        (profile 3)."""
        if n - o == _BARE:
            return n
        self._prove(out, o, n)
        return n + 8
