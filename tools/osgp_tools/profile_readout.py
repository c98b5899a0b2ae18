"""Load profile as it is configured now: any data set, its channels and their sources (BT61-BT67).

BT61 says how many blocks, intervals and channels a set has; BT64 to BT67 are arrays of blocks by
these figures (MEP p.233-239):

    block     STIME of its end 5 | simple status (intervals + 7) / 8 | intervals
    interval  extended status channels / 2 + 1 | channels x INT32
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from osgp_tools import model
from osgp_tools.session import READ_LIMIT, Session
from osgp_tools.source_names import Source, source

REGISTER_RANGE = 1_000_000_000  # registers have nine digits and begin again at 0
DIMENSIONS, CONTROL, STATUS, DATA = 61, 62, 63, 64
_STIME, _VALUE = 5, 4
_CHANNEL = 3  # octets of a channel in BT62
_SCALAR, _DIVISOR = 2, 2  # octets of these in BT62, where a set has them
_A_DAY = 84  # the interval time that is no number of minutes
_FLAGS = ("daylight saving", "power failed", "clock forward", "clock back")
_CODES = {
    1: "overflow",
    2: "partial",
    3: "long",
    4: "skipped",
    5: "test",
    8: "decryption failed",
    9: "clock error",
    10: "device missing",
    11: "not current",
    12: "opted out",
    15: "placeholder",
}


class ReadoutError(Exception):
    """The meter does not have what was asked for."""


@dataclass(frozen=True)
class Shape:
    """A data set as BT61 has it. `scalars`: BT62 has a scalar and a divisor for each channel."""

    blocks: int
    intervals: int
    channels: int
    interval_time: int
    scalars: bool = False

    @property
    def length(self) -> timedelta:
        if self.interval_time == _A_DAY:
            return timedelta(days=1)
        return timedelta(minutes=self.interval_time)

    @property
    def status_size(self) -> int:
        return (self.intervals + 7) // 8

    @property
    def marks_size(self) -> int:
        return self.channels // 2 + 1

    @property
    def interval_size(self) -> int:
        return self.marks_size + _VALUE * self.channels

    @property
    def block_size(self) -> int:
        return self.size_of(self.intervals)

    def size_of(self, count: int) -> int:
        """Octets of a block up to the end of its first `count` intervals."""
        return _STIME + self.status_size + count * self.interval_size

    @property
    def control_size(self) -> int:
        """Octets of the set in BT62."""
        size = _CHANNEL * self.channels + 1
        return size + (_SCALAR + _DIVISOR) * self.channels * self.scalars


@dataclass(frozen=True)
class Interval:
    """What was recorded at the end of an interval. `status`: the octets of its extended status."""

    ends_at: datetime  # UTC
    values: tuple[int, ...]
    status: bytes

    @property
    def marks(self) -> list[str]:
        """The extended status in words: what holds for all, then what for each channel."""
        marks = [name for k, name in enumerate(_FLAGS) if self.status[0] >> 4 + k & 1]
        for channel in range(len(self.values)):
            octet = self.status[(channel + 1) // 2]
            code = octet >> 4 if channel % 2 else octet & 0x0F
            if code:
                marks.append(f"channel {channel + 1} {_CODES.get(code, f'status {code}')}")
        return marks


@dataclass(frozen=True)
class Profile:
    """Intervals in order of time, oldest first."""

    sources: tuple[Source, ...]
    length: timedelta
    intervals: tuple[Interval, ...]

    def __str__(self) -> str:
        if not self.intervals:
            return "no intervals yet"
        first = self.intervals[0].ends_at - self.length
        last = self.intervals[-1].ends_at
        return f"{len(self.intervals)} intervals, {first:%FT%RZ} to {last:%FT%RZ}"

    def lines(self) -> Iterator[str]:
        """A heading and a line for each interval: its end, the values, what is marked."""
        names = [f"{one.name} / {one.unit}" if one.unit else one.name for one in self.sources]
        yield "\t".join(("end (UTC)", *names, "marks"))
        for one in self.intervals:
            numbers = [str(value) for value in one.values]
            yield "\t".join((f"{one.ends_at:%FT%RZ}", *numbers, ", ".join(one.marks) or "-"))

    def series(self, channel: int) -> list[tuple[datetime, int]]:
        """(end, value): what is counted in each interval, or what was there at its end.

        Of a register the difference to the interval before, where that one is there.
        """
        rows = [(one.ends_at, one.values[channel]) for one in self.intervals]
        if not self.sources[channel].counts:
            return rows
        return [
            (end, (now - before) % REGISTER_RANGE)
            for (earlier, before), (end, now) in pairwise(rows)
            if end - earlier == self.length
        ]


class DataSet:
    """One of the four data sets of a meter, as it is configured now."""

    def __init__(self, session: Session, number: int, shape: Shape, source_ids: tuple[int, ...]):
        self.session = session
        self.number = number  # 1 to 4
        self.shape = shape
        self.source_ids = source_ids

    @classmethod
    async def of(cls, session: Session, number: int) -> "DataSet":
        """ReadoutError: there is no such set, or it is off."""
        shapes = await _shapes(session)
        if number > len(shapes) or not shapes[number - 1].channels:
            raise ReadoutError(f"{session.target}: data set {number} is not configured")
        shape = shapes[number - 1]
        # BT62 has the sets one after the other, each as long as its channels.
        offset = sum(one.control_size for one in shapes[: number - 1])
        octets = await session.read(CONTROL, offset, _CHANNEL * shape.channels)
        return cls(session, number, shape, tuple(octets[1::_CHANNEL]))

    async def status(self) -> dict[str, Any]:
        """What BT63 says of it."""
        offset, size = model.field(STATUS, f"sets.{self.number - 1}")
        values = model.decode(STATUS, await self.session.read(STATUS, offset, size), offset)
        return values["sets"][self.number - 1]

    async def newest(self, blocks: int) -> list[tuple[int, int]]:
        """(index, intervals that are there) of the newest blocks, oldest first."""
        status = await self.status()
        found = []
        for age in range(min(blocks, status["valid_blocks"], self.shape.blocks)):
            index = (status["last_block"] - age) % self.shape.blocks
            count = self.shape.intervals if age else status["valid_intervals"]
            found.insert(0, (index, min(count, self.shape.intervals)))
        return found

    async def block_end(self, index: int) -> datetime:
        """The end of the newest interval of a block. ReadoutError: it has none."""
        return _moment(await self._read(index * self.shape.block_size, _STIME))

    async def block(
        self, index: int, count: int, advance: Callable[[int], None] = lambda octets: None
    ) -> list[Interval]:
        """Those of a block's first `count` intervals that were recorded.

        A block of the past does not change, so reads may end anywhere in it.
        """
        offset = index * self.shape.block_size
        octets = await self._read(offset, self.shape.size_of(count), advance)
        return list(intervals(self.shape, octets, count))

    async def values(self, index: int, interval: int) -> tuple[int, ...]:
        """Of one interval of a block."""
        offset = index * self.shape.block_size + self.shape.size_of(interval)
        return _values(self.shape, await self._read(offset, self.shape.interval_size))

    async def _read(
        self, offset: int, count: int, advance: Callable[[int], None] = lambda octets: None
    ) -> bytes:
        octets = b""
        while len(octets) < count:
            size = min(READ_LIMIT, count - len(octets))
            octets += await self.session.read(DATA + self.number - 1, offset + len(octets), size)
            advance(size)
        return octets

    async def profile(
        self, blocks: list[tuple[int, int]], advance: Callable[[int], None] = lambda octets: None
    ) -> Profile:
        """These blocks, as `newest` gives them."""
        found: list[Interval] = []
        for index, count in blocks:
            found += await self.block(index, count, advance)
        sources = tuple(source(number) for number in self.source_ids)
        return Profile(sources, self.shape.length, tuple(found))

    def size(self, blocks: list[tuple[int, int]]) -> int:
        """Octets to be read of these blocks."""
        return sum(self.shape.size_of(count) for _, count in blocks)


async def _shapes(session: Session) -> list[Shape]:
    size = model.table(DIMENSIONS).size
    values = model.decode(DIMENSIONS, await session.read(DIMENSIONS, 0, size))
    scalars = values["flags"]["scalars"]
    return [
        Shape(
            one["blocks"],
            one["intervals"],
            one["channels"],
            one["interval_time"],
            bool(scalars >> k & 1),
        )
        for k, one in enumerate(values["sets"])
    ]


def _moment(octets: bytes) -> datetime:
    """ReadoutError: an STIME that is none."""
    year, month, day, hour, minute = octets
    try:
        return datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        raise ReadoutError(f"no time: {octets.hex()}") from None


def intervals(shape: Shape, octets: bytes, count: int) -> Iterator[Interval]:
    """What is recorded in a block, of which its first `count` intervals are in `octets`.

    ReadoutError: its time is none.
    """
    newest = _moment(octets[:_STIME])
    for k in range(count):
        if octets[_STIME + k // 8] >> k % 8 & 1:
            at = shape.size_of(k)
            one = octets[at : at + shape.interval_size]
            ends_at = newest - (count - 1 - k) * shape.length
            yield Interval(ends_at, _values(shape, one), one[: shape.marks_size])


def _values(shape: Shape, octets: bytes) -> tuple[int, ...]:
    places = range(shape.marks_size, shape.interval_size, _VALUE)
    return tuple(int.from_bytes(octets[k : k + _VALUE], "little", signed=True) for k in places)
