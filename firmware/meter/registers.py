"""The registers: energy in total and by tier, counted in mWh and mvarh, shown in Wh and varh.

What counts stands where it is read, in BT23 (MEP p.208-210); this is its layout:

    demand resets 1 | 5 blocks, the total and tiers 0 to 3:
        15 summations of 4: forward, reverse Wh | import, export varh | outage s, outages |
        forward + reverse, forward - reverse Wh | pulses 1, 2 | errors | Q1-Q4 varh
        8 demands of 17 (meter/demand.py)

A register counts to 999,999,999 and begins again at 0, as nine digits on a display do: so no
number here reaches 2**30. Energy is exact: of each register the thousandths lie beside BT23.
Import is Q1 and Q2, export Q3 and Q4: these, the sum and the difference are worked out when
somebody looks.

A snapshot keeps all of it, with the moment and what the quarter hour has brought so far, in a
ring in flash. Nothing is lost at a power cut but what came after the last snapshot.
"""

import struct

from micropython import const

from osgp.kernels import copy

FORWARD = const(0)  # summations
REVERSE = const(1)
IMPORT = const(2)
EXPORT = const(3)
OUTAGE_TIME = const(4)
OUTAGES = const(5)
SUM = const(6)
NET = const(7)
PULSES = const(8)
ERRORS = const(10)
QUADRANTS = const(11)

BLOCKS = const(5)
FIRST = const(1)  # octet of BT23 at which the total's block begins
BLOCK = const(196)  # octets of a block
BT23_SIZE = const(981)

# A snapshot: day 2, second 4, status 5, state 1 | thousandths 2 of the six energies of each block
# | these energies (thousandths, 4) of the interval before, and of the one so far | the registers
# that count, 4 each: of each block 0, 1 and 11-14, and of the total 4, 5 and 8-10.
SIZE = const(260)
_STATUS = const(6)
_STATE = const(11)
_FRACTIONS = const(12)
_PREVIOUS = const(72)
_INTERVAL = const(96)
_COUNTED = const(120)
_ENERGIES = const(6)
_KEPT_BLOCK = const(24)
_OTHERS = const(240)  # _COUNTED + 5 * _KEPT_BLOCK
_OUTAGES_AT = const(17)  # where these are in BT23: FIRST + 4 * OUTAGE_TIME, PULSES
_PULSES_AT = const(33)
_FILLING = const(1)  # bits of the state
_ENDED = const(2)
_NEVER = const(0xFFFF)  # day of a snapshot that was taken before the clock was set

_TIERS = const(4)  # BT21.7; energy of a tier beyond these is in the total only
_PLACES = b"\x00\x04\x2c\x30\x34\x38"  # of the energies' summations in a block
_FULL = const(1000000000)
_MOST = const(0x3FFFFFFF)
_ALL = const(0x3F)


def put16(buf, o: int, value: int):
    """buf[o:o+2] becomes value, least significant octet first."""
    buf[o] = value & 0xFF
    buf[o + 1] = value >> 8 & 0xFF


def put32(buf, o: int, value: int):
    """buf[o:o+4] becomes value (below 2**30), least significant octet first."""
    struct.pack_into("<I", buf, o, value)


def get32(buf, o: int) -> int:
    """The number (below 2**30) at buf[o:o+4]."""
    return buf[o] | buf[o + 1] << 8 | buf[o + 2] << 16 | buf[o + 3] << 24


class Registers:
    """What was counted, and the moment up to which it was.

    day, second: that moment, UTC; day is -1 until there is a clock for the first time.
    status: of the intervals of the load profile then open (`meter/profiles.py`).
    filling: that moment lies in the past, and the element can tell what came after it.
    body: BT23. Its summations are true after `show`.
    """

    def __init__(self, ring, body):
        """ring: of payloads of SIZE. What it holds last is what the registers begin with."""
        self.day = -1
        self.second = 0
        self.status = bytearray(_STATE - _STATUS)
        self.filling = False
        self.changed = False  # since the last snapshot
        self.body = body
        self._ring = ring
        self._snapshot = bytearray(SIZE)
        self._stale = 0  # set of blocks that have counted since `show`
        # energies of the interval so far and of the one before, in thousandths; `_ended`: the
        # first are a whole interval's, too
        self._energies = [0] * _ENERGIES
        self._before = [0] * _ENERGIES
        self._ended = False
        self.used = 0  # set of energies that the interval has
        if ring.read(ring.last, self._snapshot):
            self._restore()

    def _restore(self):
        snapshot = self._snapshot
        self.day = snapshot[0] | snapshot[1] << 8
        if self.day == _NEVER:
            self.day = -1
        self.second = get32(snapshot, 2)
        copy(self.status, 0, snapshot, _STATUS, _STATE)
        self.filling = bool(snapshot[_STATE] & _FILLING)
        self._ended = bool(snapshot[_STATE] & _ENDED)
        for k in range(_ENERGIES):
            self._before[k] = get32(snapshot, _PREVIOUS + 4 * k)
            self._energies[k] = get32(snapshot, _INTERVAL + 4 * k)
        self.used = _ALL
        for k in range(BLOCKS):
            a = _COUNTED + _KEPT_BLOCK * k
            o = FIRST + BLOCK * k
            copy(self.body, o, snapshot, a, a + 8)
            copy(self.body, o + 4 * QUADRANTS, snapshot, a + 8, a + _KEPT_BLOCK)
        copy(self.body, _OUTAGES_AT, snapshot, _OTHERS, _OTHERS + 8)
        copy(self.body, _PULSES_AT, snapshot, _OTHERS + 8, _OTHERS + 20)
        self._stale = (1 << BLOCKS) - 1

    def save(self):
        """Put a snapshot into flash; it is safe when this returns."""
        snapshot = self._snapshot
        put16(snapshot, 0, self.day)  # -1: _NEVER
        put32(snapshot, 2, self.second)
        copy(snapshot, _STATUS, self.status, 0, _STATE - _STATUS)
        snapshot[_STATE] = (_FILLING if self.filling else 0) | (_ENDED if self._ended else 0)
        for k in range(BLOCKS):
            self._keep(k)
        for k in range(_ENERGIES):
            put32(snapshot, _PREVIOUS + 4 * k, self._before[k])
            put32(snapshot, _INTERVAL + 4 * k, self._energies[k])
        copy(snapshot, _OTHERS, self.body, _OUTAGES_AT, _OUTAGES_AT + 8)
        copy(snapshot, _OTHERS + 8, self.body, _PULSES_AT, _PULSES_AT + 12)
        self._ring.append(snapshot)
        self.changed = False

    def _keep(self, k):
        """Put what counts in a block into the snapshot."""
        o = FIRST + BLOCK * k
        k = _COUNTED + _KEPT_BLOCK * k
        copy(self._snapshot, k, self.body, o, o + 8)
        o += 4 * QUADRANTS
        copy(self._snapshot, k + 8, self.body, o, o + 16)

    # ---- counting

    # Few names and shallow expressions here: a frame of more than 11 words would take heap.

    def add(self, tier: int, energy):
        """Count energy in total and in a tier.

        energy: has forward and reverse (mWh) and quadrants (mvarh, Q1 to Q4), each below 2**29.
        """
        if self._ended:
            self._clear()
        self._add(tier, 0, energy.forward)
        self._add(tier, 1, energy.reverse)
        self._add(tier, 2, energy.quadrants[0])
        self._add(tier, 3, energy.quadrants[1])
        self._add(tier, 4, energy.quadrants[2])
        self._add(tier, 5, energy.quadrants[3])

    def _clear(self):
        self._ended = False
        self.used = 0
        for k in range(_ENERGIES):
            self._energies[k] = 0

    def _add(self, tier, k, amount):
        if not amount:
            return
        self.changed = True
        self.used |= 1 << k
        self._energies[k] = min(self._energies[k] + amount, _MOST)
        self._count(k, amount)
        if tier < _TIERS:
            self._count(_ENERGIES * (tier + 1) + k, amount)

    def _count(self, k, amount):
        """k: of an energy, counted through all blocks."""
        at = _FRACTIONS + 2 * k
        amount += self._snapshot[at] | self._snapshot[at + 1] << 8
        self._snapshot[at] = amount % 1000 & 0xFF
        self._snapshot[at + 1] = amount % 1000 >> 8
        self._stale |= 1 << k // _ENERGIES
        if amount >= 1000:
            k = FIRST + k // _ENERGIES * BLOCK + _PLACES[k % _ENERGIES]
            put32(self.body, k, (get32(self.body, k) + amount // 1000) % _FULL)

    def _more(self, o, n):
        self.changed = True
        put32(self.body, o, (get32(self.body, o) + n) % _FULL)

    def outage(self, seconds: int):
        """Count a power outage of so many seconds (below 2**26)."""
        self._more(FIRST + 4 * OUTAGE_TIME, seconds)
        self._more(FIRST + 4 * OUTAGES, 1)

    def pulse(self, number: int, n: int):
        """Count n pulses (below 2**26) of input 0 or 1."""
        self._more(FIRST + 4 * (PULSES + number), n)

    def error(self):
        """Count an error of memory, of measurement, or of saving."""
        self._more(FIRST + 4 * ERRORS, 1)

    # ---- the interval

    def interval(self, k: int, before: bool = False) -> int:
        """Energy k of the quarter hour so far, or of the one before it, in thousandths.

        k: 0 forward, 1 reverse, 2-5 Q1-Q4. When one has ended it is both, until the next step.
        """
        return (self._before if before else self._energies)[k]

    def end_interval(self):
        """A quarter hour ends at this moment."""
        for k in range(_ENERGIES):
            self._before[k] = self._energies[k]
        self._ended = True

    # ---- looking

    def value(self, block: int, k: int) -> int:
        """Summation k (0..14) of a block: 0 the total, 1 + n tier n."""
        o = FIRST + BLOCK * block
        if k in (IMPORT, EXPORT):
            k += k - IMPORT
            return self._sum(o + 4 * QUADRANTS + 4 * k - 8, block, k)
        if k == SUM:
            return self._sum(o, block, 0)
        if k == NET:
            at = _FRACTIONS + 2 * _ENERGIES * block
            borrow = self._fraction(at) < self._fraction(at + 2)
            return max(get32(self.body, o) - get32(self.body, o + 4) - borrow, 0)
        return get32(self.body, o + 4 * k)

    def _sum(self, o, block, energy) -> int:
        """Of the register at body[o] and the one after it; `energy` is the first one's place."""
        at = _FRACTIONS + 2 * (_ENERGIES * block + energy)
        carry = self._fraction(at) + self._fraction(at + 2) >= 1000
        # on the way below 2**30
        return (get32(self.body, o) - _FULL + get32(self.body, o + 4) + carry) % _FULL

    def fraction(self, block: int, energy: int) -> int:
        """What energy 0 (forward) to 5 (Q4) of a block has beyond its whole Wh or varh, in
        thousandths."""
        return self._fraction(_FRACTIONS + 2 * (_ENERGIES * block + energy))

    def _fraction(self, at) -> int:
        return self._snapshot[at] | self._snapshot[at + 1] << 8

    def show(self):
        """Bring BT23's summations up to date."""
        block = 0
        while self._stale:
            if self._stale & 1:
                o = FIRST + BLOCK * block
                for k in (IMPORT, EXPORT, SUM, NET):
                    put32(self.body, o + 4 * k, self.value(block, k))
            self._stale >>= 1
            block += 1
