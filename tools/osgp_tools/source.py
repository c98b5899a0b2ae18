"""What the simulated devices measure, and the truth that their readings are held against.

A household after the German standard load profile H0 (BDEW, by demandlib), as integer mWh by UTC
quarter hour. `write` makes the file that a device's simulated element reads
(`firmware/meter/element.py`); the rest says what its registers have to show, to the watt-hour.

A device counts from the source's first day on, or from nine days before its clock was first set
if that is later.
"""

import math
import struct
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from zoneinfo import ZoneInfo

from meter.element import DISTURBED, ENERGY_SIZE, FORMAT, HEADER, HEADER_SIZE, MAGIC
from osgp_tools.disturbances import PHASES, Disturbance, decode_section, encode_section

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
EPOCH = date(2000, 1, 1)  # day 0 of the device's clock
QUARTERS = 96  # a day
FORWARD, REVERSE = 0, 1


class SourceError(ValueError):
    """This is not a measured source, or it does not reach to the time asked for."""


@dataclass(frozen=True)
class Source:
    """Energy by quarter hour from midnight UTC of `first` on. `reverse` may be empty.

    What disturbs the line, and a second and a third phase, show in the present values alone.
    """

    first: date
    forward: tuple[int, ...]  # mWh
    reverse: tuple[int, ...] = ()
    phases: int = 1  # or 3
    disturbances: tuple[Disturbance, ...] = ()

    @classmethod
    def household(
        cls, first: date, days: int, annual_kwh: float, feed_in_w: float = 0
    ) -> "Source":
        """A household of this annual consumption, with solar cells of this peak power.

        The sun is a half sine from 6 to 18 h UTC on every day; what the house does not use of it
        is fed in, quarter hour by quarter hour.
        """
        begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
        net = []
        for k in range(days * QUARTERS):
            used = _h0(begin + k * QUARTER) * annual_kwh * 1e6
            net.append(
                round(used - _sun(k % QUARTERS) * feed_in_w * 250)
            )  # 250: mWh in W x 15 min
        forward = tuple(max(energy, 0) for energy in net)
        reverse = tuple(max(-energy, 0) for energy in net) if feed_in_w else ()
        return cls(first, forward, reverse)

    @classmethod
    def decode(cls, data: bytes) -> "Source":
        """Read what `encode` made. SourceError: it did not make this."""
        if len(data) < HEADER_SIZE:
            raise SourceError("shorter than its header")
        magic, form, directions, first, days = struct.unpack_from(HEADER, data)
        if magic != MAGIC or form not in (FORMAT, DISTURBED) or directions not in (1, 2):
            raise SourceError("not a measured source")
        end = HEADER_SIZE + days * QUARTERS * directions * ENERGY_SIZE
        if len(data) < end or (form == FORMAT and len(data) > end):
            raise SourceError("not as long as its header says")
        energies = [
            int.from_bytes(data[k : k + ENERGY_SIZE], "little")
            for k in range(HEADER_SIZE, end, ENERGY_SIZE)
        ]
        reverse = tuple(energies[1::2]) if directions == 2 else ()
        section = (1, ())
        if form == DISTURBED:
            try:
                section = decode_section(data[end:])
            except ValueError as error:
                raise SourceError(str(error)) from None
        return cls(EPOCH + timedelta(days=first), tuple(energies[::directions]), reverse, *section)

    def encode(self) -> bytes:
        """The device's file, of format 1 if nothing asks for more.

        OverflowError: a quarter hour has 16.8 kWh or more. ValueError: phases are not 1 or 3.
        """
        if self.phases not in (1, PHASES):
            raise ValueError(f"{self.phases} phases; there are 1 or {PHASES}")
        directions = (self.forward, self.reverse) if self.reverse else (self.forward,)
        days = len(self.forward) // QUARTERS
        first = (self.first - EPOCH).days
        disturbed = self.phases > 1 or self.disturbances
        form = DISTURBED if disturbed else FORMAT
        header = struct.pack(HEADER, MAGIC, form, len(directions), first, days)
        energies = b"".join(
            energy.to_bytes(ENERGY_SIZE, "little")
            for quarter in zip(*directions, strict=True)
            for energy in quarter
        )
        section = encode_section(self.phases, self.disturbances) if disturbed else b""
        return header + energies + section

    def write(self, path: Path) -> None:
        """Write the device's file."""
        path.write_bytes(self.encode())

    @property
    def begin(self) -> datetime:
        """The first moment it tells of."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The moment after its last quarter hour."""
        return self.begin + len(self.forward) * QUARTER

    @cached_property
    def _sums(self) -> tuple[tuple[int, ...], ...]:
        """Energy before each quarter hour, by direction."""
        reverse = self.reverse or (0,) * len(self.forward)
        return tuple(accumulate(self.forward, initial=0)), tuple(accumulate(reverse, initial=0))

    def cumulative(self, at: datetime, direction: int = FORWARD) -> int:
        """Energy (mWh) from the beginning to the second of this moment. SourceError: outside."""
        if not self.begin <= at <= self.end:
            raise SourceError(f"{at} lies outside of the source")
        quarter, rest = divmod(at - self.begin, QUARTER)
        sums = self._sums[direction]
        if quarter == len(self.forward):
            return sums[quarter]
        energy = sums[quarter + 1] - sums[quarter]
        return sums[quarter] + energy * rest.seconds // 900

    def consumption(self, start: datetime, end: datetime, direction: int = FORWARD) -> int:
        """What the total register goes up by, in whole Wh, as it shows no others."""
        return self.cumulative(end, direction) // 1000 - self.cumulative(start, direction) // 1000

    def by_tier(
        self,
        start: datetime,
        end: datetime,
        tier_of: Callable[[datetime], int],
        direction: int = FORWARD,
    ) -> dict[int, int]:
        """What each tier's register goes up by, in whole Wh. tier_of: at a UTC moment.

        A tier changes at a full minute, as in the standard's calendar.
        """
        before: Counter[int] = Counter()  # mWh by tier until `start`, and until `end`
        after: Counter[int] = Counter()
        for tier, a, b in self._stretches(end, tier_of):
            energy = self.cumulative(a, direction)
            before[tier] += self.cumulative(min(max(a, start), b), direction) - energy
            after[tier] += self.cumulative(b, direction) - energy
        return {tier: after[tier] // 1000 - before[tier] // 1000 for tier in sorted(after)}

    def _stretches(
        self, end: datetime, tier_of: Callable[[datetime], int]
    ) -> Iterator[tuple[int, datetime, datetime]]:
        """The time from the beginning to `end`, cut where the tier changes: (tier, from, to)."""
        a = b = self.begin
        tier = tier_of(a)
        while b < end:
            b = min(b + MINUTE, end)
            after = tier_of(b)
            if after != tier or b == end:
                yield tier, a, b
                a, tier = b, after


@lru_cache
def _h0_of_year(year: int) -> tuple[float, ...]:
    """The shares of a year's consumption in its quarter hours of local time without DST."""
    # Imported here: pandas takes a quarter of a second, which no other command should wait for.
    with warnings.catch_warnings():  # demandlib makes all warnings of the process errors
        from demandlib import bdew

        profiles = bdew.ElecSlp(year).get_scaled_profiles({"h0": 1.0})
    return tuple(float(share) for share in profiles["h0"])


def _h0(at: datetime) -> float:
    """The share of a year's consumption in the quarter hour that begins at this UTC moment."""
    local = at.astimezone(BERLIN)
    quarter = local.hour * 4 + local.minute // 15
    return _h0_of_year(local.year)[(local.timetuple().tm_yday - 1) * QUARTERS + quarter]


def _sun(quarter: int) -> float:
    """Power of the sun in a quarter hour of the UTC day, of its peak."""
    return max(math.sin(math.pi * ((quarter + 0.5) / QUARTERS * 2 - 0.5)), 0.0)
