"""Power fails at each flash operation of self reads, demand resets and a change of season.

All that follows from the moment alone has to be there afterwards, once, whatever was cut: what was
scheduled, in order, with the registers as they were at its time; nothing of it by half.
"""

import struct

from fakes import Settings
from meter.clock import DAY, day_number
from meter_rig import Rig
from meter_support import PowerCut, dates, rdate, source
from tables.model import MASTER, OK

TODAY = day_number(26, 11, 30)
LATE = DAY - 3600 - 1500  # 23:35 local: all happens at the midnight to come
ALL_DAYS = 15 | 1 << 4
BOTH = 0x60
HOUSE = [1000 * (k % 50) + 777 for k in range(96 * 4)]


class CutSettings(Settings):
    """Settings that lose power at the same count of operations as the flash of the rig."""

    def __init__(self, power):
        super().__init__()
        self.power = power

    def replace(self, name, buf, n):
        self.power.spend()
        super().replace(name, buf, n)
        self.power.spend()


class Power:
    """One count for all that writes."""

    def __init__(self):
        self.left = -1
        self.spent = 0

    def spend(self):
        self.spent += 1
        if self.left == 0:
            raise PowerCut
        self.left -= 1


class Meter(Rig):
    """A rig whose every write may be the last one."""

    def __init__(self):
        self.power = Power()
        super().__init__(None, TODAY, LATE)
        self.measured = source(TODAY, HOUSE)
        self.settings = CutSettings(self.power)
        for flash in (self.snapshots, self.days, self.intervals):
            self._watch(flash)
        self.start()
        body = dates(
            (30, ALL_DAYS, BOTH), (31, rdate(12, 0, 0, 1), 4), (32, rdate(11, 0, 0, 1), 3)
        )
        octets = bytearray(body)
        assert self.model.write(54, 0, octets, 0, len(octets), MASTER, self.now) == OK
        self.set_clock()
        self.catch_up()
        self.power.spent = 0

    def _watch(self, flash):
        def program(address, buf, flash=flash, plain=flash.program):
            if self.power.left == 0:
                flash.left = 0  # the power goes in the middle of it
            try:
                plain(address, buf)
            except PowerCut:
                flash.left = -1
                self.power.spend()
            self.power.spend()

        flash.program = program

    def live(self):
        """Pass the midnight, starting again whenever the power goes. Returns how often it did."""
        cuts = 0
        end = TODAY * DAY + DAY - 3600 + 400
        while True:
            try:
                self.start()
                self.set_clock()
                self.catch_up()
                self.pass_seconds(end - self.day * DAY - self.second, 50)
                self.sleep(end - self.day * DAY - self.second)
                self.catch_up()
                return cuts
            except PowerCut:
                cuts += 1
                self.power.left = -1
                self.sleep(7)

    def what_is_there(self):
        """All that the midnight has left, without the count of what was read."""
        return [bytes(self.read(number)) for number in (25, 24, 26, 2089, 2060, 23)]


def test_power_cut_at_each_operation():
    calm = Meter()
    assert calm.live() == 0
    operations = calm.power.spent
    expected = calm.what_is_there()
    assert bytes(expected[1][:6]) == bytes((26, 12, 1, 0, 0, 0))
    assert struct.unpack_from("<BBH", expected[2], 1) == (1, 0, 0)
    assert struct.unpack_from("<BBH", expected[3], 1) == (1, 0, 0)
    assert expected[5][0] == 1
    assert struct.unpack_from("<BB", expected[4], 0) == (1, 0)
    assert operations > 30
    for cut in range(operations):
        meter = Meter()
        meter.power.left = cut
        assert meter.live() == 1
        assert meter.what_is_there() == expected, cut
