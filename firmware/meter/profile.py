"""The load profile, set 1: a ring of interval records in flash, served as BT64.

A block is a UTC day: interval k of it is its k-th quarter hour, whatever happened, and the
midnight that opens the next day ends it. Values are the registers at the interval's end (profile
29). Ten blocks, circular; block n of all stands in place n modulo 10.

    BT64     10 x {end of the last interval, STIME 5 | simple status SET(96) 12
             | 96 x {extended status 2 | forward, reverse INT32}}
    record   day 2 | interval 1 | first interval of its block 1 | sequence number of its block 2
             | extended status 2 | forward 4 | reverse 4

The records of a block are in order and without a gap, but for one that a power cut tore: it keeps
its number and is no record. So interval k is found by arithmetic, and by looking a little further
where that happened; and the blocks are found again at a start with a few reads a block. Where
intervals are missing that nobody recorded as skipped, or the clock was set back behind what is
recorded, another block of the same day begins.
"""

import struct

from micropython import const

from meter.clock import to_ltime, to_stime
from meter.registers import FORWARD, REVERSE, put16, put32
from osgp.kernels import copy, fill

SIZE = const(16)  # octets of a record
RECORDS = const(960)  # that the ring has to hold at any time
INTERVAL = const(900)  # s

# extended status, flags of the whole interval (MEP p.240)
DST = const(0x10)  # daylight saving at its start or in it
POWER_FAIL = const(0x20)
CLOCK_FORWARD = const(0x40)
CLOCK_BACK = const(0x80)
# and the status of its channels
PARTIAL = const(2)
LONG = const(3)
SKIPPED = const(4)

_BLOCKS = const(10)  # BT61.7
_INTERVALS = const(96)  # BT61.9
_BLOCK = "<HBBH"  # day, interval, first interval, sequence: the beginning of a record
_STATUS = const(6)  # the extended status: from there on a record is an interval as in BT64
_VALUES = const(8)
_INTERVAL_SIZE = const(10)
_HEADER_SIZE = const(17)
_SIMPLE_STATUS = const(5)  # in a block: a bit for each interval that there is
_BLOCK_SIZE = const(977)
_SEQUENCES = const(0x10000)
# ET21 (MEP p.95-97)
_ET21_BLOCKS = const(14)  # valid blocks; of the newest: valid intervals, place, last interval
_ET21_COMMON_STATUS = const(27)
_ET21_START = const(83)  # of the current block, LTIME UTC
_ET21_END = const(94)  # of the newest interval, LTIME UTC
_ET21_LOCAL_END = const(101)
# BT63 octet 0 (MEP p.237)
_OVERFLOW = const(0x02)
_CIRCULAR = const(0x04)
_ACTIVE = const(0x20)


class Profile:
    """Intervals in; BT63, BT64 and ET21 out.

    day, interval: of the newest record; day is -1 when there is none.
    """

    def __init__(self, ring):
        """ring: of payloads of SIZE. What is in it is found again.

        ValueError: it does not hold RECORDS at any time.
        """
        if ring.capacity < RECORDS:
            raise ValueError("the profile's ring is too small")
        self.day = -1
        self.interval = 0
        self._sequence = -1  # of the newest block since ever, modulo 65536
        self._blocks = 0  # valid ones
        self._anew = False  # the next record begins a block, whatever came before
        self._ring = ring
        self._record = bytearray(SIZE)
        self._header = bytearray(_HEADER_SIZE)
        # by place of a block: its day, first interval, the one after its last, first record
        self._day = [0] * _BLOCKS
        self._first = bytearray(_BLOCKS)
        self._end = bytearray(_BLOCKS)
        self._base = [0] * _BLOCKS
        # the piece of BT64 that `read` copies: source[a:b]
        self._source = self._header
        self._a = 0
        self._b = 0
        self._restore()

    def _restore(self):
        """Find the blocks, newest first: a block's last record tells about where its first is."""
        number = self._ring.last
        while self._blocks < _BLOCKS and number >= self._ring.first >= 0:
            if not self._ring.read(number, self._record):
                number -= 1  # torn
                continue
            day, interval, first, sequence = struct.unpack_from(_BLOCK, self._record, 0)
            if self._blocks == 0:
                self.day = day
                self.interval = interval
                self._sequence = sequence
            age = (self._sequence - sequence) % _SEQUENCES
            if age >= _BLOCKS:
                return
            number = self._base_of(sequence, first, number - interval + first)
            self._put(sequence % _BLOCKS, day, first, interval + 1, number)
            self._blocks = age + 1
            number -= 1

    def _base_of(self, sequence, first, base) -> int:
        """The number of a block's first record. base: if none was torn; otherwise it is lower."""
        number = base
        while number >= self._ring.first:
            if not self._ring.read(number, self._record):
                number -= 1
                continue
            _, interval, _, its = struct.unpack_from(_BLOCK, self._record, 0)
            if its != sequence:
                break
            base = number - interval + first
            if interval == first:
                break
            number = base
        return base

    def _put(self, place, day, first, end, base):
        self._day[place] = day
        self._first[place] = first
        self._end[place] = end
        self._base[place] = base

    def end(self, day: int, interval: int, flags: int, code: int, registers) -> bool:
        """Record an interval that has ended. False: it is recorded already, and stays as it is.

        day, interval: the UTC day and the quarter hour of it (0..95). flags: DST .. CLOCK_BACK,
        code: of both channels. registers: as they are at the interval's end; a SKIPPED interval
        has zeros. It is safe when this returns.
        """
        if not self._anew and (day < self.day or (day == self.day and interval <= self.interval)):
            return False
        goes_on = not self._anew and day == self.day and interval == self.interval + 1
        if not goes_on:
            self._sequence = (self._sequence + 1) % _SEQUENCES
            self._blocks = min(self._blocks + 1, _BLOCKS)
        place = self._sequence % _BLOCKS
        first = self._first[place] if goes_on else interval
        struct.pack_into(_BLOCK, self._record, 0, day, interval, first, self._sequence)
        fill(self._record, _STATUS, SIZE, 0)
        self._record[_STATUS] = flags | code
        self._record[_STATUS + 1] = code << 4
        if code != SKIPPED:
            put32(self._record, _VALUES, registers.wh(FORWARD))
            put32(self._record, _VALUES + 4, registers.wh(REVERSE))
        number = self._ring.append(self._record)
        self._put(place, day, first, interval + 1, self._base[place] if goes_on else number)
        self.day = day
        self.interval = interval
        self._anew = False
        return True

    def set_back(self, day: int, second: int):
        """The clock was set to this moment: if it lies before recorded intervals, a block begins.

        Nothing that is recorded goes. A moment in the interval recorded last is not worth a
        block: when its end comes again, it is not recorded again.
        """
        self._anew = day < self.day or (day == self.day and second // INTERVAL < self.interval)

    def read(self, offset: int, n: int, buf, o: int):
        """Fill buf[o:o+n] with BT64 from `offset`, all of it within the table. No allocation."""
        n += o
        while o < n:
            self._seek(offset)
            self._give(buf, o, n - o)
            offset += self._b - self._a
            o += self._b - self._a

    def _seek(self, offset):
        """Make source[a:b] BT64 from offset to the end of a header or of an interval."""
        place = offset // _BLOCK_SIZE
        offset %= _BLOCK_SIZE
        if offset < _HEADER_SIZE:
            self._make_header(place)
            self._source = self._header
            self._a = offset
            self._b = _HEADER_SIZE
            return
        offset -= _HEADER_SIZE
        self._find(place, offset // _INTERVAL_SIZE)
        self._source = self._record
        self._a = _STATUS + offset % _INTERVAL_SIZE
        self._b = SIZE

    def _give(self, buf, o, n):
        """Copy the piece, or its first n octets if it is longer: it ends there then."""
        if self._b - self._a > n:
            self._b = self._a + n
        copy(buf, o, self._source, self._a, self._b)

    def _make_header(self, place):
        header = self._header
        fill(header, 0, _HEADER_SIZE, 0)
        end = self._end[place]
        if end:
            to_stime(self._day[place] + end // _INTERVALS, end % _INTERVALS * INTERVAL, header, 0)
        _set_bits(header, 8 * _SIMPLE_STATUS + self._first[place], 8 * _SIMPLE_STATUS + end)

    def _find(self, place, interval):
        """Make `record` that of an interval: zeros if there is none, skipped if it is damaged."""
        record = self._record
        there = self._first[place] <= interval < self._end[place]
        number = self._base[place] + interval - self._first[place]
        while there and number <= self._ring.last:
            if self._ring.read(number, record):
                if (record[4] | record[5] << 8) % _BLOCKS != place or record[2] > interval:
                    break
                if record[2] == interval:
                    return
            number += 1  # behind a torn one
        fill(record, 0, SIZE, 0)
        if there:
            record[_STATUS] = SKIPPED
            record[_STATUS + 1] = SKIPPED << 4

    def show_status(self, body, active: bool):
        """Bring BT63 up to date. Without BP05 nobody marks blocks as read: all are unread."""
        body[0] = _CIRCULAR
        if active:
            body[0] |= _ACTIVE
        if self._sequence >= _BLOCKS:
            body[0] |= _OVERFLOW
        if self._blocks:
            place = self._sequence % _BLOCKS
            put16(body, 1, self._blocks)
            put16(body, 3, place)
            put32(body, 5, self._sequence)
            put16(body, 9, self._blocks)
            put16(body, 11, self._valid())

    def _valid(self) -> int:
        """Intervals in the newest block."""
        place = self._sequence % _BLOCKS
        return self._end[place] - self._first[place]

    def show_internal(self, body, flags: int, calendar):
        """Bring ET21 up to date.

        flags: extended status of the interval that is open. calendar: is evaluated for the last
        interval's end.
        """
        body[_ET21_COMMON_STATUS] = flags
        if not self._blocks:
            return
        place = self._sequence % _BLOCKS
        put32(body, 0, place * _BLOCK_SIZE)
        put32(body, 4, place * _BLOCK_SIZE + _HEADER_SIZE + self.interval * _INTERVAL_SIZE)
        put16(body, _ET21_BLOCKS, self._blocks)
        put16(body, _ET21_BLOCKS + 2, self._valid())
        put16(body, _ET21_BLOCKS + 4, place)
        put16(body, _ET21_BLOCKS + 6, self.interval)
        to_ltime(self.day, self._first[place] * INTERVAL, body, _ET21_START)
        self._show_end(body, calendar)

    def _show_end(self, body, calendar):
        """The end of the newest interval, in UTC and in local time."""
        end = self.interval + 1
        calendar.at(self.day, end * INTERVAL)
        to_ltime(self.day + end // _INTERVALS, end % _INTERVALS * INTERVAL, body, _ET21_END)
        to_ltime(calendar.local_day, calendar.local_second, body, _ET21_LOCAL_END)


def _set_bits(buf, a, b):
    """Bits a to b - 1 of buf, counted from the lowest of the first octet, become 1."""
    while a < b:
        buf[a >> 3] |= 1 << (a & 7)
        a += 1
