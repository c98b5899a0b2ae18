"""Ten years at speed: the meter against a plain computation on Python's own dates.

The firmware counts, tells tiers, seasons and summer time apart, reads itself, resets its demands
and keeps days, with a power failure now and then. `plain_years.py` computes the same without it.
"""

import importlib
import struct
import sys
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

import rare
import ticks
from meter import registers as registers_module
from meter.application import Application
from meter.clock import DAY
from meter.profiles import NAME, SIZE, Profiles
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, Model

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from plain_years import (
    BEGIN,
    CALENDAR,
    END,
    FIRST,
    OUTAGES,
    RESET_AT,
    SECONDS,
    SELF_READ_AT,
    Plain,
    energies,
    season,
)

from fakes import Settings
from meter_support import Events

# events
RESET, SELF, DST_ON, DST_OFF, SEASON, SPECIAL = 20, 21, 22, 23, 24, 26


@pytest.fixture(scope="module")
def plain():
    return Plain()


# ---- the meter


class LastRecord:
    """A ring that keeps its records in a dict."""

    capacity = 10**6
    needs_tending = False
    first = last = -1

    def __init__(self, size):
        self.size = size
        self.records = {}

    def append(self, payload):
        self.last += 1
        self.first = max(0, self.last - 2000)
        self.records[self.last] = bytes(payload)
        self.records.pop(self.last - 2000, None)
        return self.last

    def read(self, number, buf):
        found = self.records.get(number)
        if found is not None:
            buf[: self.size] = found
        return found is not None


class Element:
    """Gives what `energies` says, up to a moment."""

    since = FIRST

    def __init__(self):
        self.energy = [0] * 6
        self.quarter = -1
        self.at = 0

    @property
    def forward(self):
        return self.energy[0]

    @property
    def reverse(self):
        return self.energy[1]

    @property
    def quadrants(self):
        return self.energy[2:]

    def start(self, day, second):
        self.at = (day - FIRST) * DAY + second

    def take(self, day, second):
        end = (day - FIRST) * DAY + second
        self.energy = [0] * 6
        while self.at < end:
            quarter = self.at // 900
            a = self.at % 900
            b = min(end - quarter * 900, 900)
            for k, energy in enumerate(energies(quarter)):
                self.energy[k] += energy * b // 900 - energy * a // 900
            self.at = quarter * 900 + b

    def present(self, k):
        return 0


class Meter:
    """The application on fakes that are fast, at a time that runs."""

    def __init__(self):
        self.settings = Settings()
        # The load profile has tests of its own; without a set the run is three times as fast.
        self.settings.kept[NAME] = bytes(SIZE)
        self.settings.kept["BT54"] = bytes(CALENDAR)
        self.rings = LastRecord(registers_module.SIZE), LastRecord(34)
        self.events = Events()
        self.now = 0
        self.second = 0  # since BEGIN
        self.start()
        for number, offset, octets in ((2052, 65, SELF_READ_AT), (2088, 0, RESET_AT)):
            self.model.patch(number, offset, bytes(octets))
        self.start()

    def start(self):
        self.model = Model(MODEL, ARENA, self.settings)
        profiles = Profiles(self.model, self.settings, LastRecord, [], self.events)
        self.meter = Application(
            self.model, Element(), profiles, self.rings, self.settings, self.events
        )

    def set_clock(self):
        self.meter.set_clock(FIRST + self.second // DAY, self.second % DAY, 0, self.now)

    def sleep(self, seconds):
        self.second += seconds
        self.now = ticks.add(self.now, 1000 * seconds)

    def catch_up(self):
        while self.meter.poll(self.now) == self.now:
            pass

    def read(self, number):
        buf = bytearray(self.model.size(number))
        assert self.model.read(number, 0, len(buf), buf, 0, MASTER) == 0
        return bytes(buf)


def shown(energies) -> tuple[int, ...]:
    """What BT23 shows of six energies: forward, reverse, import, export .. Q1 to Q4."""
    forward, reverse, q1, q2, q3, q4 = energies
    wh = [e // 1000 for e in (forward, reverse, q1 + q2, q3 + q4, 0, 0, forward + reverse)]
    wh.append(max(forward - reverse, 0) // 1000)
    return tuple(each % 10**9 for each in (*wh, 0, 0, 0, *(e // 1000 for e in energies[2:])))


def stime(moment: datetime) -> tuple[int, ...]:
    return (moment.year - 2000, moment.month, moment.day, moment.hour, moment.minute)


def summations(body: bytes, offset: int) -> tuple[int, ...]:
    return struct.unpack_from("<15i", body, offset)


def new_entries(body: bytes, header: int, size: int, most: int, known: int) -> list[bytes]:
    """Of a list of copies, the entries after the `known` oldest of all."""
    valid, _, sequence = struct.unpack_from("<BBH", body, 1)
    total = sequence + 1 if valid else 0
    return [
        body[header + n % most * size : header + n % most * size + size]
        for n in range(known, total)
    ]


def test_ten_years(plain, monkeypatch):
    monkeypatch.setattr(rare, "load", cache(importlib.import_module))  # once is enough here
    meter = Meter()
    meter.set_clock()
    self_reads: list[bytes] = []
    resets: list[bytes] = []
    seasons: list[bytes] = []
    days = {}
    turns = 0
    outages = iter(OUTAGES)
    off, on = next(outages)
    while meter.second < SECONDS:
        turns += 1
        meter.sleep(min(5 * 3600 - 13, off - meter.second))
        meter.catch_up()
        if meter.second == off < SECONDS:
            meter.meter.registers.save()
            meter.sleep(on - off)
            meter.start()
            meter.set_clock()
            meter.catch_up()
            off, on = next(outages, (SECONDS, SECONDS))
        if turns % 50 == 0 or meter.second == SECONDS:
            self_reads += new_entries(meter.read(26), 6, 989, 12, len(self_reads))
            resets += new_entries(meter.read(2089), 6, 992, 6, len(resets))
            previous = meter.read(24)
            if previous[:6] != bytes(6) and previous not in seasons:
                seasons.append(previous)
            body = meter.read(2060)
            for k in range(body[0]):
                packed, *used = struct.unpack_from("<H4I", body, 4 + 18 * k)
                days[packed] = used
    check_registers(meter, plain)
    check_self_reads(self_reads, plain)
    check_resets(resets, plain)
    check_seasons(seasons, plain)
    check_days(days, plain)
    check_events(meter.events, plain)


def check_registers(meter, plain):
    body = meter.read(23)
    for block in range(5):
        assert summations(body, 1 + 196 * block) == shown(plain.blocks[block])
    for (block, k), (power, end) in plain.maxima.items():
        o = 1 + 196 * block + 60 + 17 * k
        assert struct.unpack_from("<i", body, o + 13)[0] == power
        assert tuple(body[o : o + 5]) == stime(end)


def check_self_reads(found, plain):
    assert len(found) == len(plain.self_reads) == 121
    for entry, (moment, total) in zip(found, plain.self_reads, strict=True):
        assert tuple(entry[2:7]) == stime(moment)
        assert entry[7] == season(moment)
        assert summations(entry, 9) == shown(total)


def check_resets(found, plain):
    assert len(found) == len(plain.resets) == 120
    cumulative = defaultdict(int)
    for n, (entry, (moment, maxima, total)) in enumerate(zip(found, plain.resets, strict=True)):
        assert tuple(entry[5:10]) == stime(moment)
        assert entry[11] == n
        assert summations(entry, 12) == shown(total)
        for block, (power, end) in enumerate(maxima):
            o = 12 + 196 * block + 60
            assert struct.unpack_from("<3i", entry, o + 5) == (
                cumulative[block],
                cumulative[block] + power,
                power,
            )
            cumulative[block] += power
            assert tuple(entry[o : o + 5]) == (stime(end) if end else (0,) * 5)


def check_seasons(found, plain):
    assert len(found) == len(plain.seasons) == 20
    for body, (moment, ended, total) in zip(found, plain.seasons, strict=True):
        assert tuple(body[:5]) == stime(moment)
        assert body[5] == ended
        assert summations(body, 6) == shown(total)


def check_days(found, plain):
    before = (0,) * 6
    assert len(found) == len(plain.days) == (END - BEGIN).days
    for day, total in plain.days:
        packed = day.year - 2000 | day.month << 7 | day.day << 11
        ends = [shown(each)[:4] for each in (before, total)]
        assert found[packed] == [(b - a) % 10**9 for a, b in zip(*ends, strict=True)], day
        before = total


def check_events(events, plain):
    numbers = events.numbers()
    assert [numbers.count(DST_OFF), numbers.count(DST_ON)] == plain.dst == [10, 10]
    assert numbers.count(SEASON) == 20
    assert numbers.count(SELF) == 121
    assert numbers.count(RESET) == 120
    assert numbers.count(SPECIAL) == 20  # but not 2026's New Year, which began before the meter
