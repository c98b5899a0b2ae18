"""The work that is done per octet: checksum, digest, cipher, copying, MIP's doubling of 7E.

These are the plain ones. A board freezes the same functions in viper (`boards/kernels.py`, twenty
times as fast) as module `kernels`, and the last lines here take those; callers cannot tell.
What holds for both:

- Nothing is allocated. A range is given by offsets: buf[a:b]. (MicroPython puts the frame of a
  function on the heap when its locals and its deepest expression exceed 11 words: that is why some
  of these do not name what they use twice.)
- Nothing is checked: an offset outside its buffer damages memory in viper. The caller has compared
  lengths.
- What is written to is a bytearray or a memoryview of one, never bytes.
- No value reaches 2**30, so none becomes an object on a 32-bit MicroPython.
"""

from micropython import const

_FLAG = const(0x7E)  # the octet that starts a MIP code packet; doubled inside a message
_LONGEST = const(250)  # LEN of a MIP message; what is needed must fit one octet of unstuff's state
_NOT_SEEN = const(255)
_ZEROS = bytes(192)  # the longest digest block


def crc16(buf, a: int, b: int) -> int:
    """The check of an LPDU over buf[a:b] (ISO/IEC 14908-1, layer 2).

    CRC-16/GENIBUS: polynomial 1021, start FFFF, most significant bit first, inverted.
    """
    crc = 0xFFFF
    while a < b:
        # Eight shifts at once: 1021 has so few terms that they are four exclusive-ors.
        x = (crc >> 8) ^ buf[a]
        x ^= x >> 4
        crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
        a += 1
    return crc ^ 0xFFFF


def digest(acc, key, pos: int, buf, a: int, b: int) -> int:
    """Feeds buf[a:b] to an OMA digest or an ISO/IEC 14908-1 authentication. Returns the new pos.

    acc: the state, 8 octets; at the end it is the digest. key: 6, 12 or 16 octets. pos: octets of
    the present block so far, 0 at the start; each octet of a message uses up one bit of the key.
    """
    while a < b:
        # The state is walked downwards: octet v = 7 - pos mod 8, written ~pos & 7, takes in its
        # neighbour v + 1, written -pos & 7.
        r = ~(acc[~pos & 7] + (~pos & 7)) & 0xFF
        if (key[(pos >> 3) % len(key)] >> (pos & 7)) & 1:
            r = (r << 1) | (r >> 7)
        else:
            r = -(((r << 7) & 0x80) | (r >> 1))
        acc[~pos & 7] = (acc[-pos & 7] + buf[a] + r) & 0xFF
        a += 1
        pos += 1
        if pos & 7 == 0 and pos == _block(key):
            pos = 0
    return pos


def digest_pad(acc, key, pos: int) -> int:
    """Ends a digest: feeds zeros to the end of the block; none after a full one. Returns 0."""
    return digest(acc, key, pos, _ZEROS, 0, _block(key) - pos) if pos else 0


def _block(key) -> int:
    """Octets in a block, 8 a round: a key of 6 has 6 rounds, a longer one 1.5 for each octet."""
    return 48 if len(key) == 6 else 12 * len(key)


def rc4_key(s, key) -> None:
    """Sets the RC4 state s for a key. s: bytearray(258), the permutation, then the two indices."""
    for i in range(256):
        s[i] = i
    j = 0
    for i in range(256):
        t = s[i]
        j = (j + t + key[i % len(key)]) & 0xFF
        s[i] = s[j]
        s[j] = t
    s[256] = 0
    s[257] = 0


def rc4(s, buf, a: int, b: int) -> None:
    """Encrypts or decrypts buf[a:b] in place and goes on from there at the next call."""
    i = s[256]
    j = s[257]
    while a < b:
        i = (i + 1) & 0xFF
        t = s[i]
        j = (j + t) & 0xFF
        s[i] = s[j]
        s[j] = t
        t = s[(s[i] + t) & 0xFF]
        buf[a] ^= t
        a += 1
    s[256] = i
    s[257] = j


def copy(dst, o: int, src, a: int, b: int) -> None:
    """dst[o:] takes src[a:b], first octet first.

    In one buffer that is right towards its start (o <= a); towards its end the octets from a to o
    are repeated.
    """
    while a < b:
        dst[o] = src[a]
        o += 1
        a += 1


def equal(x, a: int, y, b: int, n: int) -> bool:
    """Whether x[a:a+n] and y[b:b+n] are the same; takes as long wherever they differ."""
    difference = 0
    while n > 0:
        n -= 1
        difference |= x[a + n] ^ y[b + n]
    return difference == 0


def xor(dst, o: int, src, a: int, b: int) -> None:
    """dst[o:] is combined with src[a:b] by exclusive-or."""
    while a < b:
        dst[o] ^= src[a]
        o += 1
        a += 1


def fill(dst, a: int, b: int, value: int) -> None:
    """dst[a:b] becomes all `value`."""
    while a < b:
        dst[a] = value
        a += 1


def stuff(src, a: int, b: int, dst, o: int) -> int:
    """Writes src[a:b] and its checksum to dst[o:] as a MIP message. Returns the end in dst.

    Every 7E is doubled, so dst needs 2 * (b - a + 1) octets. The checksum makes the sum of all
    octets 0 mod 256.
    """
    rest = 0
    while True:
        octet = src[a] if a < b else rest
        rest = (rest - octet) & 0xFF
        dst[o] = octet
        o += 1
        if octet == _FLAG:
            dst[o] = octet
            o += 1
        if a >= b:
            return o
        a += 1


def unstuff(src, a: int, b: int, dst, st) -> int:
    """Takes a MIP message, LEN to checksum, from src[a:b] into dst. Returns the offset it got to.

    st: bytearray, kept between the calls for one message. At the start: 0, 255, 0, 0.
      st[0]  0 going on
             1 the last octet was a 7E: the next one decides
             2 that 7E was single: a new packet has started, and its second octet is the one at
               the returned offset
             3 LEN is above 250 (FF is the extended form)
      st[1]  octets still to come, checksum included; 0 complete; 255 LEN is not in yet
      st[2]  sum of all octets, mod 256: 0 in a complete message without errors
      st[3]  octets in dst
    Stops when the message is complete, at 2, at 3, or at the end of the input.
    dst: 252 octets; dst[0] is LEN.
    """
    while a < b and st[1] != 0:
        octet = src[a]
        if octet == _FLAG and st[0] == 0:
            st[0] = 1
            a += 1
            continue
        if octet != _FLAG and st[0] == 1:
            st[0] = 2
            return a
        st[0] = 0
        a += 1
        dst[st[3]] = octet
        st[3] += 1
        st[2] = (st[2] + octet) & 0xFF
        if st[1] != _NOT_SEEN:
            st[1] -= 1
        elif octet > _LONGEST:
            st[0] = 3
            return a
        else:
            st[1] = octet + 1
    return a


try:  # the board's, frozen beside the VM
    from kernels import (  # noqa: F401
        copy,
        crc16,
        digest,
        equal,
        fill,
        rc4,
        rc4_key,
        stuff,
        unstuff,
        xor,
    )
except ImportError:
    pass
