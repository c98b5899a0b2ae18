"""What is kept in raw flash: logs, counters, and when flash may be touched.

`flash` is the board's raw region, address 0 its start: `read(address, buf)` fills buf,
`program(address, buf)` writes erased octets, `erase(address)` sets one sector of 4096 to FF,
`unit` is the smallest number of octets that can be programmed.

Power may go at any moment, in the middle of a program or an erase too. What `append`, `start` or
`step` returned from is there afterwards.
"""

from micropython import const

import ticks

_SECTOR = const(4096)
_BLANK = const(-2)  # a slot as the erase left it
_TORN = const(-3)  # a slot that holds no whole record of its own
_BLOCK = const(256)  # numbers that a counter reserves at a time
_QUIET = const(200)  # ms of UART silence after which nobody is talking to us
_OVERDUE = const(2000)  # ms that a write may be put off


class Ring:
    """A log of records of one size. It forgets its oldest ones a sector at a time.

    A record in flash: number from 0 (4 octets, little-endian), payload, CRC-16 over both, FF up to
    the program unit. Record n stands in slot n modulo the number of slots, so finding one is
    arithmetic. The sector after the one in use is erased ahead, in `tend`.

    A record torn by a power cut keeps its slot: its number reads as False and is not given again.
    `append`, `read` and `tend` allocate nothing.
    """

    def __init__(self, flash, base: int, sectors: int, size: int, kernels):
        """Finds the end of the log: reads one record a sector, then searches the newest sector.

        base: address of the first of at least two sectors. size: octets of a payload; no later
        firmware has another one, for a log of other records is empty to it. kernels: what has the
        functions `crc16` and `copy` of `osgp.kernels`; a table module does not import those.
        """
        step = (size + 6 + flash.unit - 1) // flash.unit * flash.unit
        self.size = size
        self.first = -1  # oldest record not erased yet; -1: none
        self.last = -1  # newest record; -1: none
        self.repaired = 0  # torn records found at the end of the log
        self.starved = 0  # erases that `append` had to wait for
        self.needs_tending = False
        self._flash = flash
        self._base = base
        self._crc16 = kernels.crc16
        self._copy = kernels.copy
        self._step = step
        self._per_sector = _SECTOR // step
        self._slots = sectors * self._per_sector
        self.capacity = self._slots - 2 * self._per_sector + 1  # records held at any time
        self._next = 0  # number of the next record
        self._in_doubt = False  # whether something may stand in the slot of the next record
        self._ready = 0  # the slots of all numbers below this one are written or blank
        self._blank = b"\xff" * step
        self._record = bytearray(self._blank)
        self._restore()

    def append(self, payload) -> int:
        """Writes one record of exactly `size` octets and returns its number.

        Erases nothing, unless `tend` was starved. What flash raises passes through, and nothing
        was appended.
        """
        if len(payload) != self.size:
            raise ValueError("payload of another size")
        if self._in_doubt:
            self._settle()
        if self._next == self._ready:
            self.starved += 1
            self._erase()
        record = self._record
        self._copy(record, 4, payload, 0, self.size)
        self._seal(self._next)
        self._in_doubt = True  # until the program returns; a try would take memory
        self._flash.program(self._address(self._next % self._slots), record)
        self._in_doubt = False
        self.last = self._next
        self._next += 1
        self._count()
        return self.last

    def read(self, number: int, buf) -> bool:
        """Copies the payload of a record into the first `size` octets of buf.

        False: the record is not held, or not whole.
        """
        if len(buf) < self.size:
            raise ValueError("buffer too short")
        if number < 0 or not self.first <= number <= self.last:
            return False
        if self._number(number % self._slots) != number:
            return False
        self._copy(buf, 0, self._record, 4, self.size + 4)
        return True

    def tend(self) -> bool:
        """Erases one sector if one is due, and says whether it did. For when the Gate is open."""
        if not self.needs_tending:
            return False
        self._erase()
        return True

    def _seal(self, number: int):
        """Puts number and CRC around the payload in the scratch record."""
        record = self._record
        record[0] = number & 0xFF
        record[1] = number >> 8 & 0xFF
        record[2] = number >> 16 & 0xFF
        record[3] = number >> 24
        end = self.size + 4
        crc = self._crc16(record, 0, end)
        record[end] = crc & 0xFF
        record[end + 1] = crc >> 8

    def _settle(self):
        """Skips the next slot if a program that failed has touched it.

        One that it did not touch has to be used: a blank slot is where the log ends.
        """
        self._in_doubt = False
        if self._number(self._next % self._slots) != _BLANK:
            self._next += 1
            self._count()

    def _erase(self):
        self._flash.erase(self._address(self._ready % self._slots))
        self._ready += self._per_sector
        self._count()

    def _count(self):
        # Counted from the newest record: its sector is never the one to be erased.
        self.needs_tending = self._ready - self.last <= self._per_sector
        if self.last >= 0:
            self.first = max(0, self._ready - self._slots)

    def _address(self, slot: int) -> int:
        per_sector = self._per_sector
        return self._base + slot // per_sector * _SECTOR + slot % per_sector * self._step

    def _number(self, slot: int) -> int:
        """Reads a slot into the scratch record. Returns the number in it, or _BLANK or _TORN."""
        record = self._record
        self._flash.read(self._address(slot), record)
        if record == self._blank:
            return _BLANK
        if record[3] > 0x3F:  # numbers are below 2**30
            return _TORN
        number = record[0] | record[1] << 8 | record[2] << 16 | record[3] << 24
        end = self.size + 4
        if number % self._slots != slot:
            return _TORN
        if self._crc16(record, 0, end) != record[end] | record[end + 1] << 8:
            return _TORN
        return number

    def _restore(self):
        newest = -1
        for slot in range(0, self._slots, self._per_sector):
            newest = max(newest, self._oldest_of_sector(slot))
        if newest >= 0:
            self._find_end(newest)
        if self._sector_is_blank(self._ready % self._slots):
            self._ready += self._per_sector
        elif newest >= 0 and self._next == self._ready:
            # The sector to be written next holds the oldest records, or one record torn right at
            # its start.
            self.repaired += self._number(self._ready % self._slots) == _TORN
        self._count()

    def _oldest_of_sector(self, slot: int) -> int:
        """The number of the first whole record from a sector's first slot on; negative: none."""
        for place in range(slot, slot + self._per_sector):
            number = self._number(place)
            if number != _TORN:
                return number
        return _TORN

    def _find_end(self, newest: int):
        """Sets last, _next and _ready. `newest` is a whole record of the newest sector."""
        start = newest - newest % self._per_sector
        written = newest
        blank = start + self._per_sector
        self._ready = blank
        while blank - written > 1:
            middle = (written + blank) // 2
            if self._number(middle % self._slots) == _BLANK:
                blank = middle
            else:
                written = middle
        self._next = blank
        while self._number(written % self._slots) != written:
            self.repaired += 1
            written -= 1
        self.last = written

    def _sector_is_blank(self, slot: int) -> bool:
        """Whether nothing is written in a sector: an erase that was cut leaves anything."""
        for place in range(slot, slot + self._per_sector):  # noqa: SIM110  any() would allocate
            if self._number(place) != _BLANK:
                return False
        return True


class Counter:
    """A 32-bit number that never goes back: the next sequence number of a door.

    `hi` and `lo` are the halves of the next number. Numbers are reserved 256 at a time: all that
    were used lie below the reserved end, which is what flash holds, and after a restart the next
    number is that end. `generation` (0..65535) tells whose number it is: a number kept under
    another key is not taken over.
    """

    def __init__(self, ring: Ring):
        """ring: payload size 6 (generation, end; little-endian), two sectors or more."""
        self.hi = 0
        self.lo = 0
        self.ready = False  # False: nothing secured may be answered, no number is known
        self._generation = 0
        self._end_hi = 0
        self._end_lo = 0
        self._ring = ring
        self._record = bytearray(6)

    def load(self, generation: int):
        """Takes up the number kept for a generation, if there is one: then `ready`.

        Power may have gone while a key was being changed: then a newer generation has begun that
        is nobody's, and ours is found behind it.
        """
        record = self._record
        number = self._ring.last
        while number >= max(self._ring.first, 0):
            if self._ring.read(number, record) and generation == record[0] | record[1] << 8:
                self._generation = generation
                self.lo = self._end_lo = record[2] | record[3] << 8
                self.hi = self._end_hi = record[4] | record[5] << 8
                self.ready = True
                if number != self._ring.last or self._ring.repaired:
                    # Only the newest record is sure to be held, and not even that one if a torn
                    # one has used up its sector: what was found is written again.
                    self._reserve(self.hi, self.lo)
                return
            number -= 1

    def start(self, generation: int, hi: int, lo: int):
        """Begins a generation with a number of its own. Returns when that is safe."""
        self._generation = generation
        self._reserve(hi, lo)
        self.hi = hi
        self.lo = lo
        self.ready = True

    def step(self, hi: int, lo: int):
        """Makes (hi, lo) the next number: what lies below is spent. Call it before acting on that.

        Writes flash once in 256 numbers. ValueError: the number would go back.
        """
        if hi < self.hi or (hi == self.hi and lo < self.lo):
            raise ValueError("a counter does not go back")
        if hi > self._end_hi or (hi == self._end_hi and lo > self._end_lo):
            self._reserve(hi, lo)
        self.hi = hi
        self.lo = lo

    def _reserve(self, hi: int, lo: int):
        lo += _BLOCK
        if lo > 0xFFFF:
            lo &= 0xFFFF
            hi += 1
        if hi > 0xFFFF:  # the last number there is
            hi = lo = 0xFFFF
        record = self._record
        record[0] = self._generation & 0xFF
        record[1] = self._generation >> 8
        record[2] = lo & 0xFF
        record[3] = lo >> 8
        record[4] = hi & 0xFF
        record[5] = hi >> 8
        self._ring.append(record)
        self._end_hi = hi
        self._end_lo = lo


class Gate:
    """When flash may be touched: an erase or a program makes the UARTs deaf for its time.

    The link calls `activity` for octets that came in or begin to go out, sets `answering` while it
    has a whole request in hand, and calls `answered` when the transceiver has the answer: then
    that is on the line, the requester listens, and nobody talks to us.
    """

    def __init__(self, now_ms: int):
        self.answering = False
        self._listening = False  # an answer left, and nothing came in or went out since
        self._heard = now_ms

    def activity(self, now_ms: int):
        """Octets came in, or are going out."""
        self._listening = False
        self._heard = now_ms

    def answered(self, now_ms: int):
        """The answer left."""
        self.answering = False
        self._listening = True
        self._heard = now_ms

    def open(self, now_ms: int) -> bool:
        """Whether flash may be touched now."""
        if self.answering or self._listening:
            return True
        if ticks.diff(now_ms, self._heard) < _QUIET:
            return False
        self._heard = ticks.add(now_ms, -_QUIET)  # so that a silence of days does not wrap
        return True

    def overdue(self, since_ms: int, now_ms: int) -> bool:
        """Whether a write that waits since `since_ms` is to be done regardless."""
        return ticks.diff(now_ms, since_ms) >= _OVERDUE
