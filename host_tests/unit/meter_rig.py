"""A whole meter on flash in RAM: a source of energy, the model, the application, and time."""

import struct

import ticks
from fakes import Settings
from meter import daily, registers
from meter.application import Application
from meter.clock import DAY, day_number
from meter.element import SimulatedElement
from meter.profiles import Profiles
from meter_support import Events, Flash, Sets, ring, source
from support import noise
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, OK, Model

TODAY = day_number(26, 11, 21)  # a Saturday in winter: local time is UTC + 1 h
FIRST = TODAY - 2
DAYS = 5
NOON = 12 * 3600 + 7 * 60 + 30
START = 2**30 - 70000  # the ticks wrap soon

SPREAD = noise(2 * DAYS * 96, 3)
USED = [SPREAD[2 * k] * 1003 + SPREAD[2 * k + 1] for k in range(DAYS * 96)]  # up to 1 kW
FED = [(k % 5 == 0) * SPREAD[2 * k + 1] * 211 for k in range(DAYS * 96)]


def until(energies, day, second):
    """Energy (mWh) of a source from its beginning to a moment."""
    second += (day - FIRST) * DAY
    quarter = second // 900
    if quarter >= len(energies):
        return sum(energies)
    return sum(energies[:quarter]) + energies[quarter] * (second % 900) // 900


def by_tier(energies, day, second):
    """What registers of tier 0 (6 to 22 h local) and tier 1 show at a moment, in Wh."""
    tiers = [0, 0]
    end = (day - FIRST) * DAY + second
    edges = sorted([0, end] + [k * DAY + h * 3600 for k in range(DAYS) for h in (5, 21)])
    for k in range(edges.index(end)):
        a, b = edges[k : k + 2]
        if a < b:
            energy = until(energies, FIRST, b) - until(energies, FIRST, a)
            tiers[0 if 5 <= a // 3600 % 24 < 21 else 1] += energy
    return [tier // 1000 for tier in tiers]


class Rig:
    """A meter on flash that stays, at a time that goes on; `start` is a power-up."""

    def __init__(self, element=None, day=TODAY, second=NOON):
        self.now = START
        self.day = day
        self.second = second
        self.snapshots = Flash(8)
        self.sets = Sets()
        self.intervals = self.sets.flash[0]
        self.days = Flash(3)
        self.settings = Settings()
        self.element = element
        self.measured = source(FIRST, USED, FED)
        self.clock_error_tier = 0
        self.start()

    def start(self):
        self.model = Model(MODEL, ARENA, self.settings)
        self.model.body(2052)[113] = self.clock_error_tier
        element = self.element or SimulatedElement(self.measured)
        self.events = Events()
        rings = ring(self.snapshots, registers.SIZE), ring(self.days, daily.SIZE)
        self.rings = list(rings)
        self.profiles = Profiles(
            self.model, self.settings, self.sets.ring, self.rings, self.events
        )
        self.meter = Application(
            self.model, element, self.profiles, rings, self.settings, self.events
        )

    def set_clock(self, day=None, second=None):
        """Set the meter's clock, to the true time if no other is given."""
        day = self.day if day is None else day
        self.meter.set_clock(day, self.second if second is None else second, 0, self.now)

    def catch_up(self):
        """Poll while the meter asks for it at once. Returns how often."""
        polls = 0
        while True:
            polls += 1
            due = self.meter.poll(self.now)
            for one in self.rings:
                one.tend()
            if due != self.now:
                assert 0 < ticks.diff(due, self.now) <= 1000
                return polls

    def pass_seconds(self, seconds, step=1):
        """Let time go by, with the meter running."""
        for _ in range(seconds // step):
            self.sleep(step)
            self.catch_up()

    def sleep(self, seconds):
        """Let time go by, without it."""
        self.now = ticks.add(self.now, 1000 * seconds)
        self.second += seconds
        self.day += self.second // DAY
        self.second %= DAY

    def read(self, number):
        buf = bytearray(self.model.size(number))
        assert self.model.read(number, 0, len(buf), buf, 0, MASTER) == 0
        return buf

    def write(self, number, offset, octets):
        """As a host does."""
        octets = bytearray(octets)
        code = self.model.write(number, offset, octets, 0, len(octets), MASTER, self.now)
        assert code == OK, code

    def registers(self, block=0):
        """Forward and reverse Wh: block 0 in total, block 1 + n of tier n."""
        return struct.unpack_from("<2i", self.read(23), 1 + 196 * block)

    def profile(self):
        """BT64 as a reader takes it: (day, quarter) -> (status, status, forward, reverse).

        Of an interval that is there twice, the one in the newer block.
        """
        body = self.read(64)
        newest = struct.unpack_from("<I", self.read(63), 5)[0]
        found = {}
        for sequence in range(newest - 9, newest + 1):
            block = sequence % 10 * 977
            minute = body[block + 3] * 60 + body[block + 4]
            day = day_number(body[block], body[block + 1], body[block + 2]) - (minute == 0)
            for quarter in range(96):
                if body[block + 5 + (quarter >> 3)] >> (quarter & 7) & 1:
                    interval = struct.unpack_from("<BBii", body, block + 17 + 10 * quarter)
                    found[day, quarter] = interval
        return found

    def interval(self, day, quarter):
        return self.profile().get((day, quarter))

    def check_registers(self):
        for direction, energies in ((0, USED), (1, FED)):
            assert self.registers()[direction] == until(energies, self.day, self.second) // 1000
            tiers = by_tier(energies, self.day, self.second)
            assert [self.registers(1)[direction], self.registers(2)[direction]] == tiers
        assert self.registers(3) == self.registers(4) == (0, 0)


class Chip:
    """A metering chip: 7 mWh a call, and no past."""

    since = -1
    forward = 7
    reverse = 0
    quadrants = (2, 0, 0, 0)

    def start(self, day, second):
        pass

    def take(self, day, second):
        pass

    def present(self, k):
        return 100 + k


def running(**kwargs):
    rig = Rig(**kwargs)
    rig.set_clock()
    rig.catch_up()
    return rig
