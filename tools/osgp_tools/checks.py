"""Are the readings true? What the concentrator read, held against the source that was measured.

The tiers here are those of the default calendar, told apart by Python's own time zones: neither
the device's calendar nor the definitions have a hand in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from osgp_tools.readout import TOTAL, Day, Figure
from osgp_tools.source import BERLIN, FORWARD, REVERSE, Source

CLOCK_TOLERANCE = 2.0  # s: a clock set to the second, registers counted to the second
DIRECTIONS = {"forward_wh": FORWARD, "reverse_wh": REVERSE}
POWER = {"forward_w": FORWARD, "reverse_w": REVERSE}
_DAY_TIER, _NIGHT_TIER = 0, 1


@dataclass(frozen=True)
class Verdict:
    """How many values were compared, how many of them exactly, and what was wrong."""

    compared: int
    exact: int
    wrong: tuple[str, ...]

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            self.compared + other.compared, self.exact + other.exact, self.wrong + other.wrong
        )


def tier_at(moment: datetime) -> int:
    """The tier of the default calendar: 0 from 6 to 22 h local time, 1 else."""
    return _DAY_TIER if 6 <= moment.astimezone(BERLIN).hour < 22 else _NIGHT_TIER


def check_day(day: Day, source: Source) -> Verdict:
    """Each interval, and each stretch of one tier: the consumption must be the source's, in Wh."""
    wrong = []
    compared = 0
    length = day.intervals[1].ends_at - day.intervals[0].ends_at
    for channel, (name, _) in enumerate(day.quantities):
        for start, end, used in _spans(day, channel, length):
            truth = source.consumption(start, end, DIRECTIONS[name])
            compared += 1
            if used != truth:
                wrong.append(f"{name} {start:%d %H:%M} to {end:%H:%M}: {used} Wh, is {truth} Wh")
    return Verdict(compared, compared, tuple(wrong))


def _spans(day: Day, channel: int, length: timedelta) -> Iterator[tuple[datetime, datetime, int]]:
    """Begin, end and consumption of every interval, and of every run of intervals of one tier."""
    begin = day.intervals[0].ends_at - length
    used = 0
    for k, one in enumerate(day.intervals):
        start = one.ends_at - length
        if k and tier_at(start) != tier_at(start - length):
            yield begin, start, used
            begin, used = start, 0
        used += one.consumption[channel]
        yield start, one.ends_at, one.consumption[channel]
    yield begin, day.intervals[-1].ends_at, used


def by_tier(day: Day, name: str = "forward_wh") -> dict[int, int]:
    """Consumption of the day by tier, in Wh."""
    channel = [quantity for quantity, _ in day.quantities].index(name)
    length = day.intervals[1].ends_at - day.intervals[0].ends_at
    sums = {_DAY_TIER: 0, _NIGHT_TIER: 0}
    for one in day.intervals:
        sums[tier_at(one.ends_at - length)] += one.consumption[channel]
    return sums


def check_registers(figures: Sequence[Figure], source: Source) -> Verdict:
    """Each energy register must show what the source had given when the meter was asked.

    A register between its value at the first and at the last moment at which the meter may have
    looked: the same for a tier that does not count now, so that one is compared exactly.
    """
    wrong = []
    exact = compared = 0
    truth = _Registers(source)
    for one in figures:
        if one.quantity not in DIRECTIONS:
            continue
        least = truth.at(one, one.not_before - CLOCK_TOLERANCE)
        most = truth.at(one, one.not_after + CLOCK_TOLERANCE)
        compared += 1
        exact += least == most
        if not least <= one.value <= most:
            wrong.append(f"{one.path}: {one.value} Wh, is {least} to {most} Wh")
    return Verdict(compared, exact, tuple(wrong))


class _Registers:
    """What registers show by the source. Tiers are worked out minute by minute: once a moment."""

    def __init__(self, source: Source):
        self._source = source
        self._tiers: dict[tuple[datetime, int], dict[int, int]] = {}

    def at(self, figure: Figure, seconds: float) -> int:
        """The register of this figure at a host time."""
        source = self._source
        moment = datetime.fromtimestamp(int(seconds), UTC)
        direction = DIRECTIONS[figure.quantity]
        if figure.tier == TOTAL:
            return source.consumption(source.begin, moment, direction)
        if (moment, direction) not in self._tiers:
            tiers = source.by_tier(source.begin, moment, tier_at, direction)
            self._tiers[moment, direction] = tiers
        return self._tiers[moment, direction].get(figure.tier, 0)


def check_power(figures: Sequence[Figure], source: Source) -> Verdict:
    """Instantaneous power must be that of the quarter hour in which the meter was asked."""
    wrong = []
    compared = 0
    for one in figures:
        if one.quantity not in POWER:
            continue
        edges = (one.not_before - CLOCK_TOLERANCE, one.not_after + CLOCK_TOLERANCE)
        right = {_power(edge, source, POWER[one.quantity]) for edge in edges}
        compared += 1
        if one.value not in right:
            wrong.append(f"{one.quantity}: {one.value} W, is {sorted(right)} W")
    return Verdict(compared, compared, tuple(wrong))


def _power(seconds: float, source: Source, direction: int) -> int:
    start = datetime.fromtimestamp(int(seconds) // 900 * 900, UTC)
    end = start + timedelta(minutes=15)
    energy = source.cumulative(end, direction) - source.cumulative(start, direction)
    return energy * 4 // 1000
