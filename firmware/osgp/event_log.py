"""An event log: a list of the newest entries in flash, read as BT74 and ET79 are laid out.

    table    flags 1 | valid entries 2 | last element 2 | last sequence number 4 | unread 2
             | 100 x {time 6 | sequence 2 | user 2 | event 2 | argument 2}
    record   entry 14 | sequence number, upper half 2

The log is a ring of records; an entry stands in the element of its record's number modulo 100.
What a host moves is kept as two of these numbers: up to where the list was reset, up to where it
was read. Everything else follows from the ring, so no event costs a second write. A record torn
by a power cut keeps its element, which reads as event 0.
"""

import struct

from micropython import const

from meter.registers import put16, put32
from osgp.kernels import copy, fill

SIZE = const(16)  # octets of a record
ENTRIES = const(100)  # BT71.5, ET54.80

_ENTRY = const(14)
_HEADER = const(11)
_POINTERS = const(8)
_CIRCULAR = const(0x04)
_OVERFLOW = const(0x02)


class Log:
    """One of the logs: a list of the newest entries, whose pointers a host may move.

    base, mark: numbers of the records up to which the list was reset and read.
    sequence: number of the newest entry; 0: there was none yet.
    """

    def __init__(self, ring, settings, name: str):
        """ring: of payloads of SIZE. name: of the setting that keeps base and mark, which BP04
        and BP05 move (osgp/procedures/lists.py)."""
        self.ring = ring
        self.sequence = 0
        self.name = name
        self._record = bytearray(SIZE)
        self._a = 0  # the piece that `read` copies: record[a:b]
        self._b = 0
        record = self._record
        if ring.read(ring.last, record):
            self.sequence = record[6] | record[7] << 8 | record[14] << 16 | record[15] << 24
        self.base = self.mark = -1
        if settings.load(name, record) >= _POINTERS:
            base, mark = struct.unpack_from("<II", record, 0)
            self.base = min(base - 1, ring.last)  # a ring that was made anew knows less
            self.mark = min(mark - 1, ring.last)

    @property
    def unread(self) -> int:
        """Entries that are there and were not read, a torn one among them."""
        return min(self.ring.last - self.mark, ENTRIES)

    def read(self, offset: int, n: int, buf, o: int):
        """Fill buf[o:o+n] with the table from `offset`, all of it within it. No allocation."""
        n += o
        while o < n:
            self._seek(offset)
            if self._b - self._a > n - o:
                self._b = self._a + n - o
            copy(buf, o, self._record, self._a, self._b)
            offset += self._b - self._a
            o += self._b - self._a

    def _seek(self, offset):
        """Make record[a:b] the table from offset to the end of its header or of an entry."""
        if offset < _HEADER:
            self._a = offset
            self._b = _HEADER
            self._make_header()
            return
        offset -= _HEADER
        self._a = offset % _ENTRY
        self._b = _ENTRY
        number = self.ring.last - (self.ring.last - self.base - 1 - offset // _ENTRY) % ENTRIES
        if number <= self.base or not self.ring.read(number, self._record):
            fill(self._record, 0, SIZE, 0)

    def _make_header(self):
        record = self._record
        last = self.ring.last
        lost = last - self.mark > ENTRIES
        record[0] = _CIRCULAR | _OVERFLOW if lost else _CIRCULAR
        put16(record, 1, min(last - self.base, ENTRIES))
        put16(record, 3, (last - self.base - 1) % ENTRIES if last > self.base else 0)
        put32(record, 5, self.sequence)
        put16(record, 9, self.unread)
