"""What the tests of the load profile share: a model with the tables that it needs, and readers."""

import gc
import struct

import rare
from fakes import Settings
from meter.calendar import Calendar
from meter.clock import day_number
from meter.profile_set import CONFIGURATION, SKIPPED
from meter.profiles import NAME, SIZE, Profiles
from meter_support import Events, Sets, offset_body, system_body

DAY = day_number(26, 11, 20)
FIRST = struct.pack(CONFIGURATION, 0, 0, 1, 10, 96, 0, 2, 15) + b"\0\1" + bytes(250)


class Model:
    """Bodies by number, and who serves which table."""

    def __init__(self):
        self.bodies = {2052: bytearray(140), 61: bytearray(31), 63: bytearray(52)}
        struct.pack_into("<HBHHBB", self.bodies[61], 4, 0xC00, 0x20, 10, 96, 2, 15)
        self.readers = {}
        self.sizes = {}

    def body(self, number):
        return self.bodies[number]

    def reader(self, number, function):
        self.readers[number] = function

    def resize(self, number, size):
        self.sizes[number] = size

    def read(self, number, n, offset=0):
        buf = bytearray(n)
        self.readers[number](offset, n, buf, 0)
        return bytes(buf)


class Registers:
    """The moment up to which energy was counted."""

    def __init__(self):
        self.day = DAY
        self.second = 0
        self.filling = False
        self.status = bytearray(5)


class World:
    """Profiles on flash that stays, and values that somebody else counts: `start` is a power-up.

    Source k has value 1000 * k + what `more` counts.
    """

    def __init__(self):
        gc.collect()  # a set's flash is 40 kB in one piece
        self.sets = Sets()
        self.settings = Settings()
        self.more = 0
        self.missing = ()
        self.registers = Registers()
        self.start()

    def start(self):
        self.model = Model()
        self.events = Events()
        self.rings = []
        self.profiles = Profiles(
            self.model, self.settings, self.sets.ring, self.rings, self.events
        )
        self.profiles.registers = self.registers
        self.profiles.source = self.source
        self.profiles.calendar = Calendar(offset_body(2, 60, 60), bytes(808), system_body())

    def source(self, number):
        return None if number in self.missing else 1000 * number + self.more

    def tend(self):
        for one in self.rings:
            one.tend()

    def shape(self, k, blocks, intervals, time, sources, start=0):
        """Have a set of this shape from the beginning on."""
        kept = bytearray(SIZE)
        if self.settings.load(NAME, kept) < 0:
            kept[:] = FIRST
        at = 36 * k
        struct.pack_into(
            CONFIGURATION, kept, at, 0, 0, 1, blocks, intervals, start, len(sources), time
        )
        kept[at + 20 : at + 20 + len(sources)] = bytes(sources)
        self.settings.replace(NAME, kept, SIZE)
        self.start()

    def table(self, k=0):
        """BT64 + k."""
        size = self.model.sizes[64 + k]
        return self.model.read(64 + k, size) if size else b""

    def status(self, k=0):
        """An element of BT63: flags, valid blocks, last block, sequence, unread, intervals."""
        self.profiles.show(k)
        return struct.unpack_from("<BHHIHH", self.model.bodies[63], 13 * k)

    def internal(self, k=0):
        """An element of ET21."""
        return self.model.read(2069, 131, 131 * k)

    def record(self, day, a, b, k=0, status=0):
        """Intervals a..b-1 of a day in a set; in each, values go up by 10."""
        one = self.profiles.sets[k]
        for interval in range(a, b):
            self.more += 10
            assert one.end(day, (interval + 1) * one.minutes * 60, status)

    def go(self, seconds):
        """Let time pass as the application does; the values go up by one a second."""
        profiles = self.profiles
        registers = self.registers
        while seconds:
            if profiles.left == 0:
                profiles.plan(registers.day, registers.second)
            step = min(profiles.left, seconds)
            registers.second += step
            profiles.left -= step
            seconds -= step
            self.more += step
            if profiles.left == 0:
                profiles.end(registers.day, registers.second)
                if registers.second == 86400:
                    registers.day += 1
                    registers.second = 0
            self.tend()

    def clock(self, what, day, second, flags=0):
        """What the application tells of the clock."""
        rare.run("meter.profile_clock", self.profiles, what, day, second, flags)

    def configure(self, k, blocks, intervals, time, sources, start=0):
        """Have a set configured while everything runs. False: there is no room."""
        shape = blocks, intervals, start, time, bytes(sources)
        return rare.run("meter.profile_setup", self.profiles, k, "configure", shape)


def block(body, place, shape):
    """A block of a table for (intervals, channels): (end time, intervals there are, [(extended
    status, values), ..])."""
    intervals, channels = shape
    marks = channels // 2 + 1
    step = marks + 4 * channels
    header = 5 + (intervals + 7) // 8
    size = header + intervals * step
    body = body[place * size : (place + 1) * size]
    there = [k for k in range(intervals) if body[5 + (k >> 3)] >> (k & 7) & 1]
    found = []
    for k in range(intervals):
        at = header + k * step
        values = struct.unpack_from("<%di" % channels, body, at + marks)
        found.append((bytes(body[at : at + marks]), values))
    return tuple(body[:5]), there, found


def marks(status, channels):
    """The extended status with one code for all channels (MEP p.240)."""
    nibbles = [status >> 4] + [status & 0x0F] * channels + [0]
    return bytes([nibbles[k] << 4 | nibbles[k + 1] for k in range(0, 2 * (channels // 2) + 1, 2)])


def interval(status, values):
    """What an interval with these values reads as."""
    if status & 0x0F == SKIPPED:
        values = [0] * len(values)
    return marks(status, len(values)), tuple(values)
