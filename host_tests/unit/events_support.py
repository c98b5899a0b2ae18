"""What the tests of events share: the events of a device on flash whose power can go."""

import struct

from fakes import Settings
from meter_support import Flash, PowerCut, ring
from osgp.event_log import ENTRIES, SIZE
from osgp.events import BT03, ET22, Events
from osgp.procedures.lists import Entries
from tables.compiled import ARENA, MODEL
from tables.model import Model

HEADER = 11
ENTRY = 14
TABLE = HEADER + ENTRIES * ENTRY
HOUR = 3600000  # ms

ALTERNATE = 390  # of ET22
PENDING = 417


class Power:
    """`left`: programs, erases and settings until it goes in the middle of one; -1: never."""

    def __init__(self):
        self.left = -1
        self.used = 0

    def step(self, *_):
        self.used += 1
        if self.left == 0:
            raise PowerCut
        self.left -= 1


class CutFlash(Flash):
    """Flash that shares its power with others. What is cut was done by half."""

    def __init__(self, power):
        super().__init__(3)
        self.power = power

    def _operation(self, n):
        try:
            self.power.step()
        except PowerCut:
            return n // 2
        return n


class World:
    """What stays across a restart: flash and settings. `start` makes the events anew."""

    def __init__(self):
        self.power = Power()
        self.primary = CutFlash(self.power)
        self.alternate = CutFlash(self.power)
        self.settings = Settings()
        self.settings.on_replace = self.power.step
        self.start()

    def start(self):
        self.power.left = -1
        self.model = Model(MODEL, ARENA, self.settings)
        rings = ring(self.primary, SIZE), ring(self.alternate, SIZE)
        self.events = Events(self.model, self.settings, rings[0], rings[1])
        self.now = 0
        self.events.poll(0)

    def read(self, n):
        """A host has read n entries of the event log."""
        Entries(self.events.log, self.settings).read_entries(n)

    def reset(self):
        """A host has emptied the event log."""
        Entries(self.events.log, self.settings).reset_list()

    def hours(self, n):
        """Let hours pass, as the scheduler does: polled each minute at least."""
        for _ in range(60 * n):
            self.now += HOUR // 60
            self.events.poll(self.now)

    def patch(self, number, offset, octets):
        """A host's write, as far as the table is concerned."""
        body = bytearray(len(octets))
        body[:] = octets
        assert self.model.write(number, offset, body, 0, len(body), 3, 0) == 0


def alarms(world):
    """The bits of BT03 behind its mode that are set."""
    body = world.model.body(BT03)
    return [k for k in range(96) if body[1 + (k >> 3)] >> (k & 7) & 1]


def header(log):
    """(flags, valid, last element, last sequence, unread)."""
    body = bytearray(HEADER)
    log.read(0, HEADER, body, 0)
    return struct.unpack("<BHHIH", body)


def entries(log):
    """(time, sequence, user, event, argument) of the valid ones, oldest first."""
    body = bytearray(TABLE)
    log.read(0, TABLE, body, 0)
    _, valid, last, _, _ = struct.unpack_from("<BHHIH", body, 0)
    found = []
    for k in range(valid):
        at = HEADER + (last - valid + 1 + k) % ENTRIES * ENTRY
        found.append((bytes(body[at : at + 6]),) + struct.unpack_from("<HHHH", body, at + 6))
    return found


def told(log):
    """(event, argument) of the valid entries, oldest first."""
    return [(entry[3], entry[4]) for entry in entries(log)]


def select(world, place, *numbers):
    """Set the bits of these events in the set at ET22[place:]."""
    body = world.model.load(ET22)
    for number in numbers:
        body[place + (number >> 3)] |= 1 << (number & 7)
    world.patch(ET22, 0, body)
