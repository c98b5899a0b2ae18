"""Suite: security mode 2, AES-128 with CCM and CMAC. By this project's profile, `profile.md` 8 to
10.

    request    00 | command .. | sequence(4) | tag(8)
    answer     00 | code [count(2) data] | tag(8)
    0B         00 0B | CMAC(8)
    0C         00 0C sequence(4) | CMAC(8)

Command and response are encrypted; the number stands in clear, for the nonce is made of it. CCM
has a tag of 8, a nonce of 13: direction 1 (00 request, 01 answer, 02 broadcast) | UID 6 (0 for a
broadcast) | sequence 4 | 00 00, and as associated data subnet 1 | node 1 | APDU code 1: the
device's own, 0 and 0 for a broadcast. An answer has the number of its request.

0B and 0C prove themselves with a CMAC over their octets and then the request as it came. The
answer stands first because it shows by its second octet how long it is: no two pairs of request
and answer are the same octets.

Subkeys: K_x = CMAC(K, 01 | label | 00 | UID | 00 80), labels ENCU and MACU for unicast, ENCB with
UID 0 for broadcast.
"""

from micropython import const

import rare
from osgp.kernels import copy, equal, xor

_TAG = const(8)
_BLOCK = const(16)
_BLOCKS = const(11)  # of key stream: what an APDU of 160 octets needs
_REQUEST = const(0)  # directions
_ANSWER = const(1)
_BROADCAST = const(2)
_MAC_FLAGS = const(0x59)  # of CCM's first block: associated data, a tag of 8, lengths of 2 octets
_COUNTER_FLAGS = const(0x01)
# in a block of CCM: flags 1 | nonce 13 | counter or length 2
_DIRECTION = const(1)
_UID = const(2)
_SEQUENCE = const(8)
_LENGTH = const(14)


class Suite:
    """One key, and the exchange at hand. The interface is told in `osgp/security/__init__.py`."""

    def __init__(self, envelope, key, broadcast=False):
        self._aes = envelope.aes
        self._key = bytes(key)
        self._uid = bytes(6) if broadcast else envelope.uid
        self._broadcast = broadcast
        domain = envelope.member.domains[0]
        address = (0, 0) if broadcast else (domain.subnet, domain.node)
        self._associated = bytes((0, 3) + address + (0,))
        self._block = bytearray(_BLOCK)
        self._mac = bytearray(_BLOCK)
        # Key stream: a block for the tag, then those for the text, and its first 1, 2 .. blocks
        self._stream = bytearray(_BLOCK * _BLOCKS)
        view = memoryview(self._stream)
        self._first = [view[: _BLOCK * (n + 1)] for n in range(_BLOCKS)]
        self._encrypt: ... = None
        self._mac_key = b""
        self._opened = False  # the request at hand is in clear

    def _derive(self):
        """The subkeys. They wait for the UID, which the transceiver tells after the start."""
        cmac = rare.load("osgp.security.ccm").cmac
        uid = bytes(self._uid)
        master = self._aes(self._key)
        label = b"ENCB" if self._broadcast else b"ENCU"
        tail = b"\x00" + uid + b"\x00\x80"
        self._encrypt = self._aes(cmac(master, b"\x01" + label + tail))
        self._mac_key = cmac(master, b"\x01MACU" + tail)
        copy(self._block, _UID, uid, 0, 6)

    def open(self, buf, a: int, d: int) -> bool:
        if self._encrypt is None or not equal(self._block, _UID, self._uid, 0, 6):
            self._derive()
        a += 1
        copy(self._block, _SEQUENCE, buf, d - 4, d)
        self._draw(_BROADCAST if self._broadcast else _REQUEST, d - 4 - a)
        xor(buf, a, self._stream, _BLOCK, _BLOCK + d - 4 - a)
        self._sum(buf, a, d - 4)
        self._opened = equal(self._mac, 0, buf, d, _TAG)
        if not self._opened:
            xor(buf, a, self._stream, _BLOCK, _BLOCK + d - 4 - a)
        return self._opened

    def seal(self, out, o: int, end: int) -> int:
        o += 1
        self._draw(_ANSWER, end - o)
        self._sum(out, o, end)
        copy(out, end, self._mac, 0, _TAG)
        xor(out, o, self._stream, _BLOCK, _BLOCK + end - o)
        return end + _TAG

    def _draw(self, direction: int, n: int):
        """The key stream for n octets of text, under the sequence number at hand."""
        block = self._block
        stream = self._stream
        block[0] = _COUNTER_FLAGS
        block[_DIRECTION] = direction
        block[_LENGTH] = block[_LENGTH + 1] = 0
        blocks = (n + _BLOCK - 1) // _BLOCK  # of text
        copy(stream, 0, block, 0, _BLOCK)
        copy(stream, _BLOCK, stream, 0, _BLOCK * blocks)  # again and again
        for k in range(1, blocks + 1):
            stream[_BLOCK * k + _LENGTH + 1] = k
        self._encrypt(self._first[blocks], stream)

    def _sum(self, buf, a, b):
        """CCM's tag over the text buf[a:b] into `_mac`; the key stream is there."""
        block = self._block
        mac = self._mac
        encrypt = self._encrypt
        block[0] = _MAC_FLAGS
        block[_LENGTH + 1] = b - a  # below 256
        encrypt(block, mac)
        xor(mac, 0, self._associated, 0, 5)
        encrypt(mac, mac)
        while a < b:
            xor(mac, 0, buf, a, a + _BLOCK if b - a > _BLOCK else b)
            encrypt(mac, mac)
            a += _BLOCK
        xor(mac, 0, self._stream, 0, _TAG)

    def refuse(self, buf, a: int, end: int, out, o: int, n: int) -> int:
        if self._opened:  # the request as it came
            xor(buf, a + 1, self._stream, _BLOCK, _BLOCK + end - _TAG - 4 - a - 1)
            self._opened = False
        cmac = rare.load("osgp.security.ccm").cmac
        tag = cmac(self._aes(self._mac_key), bytes(out[o:n]) + bytes(buf[a:end]))
        copy(out, n, tag, 0, _TAG)
        return n + _TAG
