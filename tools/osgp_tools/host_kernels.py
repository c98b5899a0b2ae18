"""Kernels for a desk that runs hundreds of devices: what `boards/kernels.py` is to a Pico.

The same functions as `osgp/kernels.py`, by CPython's own C and by tables, five to fifty times as
fast as those loops. A process that wants them calls `install()` before the firmware is imported;
`host_tests/simulation/test_host_kernels.py` holds the two against each other.
"""

import binascii
import hmac
import sys
from functools import lru_cache


def install() -> None:
    """Take the places of the plain ones. RuntimeError: somebody has imported those already."""
    if "osgp.kernels" in sys.modules:
        raise RuntimeError("the firmware has its kernels already")
    import osgp.kernels as plain

    for kernel in (crc16, copy, equal, xor, fill, digest, digest_pad, rc4_key, rc4):
        setattr(plain, kernel.__name__, kernel)


def crc16(buf, a: int, b: int) -> int:
    return binascii.crc_hqx(buf[a:b], 0xFFFF) ^ 0xFFFF


def copy(dst, o: int, src, a: int, b: int) -> None:
    if dst is src and a < o < b:  # octet by octet, its first ones come again and again
        dst[o : o + b - a] = ((b - a) // (o - a) * dst[a:o] + dst[a:o])[: b - a]
    else:
        dst[o : o + b - a] = src[a:b]


def equal(x, a: int, y, b: int, n: int) -> bool:
    return hmac.compare_digest(bytes(x[a : a + n]), bytes(y[b : b + n]))


def xor(dst, o: int, src, a: int, b: int) -> None:
    n = b - a
    both = int.from_bytes(dst[o : o + n], "big") ^ int.from_bytes(src[a:b], "big")
    dst[o : o + n] = both.to_bytes(n, "big")


def fill(dst, a: int, b: int, value: int) -> None:
    dst[a:b] = bytes((value,)) * (b - a)


# ---- the digest

# what an octet v of the state adds to itself: [bit of the key][v][octet]
_ADDED = tuple(
    tuple(
        bytes(
            ((r << 1 | r >> 7) if bit else -(r << 7 & 0x80 | r >> 1)) & 0xFF
            for r in (~(octet + v) & 0xFF for octet in range(256))
        )
        for v in range(8)
    )
    for bit in (0, 1)
)


@lru_cache(maxsize=4096)
def _schedule(key: bytes) -> tuple[bytes, ...]:
    """Which of those tables each octet of a block meets."""
    block = 48 if len(key) == 6 else 12 * len(key)
    return tuple(
        _ADDED[key[(pos >> 3) % len(key)] >> (pos & 7) & 1][~pos & 7] for pos in range(block)
    )


def digest(acc, key, pos: int, buf, a: int, b: int) -> int:
    schedule = _schedule(bytes(key))
    block = len(schedule)
    for octet in bytes(buf[a:b]):
        v = ~pos & 7
        acc[v] = (acc[-pos & 7] + octet + schedule[pos][acc[v]]) & 0xFF
        pos += 1
        if pos == block:
            pos = 0
    return pos


def digest_pad(acc, key, pos: int) -> int:
    left = len(_schedule(bytes(key))) - pos if pos else 0
    return digest(acc, key, pos, bytes(left), 0, left)


# ---- the cipher


@lru_cache(maxsize=256)
def _permutation(key: bytes) -> bytes:
    """Both ends of an exchange ask for the same one."""
    s = list(range(256))
    j = 0
    repeated = key * (256 // len(key) + 1)
    for i, k in zip(range(256), repeated):
        t = s[i]
        j = (j + t + k) & 0xFF
        s[i] = s[j]
        s[j] = t
    return bytes(s) + b"\0\0"


def rc4_key(s, key) -> None:
    s[:258] = _permutation(bytes(key))


def rc4(s, buf, a: int, b: int) -> None:
    i, j = s[256], s[257]
    for place in range(a, b):
        i = (i + 1) & 0xFF
        t = s[i]
        j = (j + t) & 0xFF
        s[i] = u = s[j]
        s[j] = t
        buf[place] ^= s[(u + t) & 0xFF]
    s[256], s[257] = i, j
