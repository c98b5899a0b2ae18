"""ET12: what was used on each local day, in a ring in flash.

    table   valid 1 | index of the newest 1 | its sequence number 2
            | 62 x {ANSI_DATE | forward, reverse Wh, import, export varh of that day}
    record  ANSI_DATE 2 | the same of that day, 4 each | the registers at its end, 4 each

Record n stands at index n modulo 62. A day on which the meter knew no time has none: what was
used then is in the next record.
"""

from micropython import const

from meter.registers import put16
from osgp.kernels import copy, fill

SIZE = const(34)  # octets of a record
DAYS = const(62)

_HEADER = const(4)
_ENTRY = const(18)


class Daily:
    """Shows the days that `meter/day_end.py` puts into the ring."""

    def __init__(self, ring):
        """ring: of payloads of SIZE, which holds DAYS of them at any time."""
        if ring.capacity < DAYS:
            raise ValueError("the ring of days is too small")
        self.ring = ring
        self._record = bytearray(SIZE)

    def read(self, offset: int, n: int, buf, o: int):
        """Fill buf[o:o+n] with ET12 from `offset`. No allocation."""
        record = self._record
        last = self.ring.last
        n += o
        while o < n:
            if offset < _HEADER:
                fill(record, 0, _HEADER, 0)
                if last >= 0:
                    record[0] = min(last - max(self.ring.first, 0) + 1, DAYS)
                    record[1] = last % DAYS
                    put16(record, 2, last)
                a = offset
                b = min(_HEADER, a + n - o)
            else:
                index = (offset - _HEADER) // _ENTRY
                if not self.ring.read(last - (last - index) % DAYS, record):
                    fill(record, 0, _ENTRY, 0)
                a = (offset - _HEADER) % _ENTRY
                b = min(_ENTRY, a + n - o)
            copy(buf, o, record, a, b)
            offset += b - a
            o += b - a
