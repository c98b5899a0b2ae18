"""Rare: a local day has ended, and what was used on it goes into ET12 (`meter/daily.py`)."""

from micropython import const

from meter.clock import ansi_date
from meter.daily import SIZE
from meter.registers import get32, put16, put32

_REGISTERS = const(4)
_USED = const(2)  # where they are in a record
_ENDS = const(18)
_FULL = const(1000000000)


def run(ring, registers, day):
    """Record a day that has ended now. Once each: a newest record of this day stays as it is."""
    record = bytearray(SIZE)
    number = ring.last
    while number >= max(ring.first, 0) and not ring.read(number, record):
        number -= 1  # torn
    date = ansi_date(day)
    if record[0] | record[1] << 8 == date:
        return
    put16(record, 0, date)
    for k in range(_REGISTERS):
        reading = registers.value(0, k)
        put32(record, _USED + 4 * k, (reading - get32(record, _ENDS + 4 * k)) % _FULL)
        put32(record, _ENDS + 4 * k, reading)
    ring.append(record)
