"""Signatures of images: HSS of RFC 8554 with one level, LMS_SHA256_M32_H5 to H20 with
LMOTS_SHA256_N32_W4 (profile.md 28). Verification only, in slices, with nothing but SHA-256.

Big-endian. Key: levels (1) 4, LMS type 4, LM-OTS type 4, I 16, T[1] 32. Signature: levels less one
(0) 4, q 4, LM-OTS type 4, C 32, y 67 * 32, LMS type 4, path 32 for each level of the tree.

Frozen beside boot.py: an update must not change what judges it. Nothing here is secret. What is
malformed in any way is not good; nothing raises.
"""

from hashlib import sha256

from micropython import const

_KEY = const(60)
_ONE_LEVEL = const(b"\0\0\0\1")
_OTS_TYPE = const(b"\0\0\0\3")  # LMOTS_SHA256_N32_W4
_CHAINS = const(67)  # p: 64 digits of 4 bits of a SHA-256, 3 of their checksum
_LAST = const(15)  # the step that a chain ends before: 2 ** w - 1
_N = const(32)

_Q = const(4)  # in a signature
_OTS = const(8)
_C = const(12)
_Y = const(44)
_LMS = const(2188)
_PATH = const(2192)

_D_PBLC = const(b"\x80\x80")
_D_MESG = const(b"\x81\x81")
_D_LEAF = const(b"\x82\x82")
_D_INTR = const(b"\x83\x83")

_SLICE = const(32)  # SHA-256 a step, and 14 more at most to end a chain: 5 ms on a Pico, or 8


def size(key) -> int:
    """Octets of a signature under a key; 0: it is no key that is known here."""
    height = _height(key)
    return _PATH + _N * height if height else 0


def check(key, message, signature) -> bool:
    """Whether a signature is good, without a pause: see Verifier."""
    verifier = Verifier(key, message, signature)
    while verifier.step():
        pass
    return verifier.good


def _height(key) -> int:
    """Of the key's tree (RFC 8554 table 2); 0: it is no key that is known here."""
    if not _is_buffer(key) or len(key) != _KEY:
        return 0
    head = bytes(key[:12])
    if head[:4] != _ONE_LEVEL or head[8:] != _OTS_TYPE or head[4:7] != b"\0\0\0":
        return 0
    kind = head[7]
    return (kind - 4) * 5 if 5 <= kind <= 8 else 0


def _is_buffer(content) -> bool:
    return isinstance(content, (bytes, bytearray, memoryview))


class Verifier:
    """One signature, verified slice by slice (RFC 8554 algorithms 4b, 6a).

    key: 60 octets. message: what was signed. signature: `size(key)` octets, which stay as they are
    until step() returned False: they are read where they lie. good: True then, if they are good.
    """

    def __init__(self, key, message, signature):
        self.good = False
        self._next = _CHAINS  # the chain to follow; beyond the last: nothing is left to do
        self._height = _height(key)
        if not self._height or not _is_buffer(message) or not _is_buffer(signature):
            return
        if len(signature) != size(key):
            return
        content = memoryview(signature)
        of_key = bytes(key)
        place = bytes(content[_Q:_OTS])  # q, the leaf: which one-time key
        if (
            bytes(content[:_Q]) != b"\0\0\0\0"
            or int.from_bytes(place, "big") >> self._height
            or bytes(content[_OTS:_C]) != _OTS_TYPE
            or bytes(content[_LMS:_PATH]) != of_key[4:8]
        ):
            return
        self._root = of_key[28:]
        self._signature = content
        # What each step of a chain hashes: I, q, chain 2, step 1, value 32. One block of SHA-256.
        self._block = bytearray(of_key[12:28] + place + bytes(3 + _N))
        head = bytes(self._block[:20])
        digest = sha256(head + _D_MESG)
        digest.update(content[_C:_Y])
        digest.update(message)
        self._digits = _with_checksum(digest.digest())
        self._ends = sha256(head + _D_PBLC)  # over the ends of all chains
        self._next = 0

    def step(self) -> bool:
        """Follows some chains to their ends. Returns whether there is more to do."""
        chain = self._next
        if chain == _CHAINS:
            return False
        block = self._block
        left = _SLICE
        while left > 0 and chain < _CHAINS:
            digit = self._digits[chain >> 1] >> (0 if chain & 1 else 4) & 15
            block[21] = chain
            block[23:] = self._signature[_Y + _N * chain : _Y + _N * (chain + 1)]
            _follow(block, digit)
            self._ends.update(block[23:])
            left -= _LAST - digit
            chain += 1
        self._next = chain
        if chain < _CHAINS:
            return True
        self.good = self._candidate() == self._root
        return False

    def _candidate(self) -> bytes:
        """T[1], if the signature is good: up the tree from the leaf."""
        prefix = bytes(self._block[:16])
        node = (1 << self._height) + int.from_bytes(self._block[16:20], "big")
        value = sha256(prefix + node.to_bytes(4, "big") + _D_LEAF + self._ends.digest()).digest()
        for at in range(_PATH, len(self._signature), _N):
            other = bytes(self._signature[at : at + _N])
            pair = other + value if node & 1 else value + other
            node >>= 1
            value = sha256(prefix + node.to_bytes(4, "big") + _D_INTR + pair).digest()
        return value


def _follow(block, digit: int):
    """One chain from its value in the signature, which is at step `digit`, to its end.

    This is where the time goes: nothing is made but a SHA-256 and its digest.
    """
    digest = sha256
    for step in range(digit, _LAST):
        block[22] = step
        block[23:] = digest(block).digest()


def _with_checksum(digest: bytes) -> bytes:
    """The digits to sign: a SHA-256, and the checksum of its digits (RFC 8554 4.4), 34 octets."""
    total = 0
    for octet in digest:
        total += 2 * _LAST - (octet >> 4) - (octet & 15)
    return digest + (total << 4).to_bytes(2, "big")
