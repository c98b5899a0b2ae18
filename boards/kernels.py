"""The functions of `firmware/osgp/kernels.py` in viper; what they do is said there.

Boards freeze this file into their VM. Viper computes in machine words: only ptr8 is used here, and
every value is masked so that it stays between 0 and 2**30, or the results would differ between
word sizes. The 64-bit desk runs the plain functions. Nothing is checked: a wrong offset writes
where it points.
"""
# ruff: noqa: RUF046  viper's int() is a conversion
# pyright: reportUndefinedVariable=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportArgumentType=false

import micropython
from micropython import const

_FLAG = const(0x7E)
_LONGEST = const(250)
_NOT_SEEN = const(255)


@micropython.viper
def crc16(buf: ptr8, a: int, b: int) -> int:
    crc = 0xFFFF
    while a < b:
        x = (crc >> 8) ^ int(buf[a])
        x ^= x >> 4
        crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
        a += 1
    return crc ^ 0xFFFF


@micropython.viper
def digest(acc: ptr8, key, pos: int, buf: ptr8, a: int, b: int) -> int:
    octets = int(len(key))
    k = ptr8(key)
    rounds = 48 if octets == 6 else octets * 12
    at = pos >> 3
    while at >= octets:
        at -= octets
    while a < b:
        bit = pos & 7
        v = 7 - bit
        r = 255 - ((int(acc[v]) + v) & 255)
        if (int(k[at]) >> bit) & 1:
            r = (r << 1) | (r >> 7)
        else:
            r = 256 - (((r << 7) & 128) | (r >> 1))
        acc[v] = (int(acc[(v + 1) & 7]) + int(buf[a]) + r) & 255
        a += 1
        pos += 1
        if bit == 7:
            at += 1
            if at == octets:
                at = 0
            if pos == rounds:
                pos = 0
                at = 0
    return pos


@micropython.viper
def rc4_key(s: ptr8, key):
    octets = int(len(key))
    k = ptr8(key)
    i = 0
    while i < 256:
        s[i] = i
        i += 1
    i = 0
    j = 0
    at = 0
    while i < 256:
        t = int(s[i])
        j = (j + t + int(k[at])) & 255
        s[i] = s[j]
        s[j] = t
        i += 1
        at += 1
        if at == octets:
            at = 0
    s[256] = 0
    s[257] = 0


@micropython.viper
def rc4(s: ptr8, buf: ptr8, a: int, b: int):
    i = int(s[256])
    j = int(s[257])
    while a < b:
        i = (i + 1) & 255
        t = int(s[i])
        j = (j + t) & 255
        u = int(s[j])
        s[i] = u
        s[j] = t
        buf[a] = int(buf[a]) ^ int(s[(u + t) & 255])
        a += 1
    s[256] = i
    s[257] = j


@micropython.viper
def copy(dst: ptr8, o: int, src: ptr8, a: int, b: int):
    while a < b:
        dst[o] = src[a]
        o += 1
        a += 1


@micropython.viper
def equal(x: ptr8, a: int, y: ptr8, b: int, n: int) -> bool:
    difference = 0
    i = 0
    while i < n:
        difference |= int(x[a + i]) ^ int(y[b + i])
        i += 1
    return difference == 0


@micropython.viper
def xor(dst: ptr8, o: int, src: ptr8, a: int, b: int):
    while a < b:
        dst[o] = int(dst[o]) ^ int(src[a])
        o += 1
        a += 1


@micropython.viper
def fill(dst: ptr8, a: int, b: int, value: int):
    while a < b:
        dst[a] = value
        a += 1


@micropython.viper
def stuff(src: ptr8, a: int, b: int, dst: ptr8, o: int) -> int:
    total = 0
    while a <= b:
        if a < b:
            octet = int(src[a])
        else:
            octet = (256 - total) & 255
        total = (total + octet) & 255
        dst[o] = octet
        o += 1
        if octet == _FLAG:
            dst[o] = octet
            o += 1
        a += 1
    return o


@micropython.viper
def unstuff(src: ptr8, a: int, b: int, dst: ptr8, st: ptr8) -> int:
    state = int(st[0])
    need = int(st[1])
    total = int(st[2])
    o = int(st[3])
    while a < b and need != 0:
        octet = int(src[a])
        if octet == _FLAG and state == 0:
            state = 1
            a += 1
            continue
        if octet != _FLAG and state == 1:
            state = 2
            break
        state = 0
        a += 1
        dst[o] = octet
        o += 1
        total = (total + octet) & 255
        if need != _NOT_SEEN:
            need -= 1
        elif octet > _LONGEST:
            state = 3
            break
        else:
            need = octet + 1
    st[0] = state
    st[1] = need
    st[2] = total
    st[3] = o
    return a
