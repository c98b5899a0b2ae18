"""Energy registers: counted in mWh, shown in Wh, kept in a ring of snapshots in flash.

A register counts to 999,999,999 Wh and begins again at 0, as nine digits on a display do: so no
number here reaches 2**30. Energy is exact to the mWh: a Wh and its remainder, added to as
integers.
"""

import struct

from micropython import const

# A snapshot: day 2, second 4, flags 1, code 1, filling 1, then for each register Wh 4, mWh 2.
SIZE = const(69)

FORWARD = const(0)
REVERSE = const(1)

_TIERS = const(4)  # BT21.7; energy of a tier beyond these is in the total only
_REGISTERS = const(10)  # forward and reverse in total, then by tier
_FULL = const(1000000000)  # Wh
_HEADER = "<HIBBB"
_REGISTER = "<IH"
_HEADER_SIZE = const(9)
_REGISTER_SIZE = const(6)
_NEVER = const(0xFFFF)  # day of a snapshot that was taken before the clock was set

# BT23: a block of 11 summations in total, and one for each tier. Active energy: the first two, and
_BLOCK = const(44)
_SUM = const(24)  # forward + reverse
_NET = const(28)  # forward - reverse, at least 0


def put16(buf, o: int, value: int):
    """buf[o:o+2] becomes value, least significant octet first."""
    buf[o] = value & 0xFF
    buf[o + 1] = value >> 8 & 0xFF


def put32(buf, o: int, value: int):
    """buf[o:o+4] becomes value (below 2**30), least significant octet first."""
    struct.pack_into("<I", buf, o, value)


class Registers:
    """The energy that was counted, and the moment up to which it was.

    day, second: that moment, UTC; day is -1 until there is a clock for the first time.
    flags, code: extended status of the load profile interval then open (`meter/profile.py`).
    filling: that moment lies in the past, and the element can tell what came after it.
    """

    def __init__(self, ring):
        """ring: of payloads of SIZE. What it holds last is what the registers begin with."""
        self.day = -1
        self.second = 0
        self.flags = 0
        self.code = 0
        self.filling = False
        self.changed = False  # since the last snapshot
        self._ring = ring
        self._snapshot = bytearray(SIZE)
        self._wh = [0] * _REGISTERS
        self._mwh = [0] * _REGISTERS
        self._restore()

    def _restore(self):
        """Take the newest snapshot, if there is one."""
        if not self._ring.read(self._ring.last, self._snapshot):
            return
        header = struct.unpack_from(_HEADER, self._snapshot, 0)
        self.day = -1 if header[0] == _NEVER else header[0]
        self.second, self.flags, self.code = header[1:4]
        self.filling = bool(header[4])
        for k in range(_REGISTERS):
            place = _HEADER_SIZE + k * _REGISTER_SIZE
            self._wh[k], self._mwh[k] = struct.unpack_from(_REGISTER, self._snapshot, place)

    def add(self, tier: int, forward: int, reverse: int):
        """Count energy (mWh, each below 2**29), in total and in a tier."""
        self._count(FORWARD, forward)
        self._count(REVERSE, reverse)
        if tier < _TIERS:
            self._count(2 * tier + 2 + FORWARD, forward)
            self._count(2 * tier + 2 + REVERSE, reverse)

    def _count(self, k, mwh):
        if mwh:
            mwh += self._mwh[k]
            self._mwh[k] = mwh % 1000
            self._wh[k] = (self._wh[k] + mwh // 1000) % _FULL
            self.changed = True

    def wh(self, direction: int) -> int:
        """The total register (Wh) of a direction, FORWARD or REVERSE."""
        return self._wh[direction]

    def save(self):
        """Put a snapshot into flash; it is safe when this returns."""
        snapshot = self._snapshot
        put16(snapshot, 0, self.day)  # -1: _NEVER
        put32(snapshot, 2, self.second)
        snapshot[6] = self.flags
        snapshot[7] = self.code
        snapshot[8] = self.filling
        for k in range(_REGISTERS):
            place = _HEADER_SIZE + k * _REGISTER_SIZE
            put32(snapshot, place, self._wh[k])
            put16(snapshot, place + 4, self._mwh[k])
        self._ring.append(snapshot)
        self.changed = False

    def show(self, body):
        """Bring BT23 up to date: the total's block, then the tiers'. The rest stays 0."""
        for k in range(0, _REGISTERS, 2):
            self._show(body, k // 2 * _BLOCK, k)

    def _show(self, body, o, k):
        """The block at body[o:] of forward register k and the reverse one after it."""
        put32(body, o, self._wh[k])
        put32(body, o + 4, self._wh[k + 1])
        put32(body, o + _SUM, self._sum(k))
        put32(body, o + _NET, self._net(k))

    def _sum(self, k) -> int:
        carry = self._mwh[k] + self._mwh[k + 1] >= 1000
        return (self._wh[k] - _FULL + self._wh[k + 1] + carry) % _FULL  # on the way below 2**30

    def _net(self, k) -> int:
        borrow = self._mwh[k] < self._mwh[k + 1]
        return max(self._wh[k] - self._wh[k + 1] - borrow, 0)
