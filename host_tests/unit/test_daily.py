"""ET12: consumption by local day, from the records of a ring."""

import struct

import rare
from meter.clock import ansi_date, day_number
from meter.daily import DAYS, SIZE, Daily
from meter.registers import BT23_SIZE, Registers
from meter.registers import SIZE as SNAPSHOT
from meter_support import Energy, Flash, PowerCut, ring

FIRST = day_number(26, 11, 20)


class Meter:
    def __init__(self):
        self.flash = Flash(3)
        self.registers = Registers(ring(Flash(), SNAPSHOT), bytearray(BT23_SIZE))
        self.start()

    def start(self):
        self.ring = ring(self.flash, SIZE)
        self.days = Daily(self.ring)

    def end(self, day):
        rare.run("meter.day_end", self.ring, self.registers, day)

    def use(self, *energies):
        self.registers.add(0, Energy(*[1000 * each for each in energies]))

    def table(self):
        buf = bytearray(4 + 18 * DAYS)
        self.days.read(0, len(buf), buf, 0)
        return buf

    def header(self):
        return struct.unpack_from("<BBH", self.table(), 0)

    def day(self, index):
        return struct.unpack_from("<H4I", self.table(), 4 + 18 * index)


def test_before_the_first_day():
    assert Meter().table() == bytes(4 + 18 * DAYS)


def test_days():
    meter = Meter()
    meter.use(100, 20, 7, 8, 9, 10)
    meter.end(FIRST)
    assert meter.header() == (1, 0, 0)
    assert meter.day(0) == (ansi_date(FIRST), 100, 20, 15, 19)
    meter.start()  # power failed
    meter.use(5, 0, 1)
    meter.end(FIRST + 1)
    meter.end(FIRST + 1)  # the same midnight again, after a power cut
    assert meter.header() == (2, 1, 1)
    assert meter.day(1) == (ansi_date(FIRST + 1), 5, 0, 1, 0)


def test_a_ring_of_two_months():
    meter = Meter()
    for n in range(400):
        meter.use(n, 0)
        meter.end(FIRST + n)
        meter.ring.tend()
        if n % 50 == 0:
            meter.start()
    assert meter.header() == (DAYS, 399 % DAYS, 399)
    for n in range(400 - DAYS, 400):
        assert meter.day(n % DAYS) == (ansi_date(FIRST + n), n, 0, 0, 0)


def test_a_register_that_begins_again():
    meter = Meter()
    for _ in range(2000):
        meter.use(499999)
    meter.end(FIRST)
    meter.use(5000)
    meter.end(FIRST + 1)
    assert meter.registers.value(0, 0) < 10000
    assert meter.day(1)[1] == 5000


def test_a_torn_record():
    meter = Meter()
    meter.use(10)
    meter.end(FIRST)
    meter.use(10)
    meter.flash.left = 0
    try:
        meter.end(FIRST + 1)
        raise AssertionError("the cut was not noticed")
    except PowerCut:
        pass
    meter.flash.left = -1
    meter.start()
    meter.end(FIRST + 1)
    assert meter.day(meter.header()[1]) == (ansi_date(FIRST + 1), 10, 0, 0, 0)


def test_any_part_is_the_same():
    meter = Meter()
    for n in range(70):
        meter.use(n, 1)
        meter.end(FIRST + n)
    whole = meter.table()
    for a in range(0, len(whole), 7):
        for n in (1, 5, 18, 84):
            n = min(n, len(whole) - a)
            buf = bytearray(n + 1)
            meter.days.read(a, n, buf, 0)
            assert buf[:n] == whole[a : a + n]
            assert buf[n] == 0
