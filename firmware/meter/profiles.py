"""The load profile: up to four data sets, each with channels and intervals of its own.

BT60 to BT67, ET21 and ET66 are answered here. The configuration is one value in the settings, so
that a change of it happens as a whole or not at all:

    4 x {configuration of a set (`meter/profile_set.py`) 20, sources 16} | ET66 128

A set without channels is not there and costs nothing. What is rare stands elsewhere: a change of
the configuration in `meter/profile_setup.py`, of the clock in `meter/profile_clock.py`.
"""

from micropython import const

import rare
from meter.clock import DAY
from meter.profile_set import NEW_BLOCK, PARTIAL, SKIPPED
from meter.registers import put16, put32
from osgp.kernels import copy, fill

SETS = const(4)
QUARTER = const(4)  # behind the sets: the quarter hour, by which demand is formed
QUARTER_HOUR = const(900)  # s
NAME = "profile"  # of the settings value
SET_SIZE = const(36)  # of its parts
MAP = const(144)
SIZE = const(272)
_ET04 = const(2052)
ET21 = const(2069)
ET66 = const(2114)
MAPPED = const(112)  # the source ids of ET66's entries begin here,
MAPPED_LAST = const(163)  # and end here (MEP p.205)

OVERFLOW = const(64)  # events; the argument is the data set, 1 to 4
UNREAD = const(94)

SECTORS = b"\x0c\x0a\x0a\x0a"  # of flash, for each set
_SECTOR = const(4096)
_DAY = const(1440)  # minutes
_BT63_SIZE = const(13)  # of a set
_ET21_SIZE = const(131)
_ET21_MEMORY = const(107)
_STANDARD = const(0x10)  # high octet: extended source ids below are standard ones (MEP p.179)
# BT63 octet 0 (MEP p.237)
_OVERFLOW = const(0x02)
_CIRCULAR = const(0x04)
_ACTIVE = const(0x20)


class Profiles:
    """The four data sets: `sets[k]`, k from 0; None: it has no channels.

    left: seconds from the registers' moment to where an interval of any set ends; 0: to be
    planned anew. missing: flags of time that was missed. registers, source and calendar are set
    by who has them: `meter.registers.Registers`, f(standard source id) -> value,
    `meter.calendar.Calendar`. `registers.status` is that of the interval open in each set and of
    the quarter hour: flags in the high nibble, a code in the low one.
    """

    def __init__(self, model, settings, make_ring, rings, events):
        """make_ring(k, size): a ring on the flash of set k, for payloads of this size. rings: a
        list that always has the rings of the sets, for who tends them. events: post(event,
        argument), which sets the alarm, too, and alarm(place, on)."""
        self.sets: list = [None] * SETS
        # of the sets and the quarter hour: seconds of an interval, 0: there is none, and from
        # midnight to where the first one begins
        self.lengths = [0] * SETS + [QUARTER_HOUR]
        self.starts = [0] * (SETS + 1)
        self.registers: ... = None
        self.source: ... = None
        self.calendar: ... = None
        self.active = False  # there is a clock
        self.left = 0
        self.dst = 0
        self.missing = 0
        self.until_day = 0  # time is missing up to here
        self.until_second = 0
        self.stamp = bytearray(5)
        self.control = b""  # BT62
        self.settings = settings
        self.model = model
        self.make_ring = make_ring
        self.rings = rings
        self.events = events
        self._passed = 0  # set of the sets whose intervals are passed over
        self._internal = bytearray(_ET21_SIZE)
        self.bt61 = model.body(61)
        self._bt63 = model.body(63)
        self.et04 = model.body(_ET04)
        rare.run("meter.profile_setup", self, 0, "start", 0)
        model.reader(62, self._read_control)
        model.reader(ET21, self._read_internal)
        model.reader(ET66, self._read_map)

    def value(self, source: int):
        """What a channel records of a source; None: nothing that is there has it."""
        if MAPPED <= source <= MAPPED_LAST:
            entry = bytearray(2)
            self._read_map(2 * (source - MAPPED), 2, entry, 0)
            if entry[1] >= _STANDARD:
                return None
            source = entry[0]
        return self.source(source)

    # ---- time goes on

    def plan(self, day: int, second: int):
        """Find `left` at this moment: where an interval of any set or the quarter hour ends.

        Where more is missing than a set can hold, its intervals are passed over.
        """
        self.left = QUARTER_HOUR - second % QUARTER_HOUR
        self._passed = 0
        for k in range(SETS + 1):
            self.registers.status[k] |= self.dst
        days = self.until_day - day - 1  # that are missing as a whole after this one
        for k in range(SETS):
            one = self.sets[k]
            if one is None:
                continue
            if days > 0 and days * _DAY > one.blocks * one.intervals * one.minutes:
                self._passed |= 1 << k
                lost = 0 if self.registers.filling else self.missing | SKIPPED
                self.registers.status[k] = lost | self.dst
            else:
                length = self.lengths[k]
                self.left = min(self.left, length - (second - self.starts[k]) % length)

    def end(self, day: int, second: int):
        """Record the intervals that end at this moment (second 1..86400) and open the next ones.

        When one was recorded before, what it was to be marked with goes to the next one.
        """
        status = self.registers.status
        for k in range(QUARTER + 1):
            length = self.lengths[k]
            if not length or (second - self.starts[k]) % length or self._passed >> k & 1:
                continue
            if k == QUARTER or self.record(k, day, second):
                status[k] = 0
            status[k] |= self.dst
            self.mark(k, day, second)

    def record(self, k: int, day: int, second: int) -> bool:
        """Record the interval of set k that ends at this moment. False: it is recorded."""
        one = self.sets[k]
        done = one.end(day, second, self.registers.status[k])
        if done == NEW_BLOCK:
            if one.unread == 1:
                self.events.post(UNREAD, k + 1)
            if one.sequence - one.read_until == one.blocks:
                self.events.post(OVERFLOW, k + 1)
        self.show(k)
        return done > 0

    def show(self, k: int):
        """Bring BT63 up to date for set k."""
        one = self.sets[k]
        body = self._bt63
        o = _BT63_SIZE * k
        fill(body, o, o + _BT63_SIZE, 0)
        if one is None:
            return
        body[o] = _CIRCULAR | (_ACTIVE if self.active else 0)
        if one.sequence < 0:
            return
        if one.sequence + 1 - one.read_until > one.blocks:
            body[o] |= _OVERFLOW
        put16(body, o + 1, min(one.sequence + 1, one.blocks))
        put16(body, o + 3, one.sequence % one.blocks)
        put32(body, o + 5, one.sequence)
        put16(body, o + 9, one.unread)
        put16(body, o + 11, one.newest % one.intervals - one.first + 1)

    def mark(self, k: int, day: int, second: int):
        """Give the interval open at this moment its status, if it is missing or a part is."""
        length = self.lengths[k]
        inside = (second - self.starts[k]) % length
        missing = (self.until_day - day) * DAY + self.until_second - second + inside
        if missing <= 0 or not self.missing or (self.registers.filling and missing >= length):
            return
        status = self.registers.status
        whole = missing >= length and (not inside or status[k] & 0x0F == SKIPPED)
        status[k] = status[k] & 0xF0 | self.missing | (SKIPPED if whole else PARTIAL)

    # ---- tables

    def _read_control(self, offset, n, buf, o):
        """BT62."""
        n += offset
        copy(buf, o, self.control, offset, n)

    def _read_internal(self, offset, n, buf, o):
        """ET21."""
        n += o
        offset -= o
        while o < n:
            o = self._give_internal(offset + o, buf, o, n)

    def _give_internal(self, offset, buf, o, n):
        """Fill buf[o:n] to the end of a set's element. Returns the new o."""
        self._show_internal(offset // _ET21_SIZE)
        offset %= _ET21_SIZE
        n = min(n - o + offset, _ET21_SIZE)
        copy(buf, o, self._internal, offset, n)
        return o + n - offset

    def _show_internal(self, k):
        body = self._internal
        fill(body, 0, _ET21_SIZE, 0)
        put32(body, _ET21_MEMORY, _SECTOR * SECTORS[k])
        if self.sets[k]:
            self.sets[k].show_internal(body, self.registers.status[k] & 0xF0, self.calendar)

    def _read_map(self, offset, n, buf, o):
        """ET66."""
        if self.settings.window(NAME) >= SIZE:
            self.settings.copy(MAP + offset, buf, o, n)
        else:
            fill(buf, o, o + n, 0)
