"""Demand: maxima by block with their times, what a reset makes of them, what power cuts leave."""

import struct

import rare
from fakes import Settings
from meter.calendar import Calendar
from meter.clock import day_number
from meter.demand import DEMANDS, Demand
from meter.registers import BT23_SIZE, SIZE, Registers
from meter_support import (
    Energy,
    Flash,
    calendar_body,
    dates,
    offset_body,
    ring,
    schedule,
    system_body,
)
from support import noise

DAY = day_number(26, 11, 21)
NOTHING = ((0, 0, 0, 0, 0), 0, 0, 0)  # time, cumulative, continuous, maximum


class Meter:
    """Registers and demands, in a zone of UTC + 1 h."""

    def __init__(self):
        self.flash = Flash()
        self.settings = Settings()
        self.calendar = Calendar(
            offset_body(2, 60, 60),
            calendar_body(dates(), [schedule((0, 0, 0))], [(0, 0, 0, 0, 0)]),
            system_body(),
        )
        self.start()
        self.registers.day = DAY
        self.registers.second = 0

    def start(self):
        self.registers = Registers(ring(self.flash, SIZE), bytearray(BT23_SIZE))
        self.demand = Demand(self.registers, self.calendar, self.settings)

    def quarter(self, tier, *energies):
        """A quarter hour with these energies in Wh and varh, in steps."""
        for part in (3, 7):
            step = Energy(*[each * 100 * part for each in energies])
            self.registers.add(tier, step)
        self.registers.second += 900
        self.demand.end(tier)
        self.registers.end_interval()
        if self.demand.changed:
            rare.run("meter.demand_state", self.demand, "save")

    def reset(self, resets, second):
        rare.run("meter.demand_state", self.demand, "reset", resets, DAY, second)

    def shown(self, block, k):
        """(time, cumulative, continuous, maximum) of a demand of BT23."""
        o = 1 + 196 * block + 60 + 17 * k
        body = self.registers.body
        return (tuple(body[o : o + 5]),) + struct.unpack_from("<3i", body, o + 5)

    def local(self):
        minute = self.registers.second // 60 + 60
        return 26, 11, 21, minute // 60, minute % 60


def test_a_maximum_and_its_time():
    meter = Meter()
    meter.quarter(1, 250, 0, 50)
    first = meter.local()
    meter.quarter(1, 100)
    for block in (0, 2):
        assert meter.shown(block, 0) == (first, 0, 1000, 1000)
        assert meter.shown(block, 2) == (first, 0, 200, 200)
        assert meter.shown(block, 4) == (first, 0, 200, 200)
        assert meter.shown(block, 1) == NOTHING
    assert meter.shown(1, 0) == NOTHING
    meter.quarter(0, 251, 3, 0, 10, 20, 30)
    assert meter.shown(0, 0) == (meter.local(), 0, 1004, 1004)
    assert meter.shown(1, 0) == (meter.local(), 0, 1004, 1004)
    assert meter.shown(2, 0) == (first, 0, 1000, 1000)
    assert meter.shown(0, 1) == (meter.local(), 0, 12, 12)
    assert meter.shown(0, 3) == (meter.local(), 0, 200, 200)
    assert [meter.shown(0, k)[3] for k in range(4, 8)] == [200, 40, 80, 120]


def test_the_first_of_two_equal_maxima_stays():
    meter = Meter()
    meter.quarter(0, 100)
    first = meter.local()
    meter.quarter(0, 100)
    assert meter.shown(0, 0)[0] == first


def test_present_and_previous():
    meter = Meter()
    meter.registers.add(0, Energy(100000, 0, 0, 0, 1999, 1999))
    assert meter.demand.value(0) == 400
    assert meter.demand.value(3) == 15  # 3998 mvarh in a quarter hour: 15.99 var
    assert meter.demand.value(0, True) == 0
    meter.quarter(0, 50)
    assert meter.demand.value(0) == meter.demand.value(0, True) == 600
    meter.registers.add(0, Energy(0, 250))
    assert [meter.demand.value(k) for k in (0, 1)] == [0, 1]
    assert meter.demand.value(0, True) == 600
    meter.registers.save()
    meter.start()
    assert [meter.demand.value(k) for k in (0, 1)] == [0, 1]
    assert meter.demand.value(0, True) == 600
    meter.registers.end_interval()
    meter.registers.add(0, Energy())
    assert [meter.demand.value(k) for k in (0, 1)] == [0, 0]
    assert meter.demand.value(1, True) == 1


def test_a_tier_without_registers():
    meter = Meter()
    meter.quarter(7, 100)
    assert meter.shown(0, 0)[3] == 400
    for block in range(1, 5):
        assert meter.shown(block, 0) == NOTHING


def test_resets():
    meter = Meter()
    cumulative = 0
    for n in range(1, 4):
        meter.quarter(2, 100 * n)
        assert meter.shown(3, 0) == (meter.local(), cumulative, cumulative + 400 * n, 400 * n)
        cumulative += 400 * n
        meter.reset(n, meter.registers.second)
        assert meter.shown(0, 0) == meter.shown(3, 0) == (NOTHING[0], cumulative, cumulative, 0)
        assert meter.registers.body[0] == n
        assert (meter.demand.day, meter.demand.minute) == (DAY, meter.registers.second // 60)
    meter.start()
    assert meter.shown(3, 0) == (NOTHING[0], cumulative, cumulative, 0)
    assert (meter.demand.resets, meter.registers.body[0]) == (3, 3)
    meter.reset(257, 0)
    assert meter.registers.body[0] == 1


def test_a_cumulative_demand_begins_again_at_nine_digits():
    meter = Meter()
    for n in range(1, 7):
        for _ in range(2):
            meter.registers.add(0, Energy(490000000))
        meter.quarter(0, 0)
        meter.reset(n, 0)
    assert meter.demand.value(0) == 3920000
    for n in range(250):
        meter.registers.add(0, Energy(490000000))
        meter.registers.add(0, Energy(490000000))
        meter.quarter(0, 0)
        meter.reset(n, 0)
    assert meter.shown(0, 0)[1] == 256 * 3920000 % 1000000000


def test_kept():
    meter = Meter()
    spread = noise(2000)
    for n in range(200):
        meter.quarter(spread[n] % 4, *[spread[7 * n + k] for k in range(1, 7)])
        if n % 60 == 59:
            meter.reset(n // 60 + 1, 60)
    meter.registers.save()
    before = bytes(meter.registers.body)
    meter.start()
    meter.registers.show()
    for block in range(5):
        o = 1 + 196 * block + 60
        assert meter.registers.body[o : o + 136] == before[o : o + 136]


def test_against_a_plain_computation():
    meter = Meter()
    spread = noise(5000, 5)
    maxima = {}
    for n in range(600):
        tier = spread[n] % 5
        wh = [spread[6 * n + k] % (1 + spread[n + 9]) for k in range(6)]
        meter.quarter(tier, *wh)
        powers = [wh[0], wh[1], wh[2] + wh[3], wh[4] + wh[5]] + wh[2:]
        for block in (0, tier + 1):
            for k in range(DEMANDS):
                power = 4 * powers[k]
                if block < 5 and power > maxima.get((block, k), (0,))[0]:
                    maxima[block, k] = power, meter.registers.second
    for (block, k), (power, second) in maxima.items():
        assert meter.shown(block, k)[3] == power
        hour = second // 3600 + 1
        assert meter.shown(block, k)[0][2:] == (21 + hour // 24, hour % 24, second // 60 % 60)


def test_a_setting_of_another_size_is_none():
    meter = Meter()
    meter.settings.kept["DM"] = b"\x01" * 20
    meter.start()
    assert meter.shown(0, 0) == NOTHING
