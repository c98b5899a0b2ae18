"""Ten years of a meter, computed plainly: what `test_ten_years.py` holds the firmware against.

On Python's own dates, from a grid of five minutes, with a summer time rule of three lines. Of the
firmware nothing is used but the packing of a calendar.
"""

import sys
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from meter_support import calendar_body, dates, rdate, schedule

EPOCH = datetime(2000, 1, 1)
BEGIN = datetime(2026, 1, 1)
END = datetime(2036, 1, 1)
FIRST = (BEGIN - EPOCH).days
QUARTERS = (END - BEGIN).days * 96
SECONDS = QUARTERS * 900
CELL = timedelta(minutes=5)
# Seconds since BEGIN at which power goes and comes: some 90 times, at any time of the day.
OUTAGES = [(k * 3_456_789, k * 3_456_789 + 10_817) for k in range(1, SECONDS // 3_456_789)]

SUMMER, WINTER = 0, 1  # seasons
SELF_READ, DEMAND_RESET = 0x40, 0x20
LEAP_DAY = date(2028, 2, 29)

# Switches of a day schedule: from this local time on, this tier.
WORKDAY = ((0, 0, 1), (6, 0, 0), (17, 10, 2), (22, 0, 1))
SATURDAY = ((0, 0, 1), (8, 30, 0), (13, 0, 1))
WINTER_DAY = ((0, 0, 1), (2, 20, 3), (7, 0, 0), (21, 45, 1))
SUNDAY = ((0, 0, 1),)
HOLIDAY = ((0, 0, 3), (12, 5, 2))
SCHEDULES = (WORKDAY, SATURDAY, WINTER_DAY, SUNDAY, HOLIDAY)
# schedules of Saturday, Sunday, a weekday, special days 0 and 1
SEASONS = ((1, 3, 0, 4, 4), (1, 3, 2, 4, 4))

CALENDAR = calendar_body(
    dates(
        (0, 28 | 2 << 7 | 29 << 11, SELF_READ),  # once: the leap day of 2028
        (25, rdate(3, 6, 0, 1), 1),
        (26, rdate(10, 6, 0, 1), 2),
        (27, rdate(4, 0, 0, 1), 3 + SUMMER),
        (28, rdate(10, 0, 0, 1), 3 + WINTER),
        (29, rdate(13, 0, 0, 1), SELF_READ | DEMAND_RESET),
        (30, rdate(12, 0, 0, 25), 19),
        (31, rdate(1, 0, 0, 1), 20),
    ),
    [schedule(*each) for each in SCHEDULES],
    SEASONS,
)
SELF_READ_AT = (6, 40)  # local time
RESET_AT = (0, 15)


def spread(k: int, salt: int) -> int:
    """A number of quarter hour k, 0..249,999 mWh: up to 1 kW."""
    return (k * 2654435761 + salt * 40503 ^ k >> 5) % 250_000


@lru_cache(maxsize=4)
def energies(k: int) -> tuple[int, ...]:
    """Forward, reverse and Q1 to Q4 of quarter hour k, in thousandths."""
    reactive = [0, 0, 0, 0]
    reactive[k % 4] = spread(k, 3) // 3
    return (spread(k, 1), spread(k, 2) if k % 7 == 0 else 0, *reactive)


@cache
def last_sunday(year: int, month: int) -> datetime:
    """The hour at which summer time changes, by the EU's rule in UTC. month: of 31 days."""
    return datetime(year, month, 31 - (date(year, month, 31).weekday() + 1) % 7, 1)


def summer_time(moment: datetime) -> bool:
    return last_sunday(moment.year, 3) <= moment < last_sunday(moment.year, 10)


def local(moment: datetime) -> datetime:
    return moment + timedelta(hours=2 if summer_time(moment) else 1)


def season(day: date) -> int:
    return SUMMER if 4 <= day.month < 10 else WINTER


def tier(moment: datetime) -> int:
    """Of a local time."""
    special = (moment.month, moment.day) in ((12, 25), (1, 1))
    column = 3 if special else {5: 0, 6: 1}.get(moment.weekday(), 2)
    schedule = SEASONS[season(moment)][column]
    return tier_by_time(schedule, moment.hour, moment.minute)


@cache
def tier_by_time(schedule: int, hour: int, minute: int) -> int:
    return [t for *start, t in SCHEDULES[schedule] if start <= [hour, minute]][-1]


class Plain:
    """The ten years, cell by cell."""

    def __init__(self):
        self.blocks = [[0] * 6 for _ in range(5)]
        self.maxima: dict[tuple[int, int], tuple[int, datetime]] = {}
        self.self_reads = []  # (local time, the total's energies)
        self.resets = []  # (local time, forward maximum of all blocks, the total's energies)
        self.seasons = []  # (local time, season that ended, the total's energies)
        self.days = []  # (date, the total's energies at its end)
        self.dst = [0, 0]  # how often it ended and began
        self.before = local(BEGIN - CELL)
        self.summer = False
        # A quarter hour that a power failure takes as a whole makes no demand.
        self.dark = {k for off, on in OUTAGES for k in range(-(-off // 900), on // 900)}
        for quarter in range(QUARTERS):
            begin = BEGIN + timedelta(seconds=quarter * 900)
            times = [local(begin + k * CELL) for k in range(3)]
            tiers = [tier(now) for now in times]
            used = energies(quarter)
            self.edge(begin, times[0])
            if times[0].hour != SELF_READ_AT[0] and tiers[0] == tiers[1] == tiers[2]:
                self.count(used, 0, 900, tiers[0])
                self.before = times[2]
            else:
                self.count(used, 0, 300, tiers[0])
                for k in (1, 2):
                    self.edge(begin + k * CELL, times[k])
                    self.count(used, k * 300, k * 300 + 300, tiers[k])
            if quarter not in self.dark:
                self.demand(used, tiers[2], local(begin + 3 * CELL))

    def edge(self, utc, now):
        """What the calendar brings at the beginning of a cell."""
        before = self.before
        self.before = now
        if now.date() > before.date():
            self.days.append((before.date(), tuple(self.blocks[0])))
        self.scheduled(now)
        if season(now) != season(before):
            self.seasons.append((now, season(before), tuple(self.blocks[0])))
        if summer_time(utc) != self.summer:
            self.summer = not self.summer
            self.dst[self.summer] += 1

    def scheduled(self, now):
        time = (now.hour, now.minute)
        if time == SELF_READ_AT and (now.day == 1 or now.date() == LEAP_DAY):
            self.self_reads.append((now, tuple(self.blocks[0])))
        if time == RESET_AT and now.day == 1:
            found = [self.maxima.get((block, 0), (0, None)) for block in range(5)]
            self.resets.append((now, found, tuple(self.blocks[0])))
            self.maxima = {}

    def count(self, energies, a, b, tier):
        """The part of a quarter hour's energies between two seconds of it."""
        for k, energy in enumerate(energies):
            if energy:
                part = energy * b // 900 - energy * a // 900
                self.blocks[0][k] += part
                self.blocks[tier + 1][k] += part

    def demand(self, energies, tier, end):
        forward, reverse, *q = energies
        for k, energy in enumerate((forward, reverse, q[0] + q[1], q[2] + q[3], *q)):
            for block in (0, tier + 1):
                if energy // 250 > self.maxima.get((block, k), (0,))[0]:
                    self.maxima[block, k] = (energy // 250, end)
