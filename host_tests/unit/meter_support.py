"""What the tests of the meter share: flash in RAM that can lose power, a source, a calendar."""

import struct

from osgp import kernels
from osgp.kernels import copy
from tables.store import Ring

SECTOR = 4096
ADDRESS_OF_DAY = 14  # of the first quarter hour in a source


class PowerCut(Exception):  # noqa: N818  not an error of the code under test
    """Power went in the middle of a flash operation."""


class Flash:
    """Raw flash in RAM. `left`: programs and erases until the power goes in the middle of one."""

    unit = 16

    def __init__(self, sectors=12):
        self.octets = bytearray(b"\xff" * (SECTOR * sectors))
        self.left = -1
        self.operations = 0

    def read(self, address, buf):
        end = address + len(buf)
        copy(buf, 0, self.octets, address, end)

    def program(self, address, buf):
        n = self._operation(len(buf))
        self._must_be_erased(address, address + len(buf))
        copy(self.octets, address, buf, 0, n)
        if n < len(buf):
            raise PowerCut

    def _must_be_erased(self, a, b):
        while a < b:
            assert self.octets[a] == 0xFF, a
            a += 1

    def erase(self, address):
        n = self._operation(SECTOR)
        self.octets[address : address + n] = b"\xff" * n
        if n < SECTOR:
            raise PowerCut

    def _operation(self, n):
        """How many of n octets are done before the power goes."""
        self.operations += 1
        if self.left == 0:
            return n // 2
        self.left -= 1
        return n


class Events:
    """What was posted: [(event, argument), ..], and the alarms set or cleared by themselves."""

    def __init__(self):
        self.posted = []
        self.alarms = []

    def alarm(self, place, on=True):
        self.alarms.append((place, on))

    def post(self, event, argument=0):
        self.posted.append((event, argument))

    def numbers(self):
        return [event for event, _ in self.posted]


class Energy:
    """What an element gives."""

    def __init__(self, forward=0, reverse=0, q1=0, q2=0, q3=0, q4=0):
        self.forward = forward
        self.reverse = reverse
        self.quadrants = (q1, q2, q3, q4)


class Sets:
    """The flash of the load profile's four sets."""

    def __init__(self):
        self.flash = [Flash(12), None, None, None]

    def ring(self, k, size):
        self.flash[k] = self.flash[k] or Flash(10)
        return ring(self.flash[k], size)


def ring(flash, size):
    """The log in a flash of its own: at a start, and at each one after."""
    return Ring(flash, 0, len(flash.octets) // SECTOR, size, kernels)


def source(first, forward, reverse=None):
    """A measured source of energies (mWh) by quarter hour, and the `read` that a board gives."""
    days = len(forward) // 96
    data = bytearray(struct.pack("<8sBBHH", b"OSGPMEAS", 1, 2 if reverse else 1, first, days))
    for k in range(len(forward)):
        data.extend(forward[k].to_bytes(3, "little"))
        if reverse:
            data.extend(reverse[k].to_bytes(3, "little"))

    def read(offset, buf):
        assert offset + len(buf) <= len(data)
        buf[:] = data[offset : offset + len(buf)]

    return read


def rdate(month, offset=0, weekday=0, dom=0):
    """An RDATE (MEP p.41)."""
    return month | offset << 4 | weekday << 8 | dom << 11


def dates(*rows):
    """The 48 dates of a BT54: (place, packed date, action) each; the others are empty."""
    body = bytearray(144)
    for place, date, action in rows:
        struct.pack_into("<HB", body, 3 * place, date, action)
    return body


def schedule(*switches):
    """The ten switches of a day schedule: (hour, minute, tier) each; the others are not used."""
    body = bytearray(30)
    for k, (hour, minute, tier) in enumerate(switches):
        struct.pack_into("<H", body, 3 * k, tier | minute << 5 | hour << 11)
    return body


def calendar_body(some_dates, schedules, seasons):
    """A BT54. schedules: as above, 0 first; seasons: of five schedule numbers each, 0 first."""
    switches = bytearray().join(schedules)
    switches.extend(bytes(600 - len(switches)))
    table = bytearray(60)
    for k, season in enumerate(seasons):
        table[5 * k : 5 * k + 5] = bytes(season)
    return some_dates + switches + table + bytes(4)


def offset_body(hour, amount, zone):
    """A BT53: hour of the change, minutes of daylight saving, zone in minutes."""
    return struct.pack("<BBBBh", hour, 0, 0, amount, zone)


def system_body(off_delta=0, clock_error_tier=0):
    """An ET04 in which only these two are set."""
    body = bytearray(139)
    struct.pack_into("<h", body, 63, off_delta)
    body[113] = clock_error_tier
    return body
