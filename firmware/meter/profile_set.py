"""One data set of the load profile: a ring of interval records in flash, served as BT64 to BT67.

Intervals are counted in UTC from 2000-01-01 and the set's start of block (ET21.89): interval n
ends at start + (n + 1) x minutes. Its place in its block is n modulo the intervals of a block, so
a block of a day is a UTC day, and the midnight that opens the next day ends it. Values are those
at the interval's end (profile 29). Blocks are circular: block s of all stands in place s modulo
the number of blocks.

    BT64     blocks x {end of the newest interval, STIME 5 | simple status SET(intervals)
             | intervals x {extended status n // 2 + 1 | n x INT32}}
    record   interval 4 | sequence number of its block 4 | first interval of its block 2
             | extended status | n x INT32

The records of a block are in order and without a gap, but for one that a power cut tore: it keeps
its number and is no record. Where intervals are missing that nobody recorded as skipped, or the
clock was set back behind what is recorded, another block begins. So (block, interval) rises along
the ring, and a record is where arithmetic from any other one says, or is searched by halving; a
start reads the newest one. Records below `begin` belong to a configuration before.
"""

import struct

from micropython import const

import rare
from meter.clock import to_ltime, to_stime
from meter.registers import get32, put16, put32
from osgp.kernels import copy, fill

# extended status, flags of the whole interval (MEP p.240)
DST = const(0x10)  # daylight saving at its start or in it
POWER_FAIL = const(0x20)
CLOCK_FORWARD = const(0x40)
CLOCK_BACK = const(0x80)
# and the status of its channels
PARTIAL = const(2)
LONG = const(3)
SKIPPED = const(4)
MISSING = const(10)  # the device that has the value

# The configuration of a set: begin, first block not read, configuration id, blocks, intervals,
# start of block (minutes), channels, interval time as in BT61.12; then the sources.
CONFIGURATION = "<IIIHHHBB"
READ_UNTIL = const(4)  # where they are in it
ID = const(8)
BLOCKS = const(12)
CHANNELS = const(18)
SOURCES = const(20)

_DAY = const(1440)  # minutes
_A_DAY = const(84)  # BT61.12: an interval of 24 hours
_USE_SKIPPED = const(71)  # ET04, bit 3: what nobody has is skipped (MEP p.61)
_PREFIX = "<IIH"
_SEQUENCE = const(4)
_FIRST = const(8)
STATUS = const(10)  # the extended status: from there on a record is an interval as in BT64
_SIMPLE_STATUS = const(5)  # where it is in a block: a bit for each interval that there is
# what a piece of a table is made of
_ZEROS = const(0)
_RECORD = const(1)
_DAMAGED = const(2)
_END = const(3)
_SIMPLE = const(4)

RECORDED = const(1)
NEW_BLOCK = const(2)


class ProfileSet:
    """Intervals in; an element of BT63 and ET21, and BT64 to BT67 out.

    newest: the number of the newest interval; -1: there is none. sequence: of the newest block;
    -1: none. first: the newest block's first interval. read_until: the blocks below this sequence
    number were read (BP05). anew: the next record begins a block, whatever came before.
    """

    def __init__(self, profiles, configuration, ring):
        """A data set of `profiles`, as `configuration` (from its first octet on) says.

        ring: of payloads as long as the set's records. What it has since `begin` is found again.
        """
        (
            self._begin,
            self.read_until,
            self.id,
            self.blocks,
            self.intervals,
            self.start,
            channels,
            time,
        ) = struct.unpack_from(CONFIGURATION, configuration, 0)
        self.minutes = _DAY if time == _A_DAY else time
        self.sources = bytes(configuration[SOURCES : SOURCES + channels])
        self.header_size = _SIMPLE_STATUS + (self.intervals + 7) // 8  # of a block
        self.block_size = self.header_size + self.intervals * (ring.size - STATUS)
        self.newest = -1
        self.sequence = -1
        self.first = 0
        self.anew = False
        self._profiles = profiles
        self.ring = ring
        self._size = ring.size - STATUS  # octets of an interval in the table
        self._record = bytearray(ring.size)
        self._at = -1  # the number of the record that is in `_record`, and what it is of
        self._record_block = 0
        self._record_interval = 0
        # the block that was entered, its first interval and its newest
        self._block = -1
        self._block_first = 0
        self._block_newest = -1
        self._block_end = 0  # the interval in it that is not there yet
        # the piece that `read` gives
        self._kind = _ZEROS
        self._a = 0
        self._b = 0
        if ring.last >= self._begin and ring.read(ring.last, self._record):
            self._at = ring.last
            self.newest, self.sequence, self.first = struct.unpack_from(_PREFIX, self._record, 0)
            self._is(0)

    def end(self, day: int, second: int, status: int) -> int:
        """Record the interval that ends at this moment (UTC; second 1..86400).

        status: DST .. CLOCK_BACK, and the code of all channels; of a SKIPPED interval the values
        are zeros. 0: it is recorded already, and stays as it is; else RECORDED or NEW_BLOCK, and
        it is safe when this returns.
        """
        number = (day * _DAY + second // 60 - self.start) // self.minutes - 1
        if number <= self.newest and not self.anew:
            return 0
        interval = number % self.intervals
        new = self.anew or number != self.newest + 1 or interval == 0
        record = self._record
        self._at = -1
        put32(record, 0, number)
        put32(record, _SEQUENCE, self.sequence + new)
        put16(record, _FIRST, interval if new else self.first)
        self._fill(status)
        self._at = self.ring.append(record)
        self._record_block = self.sequence + new
        self._record_interval = interval
        self.newest = number
        self.anew = False
        if new:
            self.sequence += 1
            self.first = interval
        if new or self._block == self.sequence:
            self._block = self.sequence
            self._block_first = self.first
            self._block_newest = number
            self._block_end = interval + 1
        return RECORDED + new

    def _fill(self, status):
        """Put extended status and values into the record."""
        record = self._record
        fill(record, STATUS, len(record), 0)
        record[STATUS] = status & 0xF0
        o = STATUS + len(self.sources) // 2 + 1
        for channel in range(len(self.sources)):
            code = status & 0x0F
            if code != SKIPPED:
                value = self._profiles.value(self.sources[channel])
                if value is None:
                    code = SKIPPED if self._profiles.et04[_USE_SKIPPED] & 0x08 else MISSING
                else:
                    struct.pack_into("<i", record, o + 4 * channel, value)
            record[STATUS + (channel + 1) // 2] |= code if channel % 2 == 0 else code << 4

    # ---- BT64 to BT67

    # A piece ends where a header's parts or an interval end. It is handed on in attributes: a
    # frame of more than 11 words would take heap.

    def read(self, offset: int, n: int, buf, o: int):
        """Fill buf[o:o+n] with the set's table from `offset`, all within it. No allocation."""
        n += o
        offset -= o
        while o < n:
            self._point(offset + o)
            self._give(buf, o, n - o)
            o += self._b - self._a
            if self._kind == _RECORD:
                o = self._run(buf, o, n)

    def _run(self, buf, o, n) -> int:
        """The whole intervals behind the one just given, up to buf[n]. Returns where they end.

        The usual case, as quick as can be: each record is the next in the ring. A torn one in
        between would have moved it; then the number differs.
        """
        while o + self._size <= n and self._record_interval + 1 < self._block_end:
            low = self._record[0] + 1 & 0xFF
            if not self.ring.read(self._at + 1, self._record):
                break
            self._at += 1
            self._record_interval += 1
            if self._record[0] != low or self._record[4] != self._block & 0xFF:
                self._is(0)
                break
            copy(buf, o, self._record, STATUS, self.ring.size)
            o += self._size
        return o

    def _point(self, offset):
        """Make a:b of what `_kind` tells the table from `offset` to the end of a piece."""
        block = self.sequence - (self.sequence - offset // self.block_size) % self.blocks
        if block != self._block:
            self._enter(block)
        offset %= self.block_size
        if self._block_newest < 0:  # an empty one is zeros from here to its end
            self._kind = _ZEROS
            self._a = offset
            self._b = self.block_size
        elif offset >= self.header_size:
            offset -= self.header_size
            size = self._size
            self._kind = self._find(offset // size)
            self._a = STATUS + offset % size
            self._b = STATUS + size
        elif offset < _SIMPLE_STATUS:
            self._show_end()
            self._kind = _END
            self._a = offset
            self._b = _SIMPLE_STATUS
        else:
            self._kind = _SIMPLE
            self._a = offset
            self._b = self.header_size

    def _show_end(self):
        """Make the stamp the end time of the block."""
        stamp = self._profiles.stamp
        minute = (self._block_newest + 1) * self.minutes + self.start
        to_stime(minute // _DAY, minute % _DAY * 60, stamp, 0)

    def _give(self, buf, o, n):
        """Fill buf[o:] with the piece, or if it is longer its first n octets: it ends there."""
        if self._b - self._a > n:
            self._b = self._a + n
        if self._kind == _RECORD:
            copy(buf, o, self._record, self._a, self._b)
        elif self._kind == _END:
            copy(buf, o, self._profiles.stamp, self._a, self._b)
        elif self._kind == _ZEROS:
            fill(buf, o, o + self._b - self._a, 0)
        else:
            n = self._a
            while n < self._b:
                buf[o] = self._octet(n)
                n += 1
                o += 1

    def _octet(self, n) -> int:
        """One of the simple status, n from the block's beginning, or of a damaged interval."""
        if self._kind == _SIMPLE:
            n = 8 * (n - _SIMPLE_STATUS)
            first = max(self._block_first - n, 0)
            end = self._block_newest % self.intervals + 1 - n
            return (1 << min(end, 8)) - (1 << first) if first < min(end, 8) else 0
        n -= STATUS
        if n == 0:
            return SKIPPED
        if n > len(self.sources) // 2:
            return 0
        return SKIPPED << 4 | (SKIPPED if 2 * n < len(self.sources) else 0)

    def _enter(self, block):
        """Learn about a block, from its newest record."""
        self._block = block
        self._block_newest = -1
        self._block_end = 0
        if block < 0:
            return
        self._seek(self.intervals)
        self._is(0)
        if self._at >= 0 and self._record_block == block:
            self._block_first = self._record[_FIRST] | self._record[_FIRST + 1] << 8
            self._block_newest = get32(self._record, 0)
            self._block_end = self._record_interval + 1

    def _find(self, interval) -> int:
        """Make `_record` that of an interval of this block. Returns the kind of piece: the record,
        damaged, or zeros where there is none."""
        if not self._block_first <= interval < self._block_end:
            return _ZEROS
        if self._at >= 0:
            at = self._at + (self._block - self._record_block) * self.intervals
            at += interval - self._record_interval
            if at >= self._begin and self.ring.read(at, self._record):
                self._at = at
        if self._is(interval):
            return _RECORD
        self._seek(interval)
        return _RECORD if self._is(interval) else _DAMAGED

    def _is(self, interval) -> bool:
        """Whether the record is that of an interval of this block. Notes whose it is.

        For each interval that is read: in place, since a call takes as long as all of this.
        """
        if self._at < 0:
            return False
        r = self._record
        block = r[4] | r[5] << 8 | r[6] << 16 | r[7] << 24
        found = (r[0] | r[1] << 8 | r[2] << 16 | r[3] << 24) % self.intervals
        self._record_block = block
        self._record_interval = found
        return found == interval and block == self._block

    def _seek(self, interval):
        """Make `_record` the newest one not behind an interval of this block, if there is one."""
        low = max(self._begin, self.ring.first)
        high = self.ring.last
        self._at = -1
        while low <= high:
            at = (low + high) // 2
            while at >= low and not self.ring.read(at, self._record):
                at -= 1
            if at < low:
                low = (low + high) // 2 + 1
                continue
            sequence = get32(self._record, _SEQUENCE) - self._block
            if sequence > 0 or (
                sequence == 0 and get32(self._record, 0) % self.intervals > interval
            ):
                high = at - 1
            else:
                self._at = at
                low = (low + high) // 2 + 1
        if self._at >= 0:
            self.ring.read(self._at, self._record)

    @property
    def unread(self) -> int:
        """Blocks that are there and were not read."""
        return min(max(self.sequence + 1 - self.read_until, 0), self.blocks)

    def read_entries(self, blocks: int):
        """BP05: the oldest of the unread blocks were read; all, if there are fewer."""
        self._setup("read", blocks)

    def reset_list(self):
        """BP04: the set becomes empty."""
        self._setup("reset", 0)

    def _setup(self, what, argument):
        profiles = self._profiles
        rare.run("meter.profile_setup", profiles, profiles.sets.index(self), what, argument)

    # ---- ET21

    def show_internal(self, body, common: int, calendar):
        """Bring the set's element of ET21 (MEP p.95-98) up to date: all that is not zero.

        common: the extended status of the interval that is open. calendar: is evaluated for the
        newest interval's end.
        """
        put32(body, 8, self.block_size)
        put16(body, 12, self.header_size)
        body[22] = _SIMPLE_STATUS
        body[23] = self.header_size - _SIMPLE_STATUS
        body[24] = self.header_size
        body[25] = self.ring.size - STATUS
        body[26] = len(self.sources) // 2 + 1
        body[27] = common
        body[28] = len(self.sources)
        body[29] = _A_DAY if self.minutes == _DAY else self.minutes
        for channel in range(len(self.sources)):
            body[(30 if channel < 8 else 62) + channel] = self.sources[channel]
        put32(body, 78, self.id)
        body[89] = self.start // 60
        body[90] = self.start % 60
        if self.sequence >= 0:
            self._show_newest(body, calendar)

    def _show_newest(self, body, calendar):
        """What ET21 tells of the newest block and interval."""
        at = self.sequence % self.blocks
        n = self.newest % self.intervals
        put16(body, 18, at)
        put16(body, 20, n)
        put16(body, 16, n - self.first + 1)
        at *= self.block_size
        put32(body, 0, at)
        at += self.header_size + n * (self.ring.size - STATUS)
        put32(body, 4, at)
        n = (self.newest - n + self.first) * self.minutes + self.start
        to_ltime(n // _DAY, n % _DAY * 60, body, 83)
        put16(body, 14, min(self.sequence + 1, self.blocks))
        n = (self.newest + 1) * self.minutes + self.start
        to_ltime(n // _DAY, n % _DAY * 60, body, 94)
        calendar.at(n // _DAY, n % _DAY * 60)
        to_ltime(calendar.local_day, calendar.local_second, body, 101)
